"""Read the answers of a streaming call, with a bound on its silence."""

import threading
from typing import TYPE_CHECKING, Generic, TypeVar

import grpc

from persona_client.errors import DeadlineExceeded, from_rpc_error

if TYPE_CHECKING:
    from grpc import _CallIterator

# Seconds after which a stream that says nothing is given up, and for which a broken one is opened
# again without getting ahead.
STREAM_TIMEOUT = 60.0

Response = TypeVar("Response")


class ResponseStream(Generic[Response]):
    """What one streaming call answers, message by message."""

    def __init__(self, call: "_CallIterator[Response]") -> None:
        self._call = call
        self._silent = False

    def next(self) -> Response | None:
        """Return the next answer, None at a good end. Raises PersonaError."""
        watch = threading.Timer(STREAM_TIMEOUT, self._give_up)
        watch.daemon = True
        watch.start()
        try:
            return next(self._call)
        except StopIteration:
            return None
        except grpc.RpcError as error:
            if self._silent:
                message = f"The stream said nothing for {STREAM_TIMEOUT:.0f} s."
                raise DeadlineExceeded(grpc.StatusCode.DEADLINE_EXCEEDED, message) from error
            raise from_rpc_error(error) from error
        finally:
            watch.cancel()

    def close(self) -> None:
        """End the call, whatever is still under way."""
        self._call.cancel()

    def _give_up(self) -> None:
        self._silent = True
        self._call.cancel()
