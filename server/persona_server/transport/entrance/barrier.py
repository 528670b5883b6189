"""Addresses that the kernel keeps out: what they send to connect, it drops. On Linux alone.

A listening socket can be given a filter of packets (socket(7), SO_ATTACH_FILTER), a short program
in the instructions of BPF. So an address that is kept out costs the server nothing, where one whose
connections were closed as they come would still have each of them taken and read.
"""

import ctypes
import ipaddress
import socket
import struct
import sys
from collections.abc import Iterator

MOST = 50  # addresses: the kernel bounds the program

_ATTACH_FILTER = 26  # SO_ATTACH_FILTER, which Python does not name
_LOAD, _JUMP_IF_EQUAL, _RETURN = 0x20, 0x15, 0x06
_PROTOCOL = 0xFFFFF000  # where a program finds the kind of a packet, and its head
_HEAD = 0xFFF00000
_SOURCE_4, _SOURCE_6 = _HEAD + 12, _HEAD + 8
_IPV4, _IPV6 = 0x0800, 0x86DD
_DROP, _KEEP = 0, 0xFFFFFFFF


def keep_out(listening: socket.socket, networks: list[str]) -> None:
    """Let none of these connect, "10.0.0.1" or "2001:db8::/64"; in the place of those before."""
    if not sys.platform.startswith("linux"):
        return
    program = b"".join(_program(networks[-MOST:]))
    held = ctypes.create_string_buffer(program, len(program))
    header = struct.pack("HP", len(program) // 8, ctypes.addressof(held))
    listening.setsockopt(socket.SOL_SOCKET, _ATTACH_FILTER, header)


def _program(networks: list[str]) -> Iterator[bytes]:
    for name in networks:
        try:
            network = ipaddress.ip_network(name, strict=False)
        except ValueError:  # a Unix socket has none
            continue
        if network.version == 4:
            yield from _drop_if(_IPV4, {_SOURCE_4: int(network.network_address)})
        else:
            high = int(network.network_address) >> 64
            yield from _drop_if(_IPV6, {_SOURCE_6: high >> 32, _SOURCE_6 + 4: high & 0xFFFFFFFF})
    yield _instruction(_RETURN, _KEEP)


def _drop_if(kind: int, words: dict[int, int]) -> Iterator[bytes]:
    """Drop packets of a kind in which these words, by where they stand, have these values."""
    tests = [(_PROTOCOL, kind), *words.items()]
    for number, (place, value) in enumerate(tests):
        yield _instruction(_LOAD, place)
        # Over the tests that are left, of two instructions each, and over the end.
        yield _instruction(_JUMP_IF_EQUAL, value, otherwise=2 * (len(tests) - number - 1) + 1)
    yield _instruction(_RETURN, _DROP)


def _instruction(code: int, value: int, otherwise: int = 0) -> bytes:
    return struct.pack("HBBI", code, 0, otherwise, value)
