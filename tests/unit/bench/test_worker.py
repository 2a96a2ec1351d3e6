"""A part of the bench that runs in a process of its own says what becomes of it."""

import sys

import pytest

from bench.worker import Worker, WorkerFailed, serve, tell


def answer(number: int) -> int:
    """Return the double, after a word on the way."""
    tell(f"half of {number * 2}")
    return number * 2


def refuse() -> None:
    """Fail as a command may."""
    raise RuntimeError("no")


def end() -> None:
    """End the process in the middle of a command."""
    sys.exit(3)


@pytest.fixture
def worker() -> object:
    """Return a process that runs the commands of this very file."""
    made = Worker("tests.unit.bench.test_worker")
    yield made
    made.close()


def test_a_command_is_answered_and_tells_on_the_way(worker: Worker) -> None:
    """Several follow each other over the same pipe."""
    told: list[str] = []

    assert worker.call("answer", told=told.append, number=4) == 8
    assert worker.call("answer", number=5) == 10
    assert told == ["half of 8"]


def test_an_error_reaches_the_one_who_asked(worker: Worker) -> None:
    """With its words; the process lives on."""
    with pytest.raises(WorkerFailed, match="test_worker refuse: RuntimeError: no"):
        worker.call("refuse")

    assert worker.call("answer", number=1) == 2


def test_a_process_that_ends_is_no_answer(worker: Worker) -> None:
    """Nobody waits for it."""
    with pytest.raises(WorkerFailed, match="the process ended"):
        worker.call("end")


if __name__ == "__main__":
    serve({"answer": answer, "refuse": refuse, "end": end})
