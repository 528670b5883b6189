"""A job that fails again and again: it is tried again, and the log is not filled with it."""

import threading

import pytest

from persona_server.process.jobs import Job, JobRunner
from support.waiting import eventually

OFTEN = 0.001  # seconds


class Failing:
    """What a job runs: it fails with what stands in `reasons` next, where there is something."""

    def __init__(self, *reasons: str) -> None:
        self._reasons = iter(reasons)
        self.is_over = threading.Event()

    def run(self) -> None:
        """Fail or not. Raises OSError."""
        reason = next(self._reasons, None)
        if reason is None:
            self.is_over.set()
        elif reason:
            raise OSError(reason)


def logged(job: Failing, caplog: pytest.LogCaptureFixture) -> tuple[list[str], int]:
    """Run a job until it is over; return the reasons that were logged, and how many were told."""
    told: list[Exception] = []
    runner = JobRunner(Job("job", OFTEN, job.run), told.append)
    runner.start()
    eventually(job.is_over.is_set)
    runner.stop(10)
    lines = [line for line in caplog.records if line.getMessage() == "job failed"]
    return [str(line.exc_info[1]) for line in lines if line.exc_info], len(told)


def test_what_goes_on_failing_is_logged_once(caplog: pytest.LogCaptureFixture) -> None:
    assert logged(Failing("out", "out", "out"), caplog) == (["out"], 3)


def test_another_reason_and_a_failure_after_a_success_are_logged(
    caplog: pytest.LogCaptureFixture,
) -> None:
    reasons, told = logged(Failing("out", "full", "full", "", "full"), caplog)
    assert (reasons, told) == (["out", "full", "full"], 4)
