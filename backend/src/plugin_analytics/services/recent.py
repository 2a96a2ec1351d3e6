"""Keep the latest reports for as long as nothing has been written."""

from collections import OrderedDict
from collections.abc import Callable, Hashable
from threading import Lock

from plugin_analytics.model.reports import Timeseries
from plugin_analytics.services.pages import Report

KEPT_BARS = 10_000  # a few MiB
_LEAST_BARS = 20  # what a report weighs without any


class Recent:
    """The reports of one state of the store; those that nobody asks for again go first.

    People look at the same panel all day, while the counts stand still for minutes or hours.
    """

    def __init__(self, room: int = KEPT_BARS) -> None:
        """Keep reports of *room* bars in all."""
        self._room = room
        self._lock = Lock()
        self._moment = -1
        self._kept: OrderedDict[Hashable, Report] = OrderedDict()
        self._bars = 0

    def __call__(self, moment: int | None, asked: Hashable, make: Callable[[], Report]) -> Report:
        """Return what answers *asked* at *moment*; None is a moment that has no number."""
        if moment is None:
            return make()
        report = self._find(moment, asked)
        if report is None:
            report = make()
            self._keep(moment, asked, report)
        return report

    def _find(self, moment: int, asked: Hashable) -> Report | None:
        with self._lock:
            if moment > self._moment:
                self._moment, self._bars = moment, 0
                self._kept.clear()
            # Whoever still reads an older state finds nothing here.
            if moment < self._moment or asked not in self._kept:
                return None
            self._kept.move_to_end(asked)
            return self._kept[asked]

    def _keep(self, moment: int, asked: Hashable, report: Report) -> None:
        with self._lock:
            if moment != self._moment or asked in self._kept:
                return
            self._kept[asked] = report
            self._bars += _weight(report)
            while self._bars > self._room:
                self._bars -= _weight(self._kept.popitem(last=False)[1])


def _weight(report: Report) -> int:
    bars = len(report.data.buckets) if isinstance(report.data, Timeseries) else 0
    return _LEAST_BARS + bars
