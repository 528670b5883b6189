"""How a call passes through its steps. Which steps, and in which order, is said in steps.py."""

from collections.abc import Callable, Generator
from contextlib import closing
from typing import Any, NamedTuple

from persona_server import patience
from persona_server.again import again_until_kept
from persona_server.errors import DisturbedError
from persona_server.services.call import Call
from persona_server.transport.rpc import ClientGone, Rpc


class Step(NamedTuple):
    """One step of the pipeline: its name, and what it does at the moments of a call.

    A step that comes earlier stands further outside: what it does at the start is done earlier,
    what it does at the end later. All but `failed` and `leave` may raise, to refuse a call.
    """

    name: str
    # When the call's headers have come, before a thread is taken: it must not wait for anything.
    admit: Callable[[Rpc], None] | None = None
    # Before anything of the call's messages is looked at.
    enter: Callable[[Rpc], None] | None = None
    # For each message: takes what the step before made of it, first the bytes, and returns more.
    message: Callable[[Rpc, Any], Any] | None = None
    # After each answer of the service, before it is sent.
    answered: Callable[[Rpc], None] | None = None
    # When something has raised: sets the call's refusal.
    failed: Callable[[Rpc, Exception], None] | None = None
    # However the call has ended, a step's own refusal and those before it included.
    leave: Callable[[Rpc], None] | None = None


class Pipeline:
    """The steps of every call, around a service. Every front and every kind of call uses them."""

    def __init__(self, steps: tuple[Step, ...]) -> None:
        inwards, outwards = steps, tuple(reversed(steps))
        self._admit = tuple(step.admit for step in inwards if step.admit)
        self._enter = tuple(step.enter for step in inwards if step.enter)
        self._message = tuple(step.message for step in inwards if step.message)
        self._answered = tuple(step.answered for step in outwards if step.answered)
        self._failed = tuple(step.failed for step in outwards if step.failed)
        self._leave = tuple(step.leave for step in outwards if step.leave)

    def admit(self, rpc: Rpc) -> bool:
        """Return whether a call is let in; else it was refused, and must be left when that is sent.

        It takes no thread: this is for the one that hears of all calls.
        """
        try:
            for admit in self._admit:
                admit(rpc)
        except Exception as error:  # noqa: BLE001 (a step turns whatever it is into a refusal)
            self.fail(rpc, error)
            return False
        return True

    def leave(self, rpc: Rpc) -> None:
        """Leave a call that was not let in."""
        for leave in self._leave:
            leave(rpc)

    def unary(self, rpc: Rpc, raw: bytes, serve: Callable[[Call, Any], bytes]) -> bytes | None:
        """Return the answer to a call that was let in; None if it is refused, see `rpc.refusal`."""
        try:
            for enter in self._enter:
                enter(rpc)
            try:
                answer = serve(rpc.authenticated(), self.request(rpc, raw))
            except DisturbedError as error:  # rare: so nothing is made ahead for it
                answer = self._again(rpc, raw, serve, error)
            rpc.answer_bytes = len(answer)
            for answered in self._answered:
                answered(rpc)
            return answer
        except Exception as error:  # noqa: BLE001 (a step turns whatever it is into a refusal)
            self.fail(rpc, error)
            return None
        finally:
            self.leave(rpc)

    def _again(
        self, rpc: Rpc, raw: bytes, serve: Callable[[Call, Any], bytes], error: DisturbedError
    ) -> bytes:
        return again_until_kept(
            lambda: serve(rpc.authenticated(), self.request(rpc, raw)),
            error,
            lambda: patience.begin(rpc.deadline, rpc.has_left),
        )

    def stream(
        self, rpc: Rpc, answers: Generator[bytes, None, None]
    ) -> Generator[bytes, None, None]:
        """Yield the answers of a stream; it was refused if `rpc.refusal` is set at its end.

        `answers` is not started before the call is let in, and it parses what comes by `request`.
        """
        try:
            with closing(answers):
                for enter in self._enter:
                    enter(rpc)
                for answer in answers:
                    rpc.answer_bytes = len(answer)
                    for answered in self._answered:
                        answered(rpc)
                    yield answer
        except GeneratorExit:  # the client has left while it was answered
            rpc.code = "CANCELLED"
            raise
        except ClientGone:
            rpc.code = "CANCELLED"
        except Exception as error:  # noqa: BLE001 (likewise)
            self.fail(rpc, error)
        finally:
            self.leave(rpc)

    def request(self, rpc: Rpc, raw: bytes) -> Any:
        """Return a message as a service takes it. Raises what the steps raise."""
        message: Any = raw
        for take in self._message:
            message = take(rpc, message)
        return message

    def fail(self, rpc: Rpc, error: Exception) -> None:
        """Refuse a call for an error."""
        for failed in self._failed:
            failed(rpc, error)
