"""The kit's own reader of metrics: what is well formed passes, every known fault does not."""

import pytest

from mosaiclife_plugin_contract.exposition import ExpositionFault, parse

GOOD = """\
# HELP a_total Requests, in "quotes" and with a \\ in it.
# TYPE a_total counter
a_total{path="/x,y}",note="a \\"quote\\" and a \\\\"} 3
a_total{path="/z"} 1e3 1700000000000
# a plain comment
# TYPE h histogram
h_bucket{le="0.5"} 1
h_bucket{le="+Inf"} 2
h_sum 0.75
h_count 2
untyped_value NaN
"""


def test_a_good_scrape_is_read() -> None:
    """Samples come with their labels and values, and can be added up."""
    scrape = parse(GOOD)

    assert scrape.types == {"a_total": "counter", "h": "histogram"}
    assert scrape.total("a_total") == 1003
    assert scrape.total("a_total", path="/z") == 1000
    assert len(scrape.of("h_bucket")) == 2


def test_openmetrics_is_read() -> None:
    """The family of a counter lacks its suffix there, and the last line is the end."""
    scrape = parse('# TYPE a counter\n# UNIT a seconds\na_total 1 # {trace="1"} 1\n# EOF\n')

    assert scrape.total("a_total") == 1


@pytest.mark.parametrize(
    ("text", "fault"),
    [
        ("a 1", "does not end"),
        ("a one\n", "no number"),
        ("1a 1\n", "no sample"),
        ("<html>\n", "no sample"),
        ('a{b="c} 1\n', "labels"),
        ("a{b=c} 1\n", "labels"),
        ("# TYPE a count\na 1\n", "no such type"),
        ("# TYPE a gauge\n# TYPE a gauge\na 1\n", "two types"),
        ('a{b="1",c="2"} 1\na{c="2",b="1"} 1\n', "twice"),
        ('a 1\nb 1\na{c="1"} 1\n', "torn"),
        ('# TYPE h histogram\nh_bucket{le="1"} 1\nh_count 1\n', r"\+Inf"),
        ('# TYPE h histogram\nh_bucket{le="1"} 2\nh_bucket{le="+Inf"} 1\nh_count 1\n', "below"),
        ('# TYPE h histogram\nh_bucket{le="+Inf"} 1\nh_count 2\n', "other than"),
        ("# TYPE h histogram\nh_bucket 1\n", "no number"),
    ],
)
def test_a_fault_is_found(text: str, fault: str) -> None:
    """Each way to be wrong is named."""
    with pytest.raises(ExpositionFault, match=fault):
        parse(text)
