"""Every fixed limit: where its value stands, what happens beyond it, and the test that shows it.

`tools.docs` writes docs/limits.md from this list. `plugin:` stands for the package of the plugin,
whose name only its manifest says.
"""

from dataclasses import dataclass

UNIT = "tests/unit"
WHOLE = "tests/integration"


@dataclass(frozen=True)
class Limit:
    """One named constant and its promise; *test* is `<file>::<function>`."""

    subject: str
    constant: str
    unit: str
    beyond: str
    test: str


REQUESTS = (
    Limit(
        "the body of a request",
        "mosaiclife_plugin_sdk.frame.app:MAX_BODY",
        "bytes",
        "413, before it is read",
        f"{WHOLE}/test_frame.py::test_bad_body_has_its_status",
    ),
    Limit(
        "what the sender of a body that is too large may still send, to learn of it",
        "mosaiclife_plugin_sdk.frame.edge:REST_BYTES",
        "bytes",
        "the connection ends",
        f"{WHOLE}/test_frame_process.py::test_oversize_body_gets_its_answer",
    ),
    Limit(
        "the age of a delivery, and how far it may lie ahead",
        "mosaiclife_plugin_sdk.webhooks:TOLERANCE_SECONDS",
        "seconds",
        "401",
        f"{WHOLE}/test_webhook_cases.py::test_each_delivery_gets_its_answer",
    ),
    Limit(
        "signatures of one delivery that are looked at",
        "mosaiclife_plugin_sdk.webhooks:MAX_SIGNATURES",
        "signatures",
        "those behind them do not count",
        f"{WHOLE}/test_webhook_cases.py::test_each_delivery_gets_its_answer",
    ),
    Limit(
        "an idempotency key",
        "mosaiclife_plugin_sdk.frame.jobs_http:MAX_KEY",
        "characters",
        "422",
        f"{UNIT}/sdk/test_jobs_http.py::test_a_bad_key_is_refused",
    ),
    Limit(
        "a page of job runs",
        "mosaiclife_plugin_sdk.frame.jobs_http:MAX_LIMIT",
        "runs",
        "422",
        f"{UNIT}/sdk/test_jobs_http.py::test_limits_of_a_page",
    ),
    Limit(
        "members of a `tracestate`",
        "mosaiclife_plugin_sdk.frame.propagation:MAX_MEMBERS",
        "members",
        "the `tracestate` is dropped, the trace goes on",
        f"{UNIT}/sdk/test_propagation.py::test_state_is_kept_whole_or_dropped_whole",
    ),
)
WORK = (
    Limit(
        "a cron expression",
        "mosaiclife_plugin_sdk.cron:MAX_LENGTH",
        "characters",
        "refused with the reason",
        f"{UNIT}/sdk/test_cron.py::test_what_is_not_cron_is_refused",
    ),
    Limit(
        "jobs that run at once",
        "mosaiclife_plugin_sdk.frame.jobs:AT_ONCE",
        "runs",
        "further ones wait as `queued`",
        f"{UNIT}/sdk/test_jobs.py::test_a_run_that_waits_for_room_is_interrupted_too",
    ),
    Limit(
        "how long an ended run of a job is kept",
        "mosaiclife_plugin_sdk.frame.jobs:KEEP_RUNS",
        "",
        "purged from the history, and its key may run again",
        f"{UNIT}/sdk/test_jobs.py::test_history_is_kept_for_thirty_days",
    ),
    Limit(
        "how long a run that the plugin asked for itself is kept",
        "mosaiclife_plugin_sdk.frame.jobs:KEEP_POKES",
        "",
        "purged from the history",
        f"{UNIT}/sdk/test_jobs.py::test_history_is_kept_for_thirty_days",
    ),
    Limit(
        "the error that a failed run keeps",
        "mosaiclife_plugin_sdk.frame.jobs:MAX_ERROR",
        "characters",
        "cut",
        f"{UNIT}/sdk/test_jobs.py::test_error_of_a_run_is_cut",
    ),
    Limit(
        "how long the recorded answer to a delivery is kept",
        "mosaiclife_plugin_sdk.frame.housekeeping:KEEP_DELIVERIES",
        "",
        "a repetition is handled anew",
        f"{UNIT}/sdk/test_housekeeping.py::test_answers_are_kept_for_seven_days",
    ),
    Limit(
        "the wait that core's `Retry-After` may ask of a registration",
        "mosaiclife_plugin_sdk.frame.registration:LONGEST_RETRY_AFTER",
        "seconds",
        "the plugin comes again after it",
        f"{UNIT}/sdk/test_registration.py::test_waits_grow_with_jitter_up_to_half_a_minute",
    ),
)
EVENTS = (
    Limit(
        "events of one delivery",
        "plugin:model.envelopes:MAX_EVENTS",
        "events",
        "413",
        f"{WHOLE}/test_backend_app.py::test_bad_delivery_has_its_own_status",
    ),
    Limit(
        "one event",
        "plugin:model.events:MAX_EVENT_BYTES",
        "bytes",
        "quarantined",
        f"{UNIT}/backend/test_events.py::test_event_of_more_than_64_kib_is_poison",
    ),
    Limit(
        "the age of an event, unless it is a backfill",
        "plugin:model.events:RAW_WINDOW",
        "",
        "quarantined",
        f"{UNIT}/backend/test_events.py::test_poison_is_named",
    ),
    Limit(
        "deliveries that wait for the disk",
        "plugin:services.intake:MAX_BYTES",
        "bytes",
        "503 with `Retry-After`",
        f"{UNIT}/backend/test_intake.py::test_more_bytes_than_may_wait_are_refused",
    ),
    Limit(
        "how long the oldest of them may have waited when another comes",
        "plugin:services.intake:MAX_LAG_SECONDS",
        "seconds",
        "503 with `Retry-After`",
        f"{UNIT}/backend/test_intake.py::test_a_disk_that_lags_refuses_more",
    ),
    Limit(
        "how long what was erased is refused",
        "plugin:store.erasures:TOMBSTONE_DAYS",
        "days",
        "it may come again; an opt-out holds until it is taken back",
        f"{UNIT}/backend/test_erasure.py::test_tombstones_end_and_opt_outs_do_not",
    ),
    Limit(
        "how long a line of `erasures.log` is replayed into a restored copy",
        "plugin:services.erasure:LOG_DAYS",
        "days",
        "dropped at the next start, but for an opt-out that stands",
        f"{UNIT}/backend/test_erasure.py::test_old_lines_are_dropped_but_for_opt_outs",
    ),
    Limit(
        "how long an event stays in quarantine",
        "plugin:services.quarantine:KEPT_FOR",
        "",
        "forgotten",
        f"{UNIT}/backend/test_quarantine.py::test_poison_is_forgotten_after_two_weeks",
    ),
    Limit(
        "rows that wait for the disk",
        "plugin:store.writer:WAITING_ROWS",
        "rows",
        "503 with `Retry-After`",
        f"{UNIT}/backend/test_writer.py::test_more_than_may_wait_is_refused",
    ),
    Limit(
        "events in quarantine, for each tenant",
        "plugin:store.arrivals:QUARANTINE_ROWS",
        "events",
        "503 with `Retry-After`",
        f"{UNIT}/backend/test_store.py::test_full_quarantine_keeps_the_batch_with_its_sender",
    ),
    Limit(
        "names of unknown event types in the metrics",
        "plugin:http.counting:MAX_STRANGERS",
        "names",
        "counted together",
        f"{UNIT}/backend/test_counting.py::test_strangers_share_a_name_beyond_the_limit",
    ),
)
KEEPING = (
    Limit(
        "how long what was watched is kept as it came",
        "plugin:model.retention:OBSERVED_FOR",
        "",
        "gone",
        f"{UNIT}/backend/test_retention.py::test_raw_events_go_by_their_class",
    ),
    Limit(
        "how long reactions, invitations and membership are remembered",
        "plugin:model.retention:FLEETING_FOR",
        "",
        "their numbers are kept, and name nobody",
        f"{UNIT}/backend/test_retention.py::test_a_reaction_leaves_its_number",
    ),
    Limit(
        "how long counts are kept",
        "plugin:model.retention:COUNTED_YEARS",
        "years",
        "gone, a year at a time",
        f"{UNIT}/backend/test_retention.py::test_counts_of_ten_years_and_not_more",
    ),
    Limit(
        "rows that a purge takes away in one transaction",
        "plugin:services.retention:ROWS",
        "rows",
        "the rest follows in the next one",
        f"{UNIT}/backend/test_retention.py::test_a_run_that_is_stopped_is_finished_by_the_next",
    ),
    Limit(
        "days of a legacy that a verification works out anew, one in a hundred, at least",
        "plugin:services.verify:LEAST",
        "days",
        "others are looked at another day",
        f"{UNIT}/backend/test_verify.py::test_true_counts_are_found_true",
    ),
    Limit(
        "differences that the result of a verification lists",
        "plugin:services.verify:SHOWN",
        "days",
        "only counted",
        f"{UNIT}/backend/test_verify.py::test_results_name_no_legacy",
    ),
    Limit(
        "regular copies of the database",
        "plugin:store.backups:KEPT",
        "copies",
        "the oldest go",
        f"{UNIT}/backend/test_backups.py::test_the_newest_three_are_kept_and_none_for_ever",
    ),
    Limit(
        "how long a copy is kept, and may be put back without `--force`",
        "plugin:store.backups:KEPT_FOR",
        "",
        "gone, or refused",
        f"{UNIT}/backend/test_backups.py::test_the_newest_three_are_kept_and_none_for_ever",
    ),
    Limit(
        "the database that is written anew to give room back",
        "plugin:store.tidying:SHRINK_USED_BYTES",
        "bytes",
        "left as it is; what comes in fills the room",
        f"{UNIT}/backend/test_backups.py::test_room_is_given_back_where_that_pays",
    ),
)
REPORTS = (
    Limit(
        "a page of the catalogue",
        "plugin:http.params:MAX_LIMIT",
        "items",
        "422",
        f"{UNIT}/backend/test_params.py::test_limit_is_from_1_to_100",
    ),
    Limit(
        "buckets of a series",
        "plugin:model.calendar:MAX_BUCKETS",
        "buckets",
        "422",
        f"{UNIT}/backend/test_provide.py::test_too_many_buckets_are_refused",
    ),
    Limit(
        "years of a series of everything",
        "plugin:model.calendar:MAX_YEARS",
        "years",
        "the last ones are shown",
        f"{UNIT}/backend/test_provide.py::test_everything_as_a_series_is_its_last_ten_years",
    ),
    Limit(
        "values that a series is told apart by",
        "plugin:model.reports:TOP",
        "values",
        "the rest is one, `(other)`",
        f"{UNIT}/backend/test_rhythm.py::test_more_than_ten_values_leave_a_rest",
    ),
    Limit(
        "days of arrival in the report on the health of the data",
        "plugin:services.quality:MAX_DAYS",
        "days",
        "422",
        f"{UNIT}/backend/test_params.py::test_health_is_of_a_year_at_most",
    ),
    Limit(
        "questions of one call",
        "plugin:http.query:MAX_QUERIES",
        "questions",
        "422",
        f"{WHOLE}/test_reports_api.py::test_questions_that_cannot_be_told_apart",
    ),
    Limit(
        "bars of the reports that are kept until something is written",
        "plugin:services.recent:KEPT_BARS",
        "bars",
        "what nobody asks for again goes first",
        f"{UNIT}/backend/test_recent.py::test_what_nobody_asks_for_again_goes_first",
    ),
    Limit(
        "how long the reading for one answer may take",
        "plugin:http.data:REPORT_SECONDS",
        "seconds",
        "504",
        f"{WHOLE}/test_timeouts.py::test_reading_has_less_time_than_the_call",
    ),
    Limit(
        "metrics of a series",
        "plugin:http.params:MAX_METRICS",
        "metrics",
        "422",
        f"{UNIT}/backend/test_params.py::test_fault_is_named",
    ),
)
CORE = (
    Limit(
        "the body of a call to core",
        "mosaiclife_plugin_sdk.wire:LARGEST_BODY",
        "bytes",
        "413",
        f"{WHOLE}/test_core_contract.py::test_each_documented_answer",
    ),
    Limit(
        "the payload of a published event",
        "mosaiclife_plugin_sdk.wire:LARGEST_PAYLOAD",
        "bytes",
        "413",
        f"{WHOLE}/test_core_contract.py::test_each_documented_answer",
    ),
    Limit(
        "calls of one plugin, where rates are kept",
        "mosaiclife_devcore.rates:CALLS_PER_MINUTE",
        "calls in a minute",
        "429 with `Retry-After`",
        f"{WHOLE}/test_core_registration.py::test_the_platform_rate_is_kept_when_it_is_switched_on",
    ),
    Limit(
        "reads of one plugin's data, where rates are kept",
        "mosaiclife_devcore.rates:DATA_PER_HOUR",
        "calls in an hour",
        "429 with `Retry-After`",
        f"{UNIT}/core/test_small_parts.py::test_rates_open_again_as_the_window_moves_on",
    ),
    Limit(
        "events of a batch that core delivers",
        "mosaiclife_devcore.delivery:BATCH",
        "events",
        "the rest follows in the next one",
        f"{WHOLE}/test_core_delivery.py::test_what_waits_goes_out_in_order_and_in_batches",
    ),
    Limit(
        "the body of a delivery",
        "mosaiclife_devcore.delivery:BATCH_BYTES",
        "bytes",
        "the rest follows in the next one",
        f"{WHOLE}/test_core_delivery.py::test_a_batch_never_exceeds_a_mebibyte",
    ),
    Limit(
        "events that core remembers",
        "mosaiclife_devcore.journal:MOST",
        "events",
        "the oldest are let go",
        f"{UNIT}/core/test_small_parts.py::test_the_journal_numbers_events_for_ever_and_keeps_the_last_ones",
    ),
    Limit(
        "bundles of a remote that core keeps",
        "mosaiclife_devcore.remotes:KEPT_BUNDLES",
        "bundles",
        "older ones are 404",
        f"{WHOLE}/test_core_remotes.py::test_the_last_two_bundles_are_kept",
    ),
)
LIMITS = {
    "Requests to the plugin": REQUESTS,
    "Jobs and life cycle": WORK,
    "Events": EVENTS,
    "Keeping the data": KEEPING,
    "Reports": REPORTS,
    "The development core": CORE,
}
