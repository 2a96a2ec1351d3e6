"""Hold queries against what a process really shows: names of metrics, their labels, their values."""

import re
from collections.abc import Iterator, Mapping, Sequence
from dataclasses import dataclass

import promql_parser as promql
from prometheus_client.parser import text_string_to_metric_families

# What Prometheus puts on every series of a target; of two labels with one name its own wins.
TARGET: Mapping[str, str] = {
    "job": "plugin",
    "namespace": "plugins",
    "instance": "10.0.0.7:7001",
    "pod": "plugin-0",
    "service": "plugin",
}
# Their values come with the trouble that a query looks for, so a healthy process shows none.
OF_TROUBLE = frozenset({"status", "outcome", "kind"})
# The variables of a dashboard, as a person would have chosen them.
CHOSEN = {"$__rate_interval": "5m", "$job": TARGET["job"], "$namespace": TARGET["namespace"]}
_PLACEHOLDER = re.compile(r"\{\{ *(?:\$labels\.)?([a-z_]+) *\}\}")


@dataclass(frozen=True)
class Series:
    """One line of `/metrics`, with the labels under which Prometheus keeps it."""

    name: str
    labels: Mapping[str, str]


@dataclass(frozen=True)
class Selector:
    """What a query takes: a metric, narrowed by labels, and the labels that are kept of it."""

    name: str
    matchers: tuple[promql.Matcher, ...]
    grouped: frozenset[str]

    def admits(self, series: Series) -> bool:
        """Tell whether the metric and every value that must be there fit."""
        return series.name == self.name and all(
            _fits(matcher, series.labels.get(matcher.name, "")) for matcher in self.matchers
        )


def scraped(text: str) -> list[Series]:
    """Read the text format as Prometheus would, and add the labels of the target."""
    families = text_string_to_metric_families(text)
    return [
        Series(sample.name, _as_kept(sample.labels))
        for family in families
        for sample in family.samples
    ]


def recorded(name: str) -> Series:
    """Return the series of a recording rule, which keeps the labels that name the release."""
    return Series(name, {"job": TARGET["job"], "namespace": TARGET["namespace"]})


def selectors(query: str) -> list[Selector]:
    """Return every selector of *query*, in any of its branches."""
    for variable, value in CHOSEN.items():
        query = query.replace(variable, value)
    return list(_below(promql.parse(query), frozenset()))


def faults(query: str, series: Sequence[Series]) -> list[str]:
    """Return what *query* asks for that is not among *series*."""
    return [fault for one in selectors(query) for fault in _faults(one, series)]


def labels_of(query: str, series: Sequence[Series]) -> frozenset[str]:
    """Return the labels that some part of the answer to *query* has."""
    found: set[str] = set()
    for one in selectors(query):
        of_metric = (label for each in series if each.name == one.name for label in each.labels)
        found |= one.grouped or set(of_metric)
    return frozenset(found)


def placeholders(text: str) -> set[str]:
    """Return the labels that a legend or an annotation writes out."""
    return set(_PLACEHOLDER.findall(text))


def _as_kept(own: Mapping[str, str]) -> dict[str, str]:
    moved = {f"exported_{name}" if name in TARGET else name: own[name] for name in own}
    return {**TARGET, **moved}


def _below(node: object, grouped: frozenset[str]) -> Iterator[Selector]:
    """Yield the selectors below a node; what is summed up keeps the labels it is summed up by."""
    match node:
        case promql.VectorSelector():
            yield Selector(str(node.name), tuple(node.matchers.matchers), grouped)
        case promql.MatrixSelector():
            yield from _below(node.vector_selector, grouped)
        case promql.AggregateExpr():
            kept = node.modifier.labels if node.modifier else ()
            yield from _below(node.expr, grouped | frozenset(kept))
        case promql.BinaryExpr():
            yield from _below(node.lhs, grouped)
            yield from _below(node.rhs, grouped)
        case promql.Call():
            for argument in node.args:
                yield from _below(argument, grouped)
        case promql.ParenExpr() | promql.UnaryExpr() | promql.SubqueryExpr():
            yield from _below(node.expr, grouped)


def _faults(selector: Selector, series: Sequence[Series]) -> Iterator[str]:
    own = [one for one in series if one.name == selector.name]
    if not own:
        yield f"no metric {selector.name}"
        return
    known = frozenset(own[0].labels).union(*(one.labels for one in own))
    asked = {matcher.name for matcher in selector.matchers} | selector.grouped
    yield from (f"{selector.name} has no label {name}" for name in sorted(asked - known))
    if asked <= known and not any(selector.admits(one) for one in own):
        wanted = ",".join(map(str, selector.matchers))
        yield f"{selector.name} has no series with {wanted}"


def _fits(matcher: promql.Matcher, value: str) -> bool:
    """Tell whether a value is the one asked for; what must not be there is never missing."""
    if matcher.name in OF_TROUBLE:
        return True
    match matcher.op:
        case promql.MatchOp.Equal:
            return bool(matcher.value == value)
        case promql.MatchOp.Re:
            return re.fullmatch(matcher.value, value) is not None
        case _:
            return True
