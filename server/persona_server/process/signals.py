"""Signals that end the service, or let it read its settings again, for the main thread."""

import contextlib
import signal
import socket

RELOAD = "SIGHUP"  # its name


class Wake:
    """What wakes the main thread: a signal's number, or 0 from another thread.

    A signal that another thread takes would not wake a wait for a lock; the interpreter writes it
    here from any.
    """

    def __init__(self) -> None:
        self._read, self._write = socket.socketpair()
        self._write.setblocking(False)

    def listen(self) -> None:
        """Take SIGTERM, SIGINT, and SIGHUP where it is not ignored, from now on."""
        signal.set_wakeup_fd(self._write.fileno())
        for number in (signal.SIGTERM, signal.SIGINT):
            signal.signal(number, _noted)
        if signal.getsignal(signal.SIGHUP) is not signal.SIG_IGN:  # as nohup has it
            signal.signal(signal.SIGHUP, _noted)

    def fileno(self) -> int:
        """Return the descriptor that can be read once there is something."""
        return self._read.fileno()

    def wait(self) -> str:
        """Return the name of the next signal, "" if another thread has called `ring`."""
        number = self._read.recv(1)[0]
        return signal.Signals(number).name if number else ""

    def ring(self) -> None:
        """Wake the main thread."""
        with contextlib.suppress(BlockingIOError):  # it is awake by what fills the buffer
            self._write.send(b"\0")


def outlive_hangups() -> None:
    """Let SIGHUP end no start, which reads the settings anyway; ignored it stays so."""
    if signal.getsignal(signal.SIGHUP) is not signal.SIG_IGN:
        signal.signal(signal.SIGHUP, _noted)


def _noted(_number: int, _frame: object) -> None:
    """Take a signal; that it came has been written to the wake-up descriptor."""
