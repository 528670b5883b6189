"""Times of messages as storage has them: whole microseconds since 1970.

By hand, since there is one in each persona and answer: protobuf's own ToMicroseconds takes half as
long again.
"""

from google.protobuf.timestamp_pb2 import Timestamp

_SECOND = 1_000_000


def micros_of(time: Timestamp) -> int:
    """Return a time, of 1970 or later, in microseconds; what is finer is cut off."""
    return time.seconds * _SECOND + time.nanos // 1000


def timestamp(micros: int) -> Timestamp:
    """Return a time that is given in microseconds."""
    seconds, rest = divmod(micros, _SECOND)
    return Timestamp(seconds=seconds, nanos=rest * 1000)


def set_time(time: Timestamp, micros: int) -> None:
    """Set a time of a message in place."""
    time.seconds, rest = divmod(micros, _SECOND)
    time.nanos = rest * 1000
