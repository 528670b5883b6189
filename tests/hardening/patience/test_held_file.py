"""R14: while another process holds the file, no write waits beyond its deadline, or is in part."""

import grpc
import pytest

from support.dbfile import DatabaseFile, connection
from support.requests.deadlines import Calls, in_time, is_change
from support.rpcs import METHODS
from support.service import Service

pytestmark = [
    pytest.mark.alone,  # a quarter of a second is little beside others
    pytest.mark.sqlite("nobody can hold a whole database of PostgreSQL"),
]


@pytest.fixture(scope="module")
def calls(own: Service, file: DatabaseFile) -> Calls:
    return Calls(own, file)


def test_writes_end_with_their_deadline_and_reads_go_on(own: Service, calls: Calls) -> None:
    writes = [calls.make(method) for method in METHODS if is_change(method)]
    reads = [calls.make(method) for method in METHODS if not is_change(method)]
    before = [calls.counts(call) for call in writes]
    with connection(own.data) as beside:
        beside.execute("BEGIN IMMEDIATE")
        assert set(calls.at_once(writes)) == {in_time(call.method.name) for call in writes}
        for call in reads:
            assert call.send().code == grpc.StatusCode.OK, call.method.name
        beside.execute("ROLLBACK")
    assert [calls.counts(call) for call in writes] == before
    for call in writes:
        assert call.send().code == grpc.StatusCode.OK, call.method.name
        assert calls.recorded(call) == 1
