"""R11: the kernel keeps out the addresses that it is told, and no others."""

import socket

import pytest

from persona_server.transport.entrance.barrier import MOST, keep_out
from support.ports import has_ipv6

OTHERS = [f"10.0.{number}.0" for number in range(MOST)]


def may_connect(listening: socket.socket, source: str) -> bool:
    """Return whether an address of this machine can connect."""
    host = "::1" if ":" in source else "127.0.0.1"
    try:
        socket.create_connection((host, listening.getsockname()[1]), 0.3, (source, 0)).close()
    except TimeoutError:
        return False
    return True


def test_an_address_is_kept_out_until_it_is_named_no_more() -> None:
    with socket.create_server(("127.0.0.1", 0)) as listening:
        keep_out(listening, [*OTHERS, "2001:db8::/64", "", "127.0.4.1"])
        assert not may_connect(listening, "127.0.4.1")
        assert may_connect(listening, "127.0.4.2")
        keep_out(listening, ["127.0.4.2"])
        assert may_connect(listening, "127.0.4.1")
        assert not may_connect(listening, "127.0.4.2")


@pytest.mark.skipif(not has_ipv6(), reason="there is no IPv6")
def test_an_ipv6_network_is_kept_out_where_both_listen() -> None:
    with socket.create_server(("::", 0), family=socket.AF_INET6, dualstack_ipv6=True) as listening:
        keep_out(listening, ["::/64"])
        assert not may_connect(listening, "::1")
        assert may_connect(listening, "127.0.4.1")
        keep_out(listening, ["2001:db8::/64", "127.0.4.1"])
        assert may_connect(listening, "::1")
        assert not may_connect(listening, "127.0.4.1")
