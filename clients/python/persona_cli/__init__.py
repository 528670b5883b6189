"""The `persona` command."""

import signal
from typing import Any


def main() -> None:
    """Run the command line."""
    # What is interrupted while it is imported, or after its last word, ends without a traceback.
    _let_interrupts_end()
    from persona_cli.command_line import run

    try:
        run()
    finally:
        _let_interrupts_end()


def _let_interrupts_end() -> None:
    """Let SIGINT end the process as other signals do, unless it is ignored."""
    if signal.getsignal(signal.SIGINT) is signal.default_int_handler:
        signal.signal(signal.SIGINT, signal.SIG_DFL)


def __getattr__(name: str) -> Any:
    """Return `app`, the command line, which is imported when it is asked for."""
    if name != "app":
        raise AttributeError(name)
    from persona_cli.command_line import app

    return app
