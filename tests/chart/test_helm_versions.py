"""The chart means the same to both Helms: the newest, and the last of the line before (R37)."""

import copy
import json
import shutil
import subprocess
from collections.abc import Iterator, Sequence
from pathlib import Path
from typing import Any

import pytest

from tests.chart.test_chart_refusals import MISSHAPEN, REFUSED
from tests.support.chart import MATRIX, MONITOR, NAMESPACE, RELEASE, Rendered, Values
from tools import chart, programs
from tools.chart import CHART
from tools.programs import HELM, HELM_3

BOTH = (HELM, HELM_3)
MAJORS = {HELM: "v4.", HELM_3: "v3."}
CLUSTERS = tuple(f"1.{minor}" for minor in range(30, 38))
pytestmark = [
    pytest.mark.slow,
    pytest.mark.timeout(300),
    pytest.mark.skipif(bool(programs.lacks_helm_3()), reason=programs.lacks_helm_3()),
]


def asked(
    lock: str,
    values: Values,
    *,
    folder: Path = CHART,
    cluster: str = CLUSTERS[-1],
    knows: Sequence[str] = (),
) -> Rendered:
    """Render with one of the two."""
    command = [str(programs.helm(lock)), "template", RELEASE, str(folder)]
    command += ["--namespace", NAMESPACE, "--kube-version", cluster, "--values", "-"]
    command += [word for kind in knows for word in ("--api-versions", kind)]
    text = json.dumps(values)
    done = subprocess.run(command, input=text, capture_output=True, text=True, check=False)
    return Rendered(done.stdout, done.stderr if done.returncode else "")


def both(values: Values, **more: Any) -> list[Rendered]:
    return [asked(lock, values, **more) for lock in BOTH]


@pytest.mark.parametrize("lock", BOTH)
def test_each_is_the_one_it_is_called(lock: str) -> None:
    """Otherwise the rest would compare one program with itself."""
    command = [str(programs.helm(lock)), "version", "--short"]
    told = subprocess.run(command, capture_output=True, text=True, check=True)

    assert told.stdout.startswith(MAJORS[lock])


@pytest.mark.parametrize("cluster", [CLUSTERS[0], CLUSTERS[-1]])
@pytest.mark.parametrize("name", MATRIX)
def test_both_render_the_same(name: str, cluster: str) -> None:
    """Object by object, field by field, whatever the layout of the text."""
    newest, before = both(MATRIX[name], cluster=cluster)

    assert newest.objects == before.objects


@pytest.mark.parametrize("cluster", CLUSTERS)
def test_each_cluster_gets_the_same(cluster: str) -> None:
    """From the oldest that is supported to the newest nothing depends on its version."""
    found = both(MATRIX["everything"], cluster=cluster, knows=(MONITOR,))

    newest = asked(HELM, MATRIX["everything"], knows=(MONITOR,))
    assert [one.objects for one in found] == [newest.objects] * len(BOTH)


@pytest.mark.parametrize("lock", BOTH)
def test_each_lints_the_chart(lock: str) -> None:
    """Strictly, with the defaults and with every set of values that the chart brings."""
    chart.lint(programs.helm(lock))


@pytest.mark.parametrize("name", REFUSED)
def test_both_refuse_with_the_same_words(name: str) -> None:
    """Who reads the sentence need not know which Helm wrote it."""
    values, remedy = REFUSED[name]

    assert [remedy in one.refusal for one in both(values)] == [True, True]


@pytest.mark.parametrize("name", MISSHAPEN)
def test_both_hold_values_against_the_schema(name: str) -> None:
    """Keywords that one of the two would pass over are not in it."""
    assert ["schema" in one.refusal for one in both(MISSHAPEN[name])] == [True, True]


def places(rules: dict[str, Any], path: tuple[str, ...] = ()) -> Iterator[tuple[str, ...]]:
    """Yield the path of each object whose properties are declared."""
    if "properties" in rules:
        yield path
        for name, below in rules["properties"].items():
            yield from places(below, (*path, name))


@pytest.mark.parametrize("path", list(places(chart.schema())), ids="/".join)
def test_both_refuse_an_unknown_key(path: tuple[str, ...]) -> None:
    """At every level a typing error is named, and not passed over (R1)."""
    values = copy.deepcopy(chart.values())
    place = values
    for name in path:
        place = place.setdefault(name, {})
    place["unknownKey"] = 1

    assert ["unknownKey" in one.refusal for one in both(values)] == [True, True]


def test_both_take_the_chart_as_a_part_of_another(tmp_path: Path) -> None:
    """A parent passes `global`, which the schema must let through."""
    shutil.copytree(CHART, tmp_path / "charts/plugin")
    parent = {"apiVersion": "v2", "name": "family", "version": "1.0.0"}
    (tmp_path / "Chart.yaml").write_text(json.dumps(parent))

    newest, before = both({"global": {"region": "eu"}}, folder=tmp_path)

    assert newest.objects == before.objects
    assert newest.one("Deployment")
