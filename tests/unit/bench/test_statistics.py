"""A benchmark is worth what its arithmetic is worth."""

import pytest
from hypothesis import given
from hypothesis import strategies as st

from bench.statistics import median, percentile, rate, rounded

VALUES = st.lists(st.floats(0, 1e6), min_size=1, max_size=200)


@given(VALUES, st.floats(0.01, 1.0))
def test_a_percentile_is_the_least_value_that_covers_its_share(
    values: list[float], share: float
) -> None:
    """It was measured, enough values do not exceed it, and a smaller one would not do."""
    found = percentile(values, share)

    assert found in values
    assert sum(value <= found for value in values) >= share * len(values)
    assert sum(value < found for value in values) < share * len(values)


@pytest.mark.parametrize("share", [0.0, -0.1, 1.1])
def test_a_share_that_is_none_is_refused(share: float) -> None:
    """A typing error does not become a figure."""
    with pytest.raises(ValueError, match="share"):
        percentile([1.0], share)


@pytest.mark.parametrize("of", [median, lambda values: percentile(values, 0.5)])
def test_of_nothing_there_is_no_middle(of: object) -> None:
    """A window without answers is an error, not a zero."""
    assert callable(of)
    with pytest.raises(ValueError, match="no values"):
        of([])


@given(VALUES)
def test_the_median_parts_the_values(values: list[float]) -> None:
    """As many lie above as below."""
    found = median(values)

    assert sum(value < found for value in values) <= len(values) / 2
    assert sum(value > found for value in values) <= len(values) / 2


def test_a_rate_weighs_windows_by_their_time() -> None:
    """A short fast window does not count as much as a long slow one."""
    assert rate([(100, 1.0), (100, 9.0)]) == 20.0
    assert rate([]) == 0.0


@pytest.mark.parametrize(
    ("value", "kept"),
    [(0.0, 0.0), (0.012345, 0.0123), (1.23456, 1.23), (98.76, 98.8), (12345, 12345)],
)
def test_three_digits_are_kept(value: float, kept: float) -> None:
    """More would be noise; whole numbers stay whole."""
    assert rounded(value) == kept
