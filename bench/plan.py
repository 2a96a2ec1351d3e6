"""Say how much is measured: the sizes, the seconds, the repetitions."""

from dataclasses import dataclass, replace


@dataclass(frozen=True)
class Plan:
    """One way to run the whole bench. Times are in seconds."""

    name: str = "standard"
    takes: str = "ten minutes"  # at most, on two processors
    sizes: tuple[int, ...] = (60_000, 300_000, 1_000_000, 2_000_000)
    steady_at: int = 1_000_000  # how many rows are in when ingest is measured
    rounds: int = 4  # of plugin and bare store in turns
    batch_seconds: float = 60.0
    bare_seconds: float = 20.0
    ordered_rounds: int = 2
    ordered_seconds: float = 20.0
    ordered_bare_seconds: float = 5.0  # no bar asks for their ratio, and judging them takes longer
    single_seconds: float = 8.0
    control_seconds: float = 16.0  # some 160 calls of each endpoint: a percentile of fewer is luck
    refresh_seconds: float = 12.0
    settle_seconds: float = 300.0  # to wait until all is counted, before what comes next
    erasure_seconds: float = 60.0
    connections: int = 8
    single_connections: int = 32
    calls: int = 30
    starts: int = 3

    @property
    def largest(self) -> int:
        """Return the size at which the bars of the reports hold."""
        return self.sizes[-1]


STANDARD = Plan()
FULL = replace(
    STANDARD,
    name="full",
    takes="half an hour",
    sizes=(60_000, 300_000, 1_000_000, 2_000_000, 5_000_000, 9_000_000),
    settle_seconds=1_800.0,
    erasure_seconds=300.0,
)
QUICK = Plan(
    name="quick",
    takes="a minute",
    sizes=(20_000, 60_000),
    steady_at=20_000,
    rounds=2,
    batch_seconds=4.0,
    bare_seconds=2.0,
    ordered_rounds=1,
    ordered_seconds=2.0,
    ordered_bare_seconds=1.0,
    single_seconds=2.0,
    control_seconds=2.0,
    refresh_seconds=4.0,
    settle_seconds=20.0,
    erasure_seconds=20.0,
    calls=10,
    starts=1,
)
PLANS = {plan.name: plan for plan in (STANDARD, FULL, QUICK)}
