"""The signals that end a command: none does without a word."""

import signal
from types import FrameType

import typer

from persona_cli.terminal.output import say

_ENDING = (signal.SIGTERM, signal.SIGHUP)


class Stopped(KeyboardInterrupt):
    """A signal that should end the command, which then ends as it does when it is interrupted."""

    def __init__(self, number: int) -> None:
        super().__init__()
        self.number = number


def heed_signals() -> None:
    """Let signals that would end this process at once raise an interrupt; those ignored stay so."""
    if signal.getsignal(signal.SIGINT) is signal.SIG_DFL:
        signal.signal(signal.SIGINT, signal.default_int_handler)
    for number in _ENDING:
        if signal.getsignal(number) is signal.SIG_DFL:
            signal.signal(number, _stop)


def stopped(interrupt: KeyboardInterrupt, advice: str = "") -> typer.Exit:
    """Say what ended the command and what the user can do, and return its end."""
    number = interrupt.number if isinstance(interrupt, Stopped) else signal.SIGINT
    what = "\nInterrupted." if number == signal.SIGINT else f"Stopped by {_name(number)}."
    say(f"{what} {advice}".rstrip())
    return typer.Exit(128 + number)


def _name(number: int) -> str:
    return signal.Signals(number).name


def _stop(number: int, _frame: FrameType | None) -> None:
    for each in _ENDING:  # once is enough: what ends now must not be torn away from its end
        signal.signal(each, signal.SIG_IGN)
    raise Stopped(number)
