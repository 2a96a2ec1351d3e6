"""Counting events for operators: known types by name, strangers only up to a limit."""

from prometheus_client import CollectorRegistry, Counter

from plugin_analytics.http.counting import MAX_STRANGERS, EventCounter


def test_strangers_share_a_name_beyond_the_limit() -> None:
    """However many names a sender invents, there are 64 of them and `other`."""
    counter = Counter("events", "…", ["type", "outcome"], registry=CollectorRegistry())
    count = EventCounter(counter)

    for number in range(MAX_STRANGERS + 10):
        count(f"odd.{number}", "ignored", 2)
    count("story.created", "accepted", 3)
    count("", "quarantined", 1)

    found = {
        (sample.labels["type"], sample.labels["outcome"]): sample.value
        for sample in next(iter(counter.collect())).samples
        if sample.name == "events_total"
    }
    assert found["other", "ignored"] == 20
    assert found["story.created", "accepted"] == 3
    assert found["other", "quarantined"] == 1
    assert len(found) == MAX_STRANGERS + 3
