"""The baseline: a bare grpcio server that answers each method with bytes from a file.

python echo.py NAME=FILE… prints its port; it serves /echo/NAME until its stdin closes.
"""

import sys
from concurrent.futures import ThreadPoolExecutor
from pathlib import Path
from typing import Any

import grpc


def main() -> None:
    """Serve until stdin closes."""
    server = grpc.server(ThreadPoolExecutor(4), options=[("grpc.so_reuseport", 0)])
    handlers: dict[str, Any] = {}
    for argument in sys.argv[1:]:
        name, _, path = argument.partition("=")
        answer = Path(path).read_bytes()
        handlers[name] = grpc.unary_unary_rpc_method_handler(_returning(answer))
    server.add_generic_rpc_handlers((grpc.method_handlers_generic_handler("echo", handlers),))
    print(server.add_insecure_port("127.0.0.1:0"), flush=True)
    server.start()
    sys.stdin.read()


def _returning(answer: bytes) -> Any:
    return lambda _request, _context: answer


if __name__ == "__main__":
    main()
