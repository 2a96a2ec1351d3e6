"""docs/reports.md: every request on the page is asked, and its answer is the one on the page."""

import json
import re
from collections.abc import Iterator
from dataclasses import dataclass
from datetime import UTC, datetime
from typing import Any

import pytest
from litestar.testing import TestClient

from mosaiclife_plugin_sdk import SERVICE, UserContext, find_manifest, load_manifest
from mosaiclife_plugin_sdk.frame import read_settings
from plugin_analytics.app import create_app
from plugin_analytics.model.dimensions import DIMENSIONS, VALUES
from plugin_analytics.settings import Settings
from tests.integration.test_backend_app import TOKEN, House, environment
from tests.support.events import event, media, reaction, reader_headers, response, story
from tests.support.processes import eventually
from tools.workspace import ROOT

PAGE = ROOT / "docs/reports.md"
NOW = datetime(2026, 12, 1, 12, tzinfo=UTC)
KEEPER = UserContext(sub="ada", legacies={"rosa": "creator"})
EXAMPLE = re.compile(
    r"^```http\n(?P<method>\S+) (?P<path>\S+)\n(?P<body>.*?)```\n```json\n(?P<answer>.*?)```",
    re.MULTILINE | re.DOTALL,
)


@dataclass(frozen=True)
class Example:
    """One request of the page, with the answer that stands below it."""

    method: str
    path: str
    body: str
    answer: str


def examples() -> list[Example]:
    text = PAGE.read_text(encoding="utf-8")
    return [Example(**found.groupdict()) for found in EXAMPLE.finditer(text)]


def day(text: str) -> str:
    return f"{text}T12:00:00Z"


@pytest.fixture(scope="module")
def house(tmp_path_factory: pytest.TempPathFactory) -> Iterator[House]:
    """Return a plugin on the first of December 2026, with what the page tells of."""
    environ = environment(tmp_path_factory.mktemp("page"))
    manifest = load_manifest(find_manifest(environ))
    app = create_app(read_settings(Settings, manifest, environ), manifest, clock=lambda: NOW)
    life = {"birth_date": "1941-11-05", "death_date": "2026-09-15"}
    known = {"birth_date_precision": "day", "death_date_precision": "day"}
    with TestClient(app, base_url="http://plugin.test") as client:
        house = House(client)
        house.deliver(
            [
                event(
                    "legacy.created", {"legacy_id": "rosa", **life, **known}, at=day("2026-09-10")
                ),
                story("s1", "rosa", origin="manual", by="user:ben", at=day("2026-09-20")),
                story("s2", "rosa", origin="prompt", at=day("2026-10-02")),
                story("s3", "rosa", origin="prompt", at=day("2026-11-14")),
                response("r1", "rosa", by="user:ben", at=day("2026-11-15")),
                media("m1", "rosa", at=day("2026-11-20")),
                reaction("s3", "rosa", "candle", by="user:cy", at=day("2026-11-16")),
                reaction("s3", "rosa", "heart", by="user:cy", at=day("2026-11-16")),
                story("s4", "rosa", visibility="odd", at=day("2026-11-30")),
                event("weather.changed", {}, at=day("2026-11-30")),
            ],
            timestamp=int(NOW.timestamp()),
        )
        eventually(lambda: not dirty(house), what="counting")
        yield house


def dirty(house: House) -> int:
    answer = ask(house, Example("GET", "/v1/data/quality", "", ""))
    return int(answer["data"]["dirtyDays"])


def ask(house: House, example: Example) -> Any:
    """Return the answer without what is another each time."""
    viewer = SERVICE if "quality" in example.path else KEEPER
    answer = house.client.request(
        example.method,
        example.path,
        content=example.body or None,
        headers={
            **reader_headers(TOKEN, viewer),
            **({"Content-Type": "application/json"} if example.body else {}),
        },
    )
    assert answer.status_code == 200, answer.text
    return settled(answer.json())


def settled(body: Any) -> Any:
    """Leave out the id and the moment of a call, and what is left of a cursor is a cursor."""
    if isinstance(body, list):
        return [settled(each) for each in body]
    if not isinstance(body, dict):
        return body
    kept = {name: each for name, each in body.items() if name not in {"requestId", "timestamp"}}
    if kept.get("nextCursor"):
        kept["nextCursor"] = "…"
    return {name: settled(each) for name, each in kept.items() if name != "meta" or each != {}}


@pytest.mark.parametrize("example", examples(), ids=lambda example: example.path)
def test_the_answer_is_the_one_on_the_page(house: House, example: Example) -> None:
    """What a reader sees is what a caller gets."""
    assert ask(house, example) == json.loads(example.answer)


def test_every_report_has_an_example() -> None:
    """None of the routes is without one."""
    paths = {example.path.partition("?")[0] for example in examples()}

    assert paths >= {f"/v1/data/{name}" for name in ("overview", "timeseries", "breakdown")}
    assert paths >= {"/v1/data/quality", "/v1/data/query", "/v1/settings"}


def test_the_page_lists_the_dimensions() -> None:
    """The table has every dimension with its metric and its values, and no other."""
    rows = re.findall(r"^\| `(\w+)` \| `(\w+)` \| (.+) \|$", PAGE.read_text("utf-8"), re.MULTILINE)
    listed = {name: (metric, tuple(re.findall(r"`(\w+)`", words))) for name, metric, words in rows}

    assert listed == {
        dimension: (metric, VALUES[dimension])
        for metric, dimensions in DIMENSIONS.items()
        for dimension in dimensions
    }
