"""A neighbour in a process of its own that makes the same call again and again, 50 at a time.

Its first line says that all are under way; closing its stdin ends it, with a count of its answers.
"""

import base64
import json
import subprocess
import sys
import threading
from collections import Counter
from collections.abc import Iterator
from contextlib import contextmanager
from typing import Any

import grpc

CONCURRENT = 50


@contextmanager
def noisy(address: str, token: str, path: str, request: bytes) -> Iterator[Counter[str]]:
    """Run a neighbour for a block; what is yielded holds its answers by code, once it is over."""
    given = json.dumps([address, token, path, base64.b64encode(request).decode()])
    process = subprocess.Popen(
        [sys.executable, __file__, given],
        stdin=subprocess.PIPE,
        stdout=subprocess.PIPE,
        text=True,
    )
    codes: Counter[str] = Counter()
    try:
        assert process.stdout is not None
        assert process.stdout.readline() == "busy\n"
        yield codes
        codes.update(json.loads(process.communicate("")[0]))
    finally:
        process.kill()


class _Neighbour:
    def __init__(self, address: str, token: str, path: str, request: str) -> None:
        channel = grpc.insecure_channel(address, (("grpc.max_receive_message_length", 8 << 20),))
        self._call: Any = channel.unary_unary(path)
        self._metadata = (("authorization", f"Bearer {token}"),)
        self._request = base64.b64decode(request)
        self._ending = threading.Event()
        self._lock = threading.Lock()
        self.codes: Counter[str] = Counter()

    def run(self) -> None:
        """Call until stdin is closed."""
        threads = [threading.Thread(target=self._repeat) for _ in range(CONCURRENT)]
        for thread in threads:
            thread.start()
        while self.codes.total() < CONCURRENT and not self._ending.wait(0.01):
            pass
        print("busy", flush=True)
        sys.stdin.read()
        self._ending.set()
        for thread in threads:
            thread.join()

    def _repeat(self) -> None:
        while not self._ending.is_set():
            try:
                self._call(self._request, metadata=self._metadata, timeout=5)
                code = "OK"
            except grpc.RpcError as error:
                code = error.code().name
            with self._lock:
                self.codes[code] += 1


if __name__ == "__main__":
    neighbour = _Neighbour(*json.loads(sys.argv[1]))
    neighbour.run()
    print(json.dumps(neighbour.codes))
