"""Read the text format of Prometheus, strictly: every line is understood or is a fault."""

import math
import re
from collections.abc import Iterator, Mapping
from dataclasses import dataclass, field

_NAME = r"[a-zA-Z_:][a-zA-Z0-9_:]*"
_COMMENT = re.compile(rf"# (?P<kind>HELP|TYPE|UNIT) (?P<name>{_NAME})(?: (?P<rest>.*))?")
_SAMPLE = re.compile(
    rf"(?P<name>{_NAME})(?:\{{(?P<labels>.*)\}})?[ \t]+(?P<value>\S+)(?:[ \t]+-?[0-9.]+)?"
    r"(?: # \{.*\} .*)?"
)
_LABEL = re.compile(r'\s*(?P<name>[a-zA-Z_][a-zA-Z0-9_]*)="(?P<value>(?:[^"\\]|\\.)*)"\s*(?:,|$)')
_TYPES = {"counter", "gauge", "histogram", "summary", "untyped", "unknown", "info", "stateset"}
_SUFFIXES = ("_bucket", "_count", "_sum", "_total", "_created", "_info")


class ExpositionFault(ValueError):
    """A line that is not of the format."""


@dataclass(frozen=True)
class Sample:
    """One number of one series."""

    name: str
    labels: Mapping[str, str]
    value: float

    @property
    def series(self) -> tuple[str, tuple[tuple[str, str], ...]]:
        """Return what tells one series from another."""
        return self.name, tuple(sorted(self.labels.items()))


@dataclass
class Scrape:
    """Every family and sample of one answer."""

    types: dict[str, str] = field(default_factory=dict)
    samples: list[Sample] = field(default_factory=list)

    def of(self, name: str, /, **labels: str) -> list[Sample]:
        """Return the samples of this name that carry these labels."""
        return [
            sample
            for sample in self.samples
            if sample.name == name and labels.items() <= sample.labels.items()
        ]

    def total(self, name: str, /, **labels: str) -> float:
        """Return the sum over these samples."""
        return sum(sample.value for sample in self.of(name, **labels))


def parse(text: str) -> Scrape:
    """Read a scrape, or raise `ExpositionFault` at the first line that is wrong."""
    if not text.endswith("\n"):
        raise ExpositionFault("the last line does not end")
    scrape = Scrape()
    closed: set[str] = set()
    present = ""
    for number, line in enumerate(text.removesuffix("# EOF\n").splitlines(), 1):
        if line.strip():
            family = _take(scrape, line, number)
            if family and family != present:
                if family in closed:
                    raise ExpositionFault(f"line {number}: family {family} is torn apart")
                closed.add(present)
                present = family
    _judge(scrape)
    return scrape


def _take(scrape: Scrape, line: str, number: int) -> str:
    """Add a line to *scrape*; return its family, or nothing for a plain comment."""
    if line.startswith("#"):
        return _comment(scrape, line, number)
    match = _SAMPLE.fullmatch(line)
    if match is None:
        raise ExpositionFault(f"line {number} is no sample: {line[:80]!r}")
    labels = dict(_labels(match["labels"] or "", number))
    scrape.samples.append(Sample(match["name"], labels, _number(match["value"], number)))
    return family_of(scrape, match["name"])


def _comment(scrape: Scrape, line: str, number: int) -> str:
    match = _COMMENT.fullmatch(line)
    if match is None:
        return ""
    if match["kind"] == "TYPE":
        if match["rest"] not in _TYPES:
            raise ExpositionFault(f"line {number}: no such type: {match['rest']}")
        if match["name"] in scrape.types:
            raise ExpositionFault(f"line {number}: {match['name']} has two types")
        scrape.types[match["name"]] = match["rest"]
    return match["name"]


def family_of(scrape: Scrape, name: str) -> str:
    """Return the family that a sample's name belongs to."""
    for suffix in _SUFFIXES:
        if name not in scrape.types and name.endswith(suffix):
            stem = name.removesuffix(suffix)
            if stem in scrape.types:
                return stem
    return name


def _labels(text: str, number: int) -> Iterator[tuple[str, str]]:
    at = 0
    while at < len(text):
        match = _LABEL.match(text, at)
        if match is None:
            raise ExpositionFault(f"line {number}: labels cannot be read: {text[at:][:80]!r}")
        yield match["name"], match["value"]
        at = match.end()


def _number(text: str, number: int) -> float:
    try:
        return float(text)
    except ValueError:
        raise ExpositionFault(f"line {number}: no number: {text[:40]!r}") from None


def _judge(scrape: Scrape) -> None:
    """Refuse what single lines cannot show: series that stand twice, crooked histograms."""
    seen = set()
    for sample in scrape.samples:
        if sample.series in seen:
            raise ExpositionFault(f"the series {sample.series} stands twice")
        seen.add(sample.series)
    for name, kind in scrape.types.items():
        if kind == "histogram":
            _judge_histogram(scrape, name)


def _judge_histogram(scrape: Scrape, name: str) -> None:
    rows: dict[tuple[tuple[str, str], ...], list[tuple[float, float]]] = {}
    for sample in scrape.of(f"{name}_bucket"):
        rest = {key: value for key, value in sample.labels.items() if key != "le"}
        bound = _number(sample.labels.get("le", "none"), 0)
        rows.setdefault(tuple(sorted(rest.items())), []).append((bound, sample.value))
    for labels, buckets in rows.items():
        counts = [count for _, count in sorted(buckets)]
        if not any(math.isinf(bound) for bound, _ in buckets):
            raise ExpositionFault(f"{name}{dict(labels)} has no bucket +Inf")
        if counts != sorted(counts):
            raise ExpositionFault(f"{name}{dict(labels)} has a bucket below the one before")
        if counts[-1] != scrape.total(f"{name}_count", **dict(labels)):
            raise ExpositionFault(f"{name}{dict(labels)} counts other than its bucket +Inf")
