"""Read the answers of a streaming call, with a bound on its silence."""

import threading
from collections.abc import Callable, Iterator
from contextlib import contextmanager
from typing import TYPE_CHECKING, Generic, TypeVar

import grpc

from persona_client.errors import DeadlineExceeded, from_rpc_error

if TYPE_CHECKING:
    from grpc import _CallIterator

# Seconds after which a stream that says nothing is given up, and for which a broken one is opened
# again without getting ahead.
STREAM_TIMEOUT = 60.0
BUSY_SECONDS = 5.0  # after which no stream is left open for a consumer that does something else

Response = TypeVar("Response")


class ResponseStream(Generic[Response]):
    """What one streaming call answers, message by message."""

    def __init__(self, call: "_CallIterator[Response]") -> None:
        self._call = call
        self._silent = False
        self.was_left = False  # whether it was closed as its consumer was busy

    @property
    def is_over(self) -> bool:
        """Whether the call has ended, whatever of its answers was read."""
        return not self._call.is_active()

    def next(self) -> Response | None:
        """Return the next answer, None at a good end. Raises PersonaError."""
        try:
            with _after(STREAM_TIMEOUT, self._give_up):
                return next(self._call)
        except StopIteration:
            return None
        except grpc.RpcError as error:
            if self._silent:
                message = f"The stream said nothing for {STREAM_TIMEOUT:.0f} s."
                raise DeadlineExceeded(grpc.StatusCode.DEADLINE_EXCEEDED, message) from error
            raise from_rpc_error(error) from error

    @contextmanager
    def left_if_busy(self) -> Iterator[None]:
        """Close the stream, as `was_left` says then, if the block takes its time."""
        with _after(BUSY_SECONDS, self._leave):
            yield

    def close(self) -> None:
        """End the call, whatever is still under way."""
        self._call.cancel()

    def _give_up(self) -> None:
        self._silent = True
        self._call.cancel()

    def _leave(self) -> None:
        self.was_left = True
        self._call.cancel()


@contextmanager
def _after(seconds: float, action: Callable[[], None]) -> Iterator[None]:
    """Do something if a block takes so many seconds."""
    watch = threading.Timer(seconds, action)
    watch.daemon = True
    watch.start()
    try:
        yield
    finally:
        watch.cancel()
