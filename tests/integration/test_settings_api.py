"""`/settings` over the real ASGI app: who may change them, what they refuse, what they move."""

from collections.abc import Iterator
from pathlib import Path
from typing import Any

import httpx
import pytest
from hypothesis import HealthCheck, given, settings
from hypothesis import strategies as st
from litestar.testing import TestClient
from structlog.testing import capture_logs

from mosaiclife_plugin_sdk import SERVICE, UserContext
from plugin_analytics.app import build
from tests.integration.test_backend_app import (
    MEMBER,
    STEWARD,
    TOKEN,
    House,
    assert_problem,
    environment,
)
from tests.support.events import TENANT, reader_headers, story


@pytest.fixture
def house(tmp_path: Path) -> Iterator[House]:
    app, _ = build(environment(tmp_path))
    with TestClient(app, base_url="http://plugin.test") as client:
        yield House(client)


def read(house: House, viewer: UserContext = MEMBER, tenant: str = TENANT) -> httpx.Response:
    return house.client.get("/v1/settings", headers=reader_headers(TOKEN, viewer, tenant))


def change(
    house: House, body: Any, viewer: UserContext = STEWARD, tag: str | None = None
) -> httpx.Response:
    headers = reader_headers(TOKEN, viewer, TENANT)
    if tag is not None:
        headers["If-Match"] = tag
    return house.client.put("/v1/settings", json=body, headers=headers)


def test_a_steward_sets_the_zone(house: House) -> None:
    """Everybody reads it, reports follow it, another tenant's stand as they were."""
    house.deliver([story("s1", "l1", at="2026-03-01T20:00:00Z")])
    house.metrics()
    usual = {"timezone": "UTC", "own": False, "default": "UTC"}
    assert read(house).json()["data"] == usual

    with capture_logs() as lines:
        answer = change(house, {"timezone": "Asia/Kolkata"})

    kolkata = {"timezone": "Asia/Kolkata", "own": True, "default": "UTC"}
    assert (answer.status_code, answer.json()["data"]) == (200, kolkata)
    assert answer.headers["etag"] == read(house).headers["etag"]
    assert read(house).json()["data"] == kolkata
    assert read(house, tenant="other").json()["data"] == usual
    report = house.ask("timeseries?legacyId=l1&from=2026-03-01&to=2026-03-03&interval=day").json()
    assert [bar["values"] for bar in report["data"]["buckets"]] == [[0], [1]]
    assert report["meta"]["timezone"] == "Asia/Kolkata"
    (line,) = [each for each in lines if each["event"] == "settings changed"]
    assert line["by"] == "operator"
    assert line["timezone"] == {"before": None, "after": "Asia/Kolkata"}
    assert "ada" not in str(line)


def test_null_takes_the_setting_back(house: House) -> None:
    """The instance's own zone counts again."""
    change(house, {"timezone": "Asia/Kolkata"}, SERVICE)

    assert change(house, {"timezone": None}, SERVICE).json()["data"]["own"] is False


def test_only_stewards_may_change(house: House) -> None:
    """A keeper of a legacy does not decide over the tenant."""
    keeper = UserContext(sub="k", legacies={"l1": "creator"})

    assert_problem(change(house, {"timezone": "UTC"}, keeper), 403, "PERMISSION_DENIED")
    assert read(house).json()["data"]["own"] is False


def test_two_stewards_do_not_overwrite_each_other(house: House) -> None:
    """Who changes what has changed since is told so; who names the present tag is not."""
    tag = read(house).headers["etag"]
    first = change(house, {"timezone": "Asia/Kolkata"}, tag=tag)

    assert first.status_code == 200
    late = change(house, {"timezone": "Europe/Stockholm"}, tag=tag)
    assert_problem(late, 412, "RESOURCE_CONFLICT")
    again = change(house, {"timezone": "Europe/Stockholm"}, tag=first.headers["etag"])
    assert again.status_code == 200
    assert change(house, {"timezone": "Asia/Kolkata"}, tag="*").status_code == 200


@pytest.mark.parametrize(
    ("body", "field"),
    [
        ({}, "$"),
        ({"timezone": "Mars/Base"}, "$.timezone"),
        ({"timezone": "../UTC"}, "$.timezone"),
        ({"timezone": ""}, "$.timezone"),
        ({"timezone": "x" * 65}, "$.timezone"),
        ({"timezone": 7}, "$.timezone"),
        ({"timezone": "UTC", "colour": "blue"}, "$"),
        ([], "$"),
    ],
)
def test_what_is_no_setting_is_refused(house: House, body: Any, field: str) -> None:
    """The JSON path says what is wrong, and nothing changes."""
    error = assert_problem(change(house, body), 422, "VALIDATION_FAILED")

    assert error["details"][0]["field"] == field
    assert read(house).json()["data"]["own"] is False


@given(name=st.text(max_size=20))
@settings(
    deadline=None, max_examples=60, suppress_health_check=[HealthCheck.function_scoped_fixture]
)
def test_any_name_is_taken_or_refused(house: House, name: str) -> None:
    """No text ends in anything but a setting or a 422."""
    assert change(house, {"timezone": name}).status_code in {200, 422}


def test_an_unchanged_setting_is_not_sent_again(house: House) -> None:
    """Its tag spares the second answer."""
    headers = {**reader_headers(TOKEN, MEMBER), "If-None-Match": read(house).headers["etag"]}

    assert house.client.get("/v1/settings", headers=headers).status_code == 304
