"""The five states, as the plugin itself sees them (spec §16)."""

import pytest

from mosaiclife_plugin_sdk.frame.lifecycle import Lifecycle, State


class Hand:
    """A clock that the test sets."""

    now = 0.0

    def __call__(self) -> float:
        return self.now


def test_the_way_from_installed_to_ready() -> None:
    """Installed until tried, Registering until accepted, Ready when the checks agree."""
    life = Lifecycle()
    seen = [life.state]
    life.first_try()
    seen.append(life.state)
    life.accepted("2.1.0")
    seen.append(life.state)
    life.readiness(True)
    seen.append(life.state)

    assert seen == [State.INSTALLED, State.REGISTERING, State.DEGRADED, State.READY]


def test_failing_check_degrades_and_heals() -> None:
    """A red check is Degraded, not unregistered."""
    life = Lifecycle()
    life.accepted("2.1.0")
    life.readiness(True)
    life.readiness(False)
    assert str(life.state) == "Degraded"
    life.readiness(True)
    assert str(life.state) == "Ready"


def test_minute_of_silence_degrades() -> None:
    """Core that has not answered for a minute makes the plugin Degraded, an answer heals it."""
    clock = Hand()
    life = Lifecycle(monotonic=clock)
    life.accepted("2.1.0")
    life.readiness(True)

    clock.now = 59.9
    life.core_failed("refused")
    assert str(life.state) == "Ready"
    clock.now = 60.0
    assert str(life.state) == "Degraded"
    life.accepted("2.1.0")
    assert str(life.state) == "Ready"


def test_disabled_stays_disabled_until_core_accepts_again() -> None:
    """Neither a new try nor an outage turns a disabled plugin into another state."""
    life = Lifecycle()
    life.disabled("switched off")
    life.first_try()
    life.core_failed("away")
    assert str(life.state) == "Disabled"

    life.accepted("2.1.0")
    assert str(life.state) == "Degraded"


def test_refused_plugin_says_why() -> None:
    """A refusal is Registering with the reason for people."""
    life = Lifecycle()
    life.trying("409 PLUGIN_INCOMPATIBLE: too old")

    assert life.outlook()["state"] == "Registering"
    assert "too old" in life.outlook()["reason"]


def test_static_configuration_needs_no_registration() -> None:
    """With SELF_REGISTER=false readiness alone decides."""
    life = Lifecycle(self_register=False)
    assert str(life.state) == "Degraded"
    life.readiness(True)
    assert str(life.state) == "Ready"


def test_a_new_reason_is_told_once(capsys: pytest.CaptureFixture[str]) -> None:
    """The log says why, also when the state stays, and does not say it at each try."""
    life = Lifecycle()
    for reason in ("", "core is away", "core is away", "core is starting"):
        life.trying(reason)
    said = capsys.readouterr().out

    assert said.count("core is away") == said.count("core is starting") == 1
    assert said.count("state changed") == 1
