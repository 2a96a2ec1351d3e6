"""The dashboard: one that Grafana's sidecar finds, and that is tied to no installation."""

import itertools
import json
from collections.abc import Iterator
from typing import Any

from tests.support.chart import MATRIX, Object, name_of, render
from tests.support.promql import selectors
from tools.chart import CHART

LARGEST = 1 << 20  # what a ConfigMap may hold
WIDTH = 24
SOURCE: Object = json.loads((CHART / "files/dashboard.json").read_text("utf-8"))


def installed() -> Object:
    """Return the ConfigMap with the dashboard."""
    rendered = render(MATRIX["everything"])
    own = name_of(rendered.one("Deployment"))
    (found,) = [one for one in rendered.of_kind("ConfigMap") if name_of(one) != own]
    return found


def panels() -> Iterator[dict[str, Any]]:
    yield from (panel for panel in SOURCE["panels"] if panel["type"] != "row")


def cells(panel: dict[str, Any]) -> set[tuple[int, int]]:
    at = panel["gridPos"]
    columns = range(at["x"], at["x"] + at["w"])
    return set(itertools.product(columns, range(at["y"], at["y"] + at["h"])))


def test_the_sidecar_finds_it() -> None:
    """It carries the label that Grafana's sidecar looks for, and the folder that was asked for."""
    about = installed()["metadata"]

    assert about["labels"]["grafana_dashboard"] == "1"
    assert about["annotations"] == {"grafana_folder": "Mosaic Life"}
    assert name_of(installed()).endswith("-dashboard")


def test_nobody_gets_it_unasked() -> None:
    """Without Grafana it would be an object that nobody reads."""
    assert [name_of(one) for one in render().of_kind("ConfigMap")] == [
        name_of(render().one("Deployment"))
    ]


def test_it_is_one_dashboard_a_plugin() -> None:
    """The file is Grafana's JSON, under an id that is the same after each upgrade."""
    ((file, text),) = installed()["data"].items()
    chart = render().one("Deployment")["metadata"]["labels"]["app.kubernetes.io/name"]
    shown = json.loads(text)

    assert file == f"{chart}.json"
    assert len(text.encode()) < LARGEST
    assert (shown["uid"], shown["title"]) == (chart, chart)
    assert {**shown, "uid": "", "title": ""} == {**SOURCE, "uid": "", "title": ""}


def test_it_knows_no_installation() -> None:
    """Source, namespace and release are chosen on the page; every query keeps to them."""
    variables = {one["name"]: one for one in SOURCE["templating"]["list"]}

    assert list(variables) == ["datasource", "namespace", "job"]
    assert variables["datasource"]["type"] == "datasource"
    for panel in panels():
        assert panel["datasource"]["uid"] == "${datasource}"
        for target in panel["targets"]:
            assert target["datasource"]["uid"] == "${datasource}"
            for one in selectors(target["expr"]):
                chosen = {(matcher.name, matcher.value) for matcher in one.matchers}
                assert {("job", "plugin"), ("namespace", "plugins")} <= chosen


def test_every_panel_can_be_read() -> None:
    """Each has a title of its own, a unit and a legend, and lies on no other."""
    shown = list(panels())
    places = [cell for panel in SOURCE["panels"] for cell in cells(panel)]

    assert len({panel["title"] for panel in shown}) == len(shown) >= 20
    assert len({panel["id"] for panel in SOURCE["panels"]}) == len(SOURCE["panels"])
    assert all(panel["fieldConfig"]["defaults"]["unit"] for panel in shown)
    assert all(target["legendFormat"] for panel in shown for target in panel["targets"])
    assert len(places) == len(set(places))
    assert max(x for x, _ in places) < WIDTH
