"""What a plugin may ask of core: events, jobs, secrets (design: The wire)."""

from collections.abc import Iterator
from datetime import UTC, datetime
from functools import partial
from typing import Any

import httpx
import pytest

from mosaiclife_devcore.scheduler import fire_key
from mosaiclife_plugin_sdk import decode_user_context
from tests.support.bare_plugin import BarePlugin, as_json
from tests.support.cores import Core, assert_problem, grant_for, make_ready, running_core
from tests.support.processes import eventually

SECRETS = {"BARE_KEY": "s3cret", "UNDECLARED": "other"}
JOB = {
    "name": "tidy",
    "description": "Tidies.",
    "schedule": "* * * * *",
    "timezone": "UTC",
    "scope": "instance",
}


@pytest.fixture
def plugin() -> Iterator[BarePlugin]:
    with BarePlugin() as plugin:
        yield plugin


@pytest.fixture
def core(plugin: BarePlugin) -> Iterator[Core]:
    with running_core(plugins={"bare": grant_for(plugin, secrets=SECRETS)}) as core:
        yield core


def ask(
    core: Core, plugin: BarePlugin, method: str, path: str, body: object = None
) -> httpx.Response:
    headers = {"authorization": f"Bearer {plugin.token}"}
    return core.request(method, f"/api/plugins/-/{path}", headers=headers, json=body)


def register(core: Core, plugin: BarePlugin, **changes: Any) -> None:
    plugin.register(core, manifest=plugin.manifest(**changes)).raise_for_status()


def test_an_event_is_taken_in(core: Core, plugin: BarePlugin) -> None:
    """A published event is accepted under an id."""
    register(core, plugin)
    response = ask(core, plugin, "POST", "events", {"topic": "bare.said", "payload": {"a": 1}})

    assert response.status_code == 202
    assert response.json()["data"]["id"]


@pytest.mark.parametrize(
    ("body", "status", "code"),
    [
        ({"topic": "story.created", "payload": {}}, 403, "PERMISSION_DENIED"),
        ({"topic": "plugin.changed", "payload": {}}, 403, "PERMISSION_DENIED"),
        ({"topic": "no dots", "payload": {}}, 422, "VALIDATION_FAILED"),
        ({"topic": "bare.said", "payload": []}, 422, "VALIDATION_FAILED"),
        ({"topic": "bare.said", "payload": {"a": "x" * 65_536}}, 413, "PAYLOAD_TOO_LARGE"),
    ],
)
def test_a_plugin_cannot_speak_for_core_or_without_measure(
    core: Core, plugin: BarePlugin, body: object, status: int, code: str
) -> None:
    """Core's own topics, malformed ones and oversized payloads are refused."""
    register(core, plugin)

    assert_problem(ask(core, plugin, "POST", "events", body), status, code)


@pytest.mark.parametrize(
    ("method", "path", "body"),
    [
        ("POST", "events", {"topic": "bare.said", "payload": {}}),
        ("GET", "events/bare.said", None),
        ("PUT", "jobs/tidy", JOB),
        ("DELETE", "jobs/tidy", None),
        ("GET", "secrets/BARE_KEY", None),
    ],
)
def test_a_call_without_its_capability_is_refused(
    core: Core, plugin: BarePlugin, method: str, path: str, body: object
) -> None:
    """What the manifest did not ask for, core does not do (spec §13)."""
    register(core, plugin, capabilities=[])

    assert_problem(ask(core, plugin, method, path, body), 403, "PERMISSION_DENIED")


def test_only_declared_secrets_are_handed_out(core: Core, plugin: BarePlugin) -> None:
    """A secret leaves core for the plugin that declares it, and is never cached."""
    register(core, plugin, capabilities=["secrets:read"], secrets=["BARE_KEY", "UNSET_KEY"])

    given = ask(core, plugin, "GET", "secrets/BARE_KEY")

    assert given.json()["data"] == {"name": "BARE_KEY", "value": "s3cret"}
    assert given.headers["cache-control"] == "no-store"
    assert_problem(ask(core, plugin, "GET", "secrets/UNDECLARED"), 403, "PERMISSION_DENIED")
    assert_problem(ask(core, plugin, "GET", "secrets/UNSET_KEY"), 404, "RESOURCE_NOT_FOUND")


def test_a_schedule_is_kept_replaced_and_given_back(core: Core, plugin: BarePlugin) -> None:
    """A job's schedule is put as often as the plugin likes, and deleted once."""
    register(core, plugin)

    assert ask(core, plugin, "PUT", "jobs/tidy", JOB).status_code == 200
    again = ask(core, plugin, "PUT", "jobs/tidy", {**JOB, "schedule": "0 0 29 2 *"})
    assert again.json()["data"]["nextFire"].startswith("2028-02-29T00:00:00")
    assert ask(core, plugin, "DELETE", "jobs/tidy").status_code == 200
    assert_problem(ask(core, plugin, "DELETE", "jobs/tidy"), 404, "RESOURCE_NOT_FOUND")


@pytest.mark.parametrize(
    ("change", "field"),
    [
        ({"schedule": "every minute"}, "$.schedule"),
        ({"schedule": "0 0 31 2 *"}, "$.schedule"),
        ({"timezone": "Mars/Olympus"}, "$.schedule"),
        ({"name": "other"}, "$.name"),
        ({"scope": "galaxy"}, "$.scope"),
    ],
)
def test_a_schedule_that_cannot_be_kept_is_refused(
    core: Core, plugin: BarePlugin, change: dict[str, str], field: str
) -> None:
    """Bad cron, unknown zones and names that differ are said at once."""
    register(core, plugin)

    error = assert_problem(
        ask(core, plugin, "PUT", "jobs/tidy", {**JOB, **change}), 422, "VALIDATION_FAILED"
    )
    assert error["details"][0]["field"] == field


@pytest.mark.parametrize(("scope", "tenant"), [("instance", "-"), ("tenant", "family-lindqvist")])
def test_a_fire_reaches_the_plugin_under_its_own_name(
    core: Core, plugin: BarePlugin, scope: str, tenant: str
) -> None:
    """A fire is named by job, tenant and moment, and sent again under that name until taken."""
    make_ready(core, plugin)
    plugin.answers["/v1/jobs/run"] = [as_json({}, 500), as_json({"data": {}}, 202)]
    # Only the fire of this test: a full minute may pass meanwhile.
    yearly = {**JOB, "scope": scope, "schedule": "0 0 1 1 *"}
    ask(core, plugin, "PUT", "jobs/tidy", yearly).raise_for_status()
    [job] = core.app.state.scheduler._apscheduler.get_jobs()
    moment = datetime(2026, 1, 1, 12, tzinfo=UTC)

    core.blocking_portal.call(partial(job.func, *job.args, moment=moment))

    first, again = plugin.received("/v1/jobs/run")
    assert first.json() == {"name": "tidy"}
    assert first.headers["idempotency-key"] == f"tidy@{tenant}@2026-01-01T12:00:00Z"
    assert again.headers["idempotency-key"] == first.headers["idempotency-key"]
    assert decode_user_context(first.headers["x-user-context"]).is_service
    assert first.headers.get("x-tenant-id", "-") == tenant


def test_the_clock_itself_fires(core: Core, plugin: BarePlugin) -> None:
    """APScheduler calls on time and says for which moment."""
    make_ready(core, plugin)
    ask(core, plugin, "PUT", "jobs/tidy", JOB).raise_for_status()
    scheduler = core.app.state.scheduler._apscheduler
    due = datetime.now(UTC).replace(microsecond=0)
    core.blocking_portal.call(lambda: scheduler.modify_job("bare/tidy", next_run_time=due))

    eventually(lambda: plugin.received("/v1/jobs/run"), within=5)

    key = plugin.received("/v1/jobs/run")[0].headers["idempotency-key"]
    assert key == fire_key("tidy", None, due)


def test_a_core_that_schedules_nothing_says_so(plugin: BarePlugin) -> None:
    """With the scheduler off, registration tells the plugin to keep its own time."""
    with running_core(plugin, scheduler=False) as core:
        accepted = plugin.register(core).json()["data"]
        refused = ask(core, plugin, "PUT", "jobs/tidy", JOB)

    assert accepted["scheduler"] is False
    assert_problem(refused, 503, "SERVICE_UNAVAILABLE")


def test_forgetting_a_plugin_forgets_its_schedules(core: Core, plugin: BarePlugin) -> None:
    """A deleted record leaves no job behind that would fire for nobody."""
    register(core, plugin)
    ask(core, plugin, "PUT", "jobs/tidy", JOB).raise_for_status()

    core.delete("/api/plugins/bare", headers={"sec-fetch-site": "same-origin"})

    assert core.app.state.scheduler._apscheduler.get_jobs() == []
