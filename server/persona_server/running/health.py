"""Whether the service is well, looked at every second, and at once when something was met."""

import threading
from collections.abc import Callable

from persona_server import patience
from persona_server.running.condition import Condition
from persona_server.storage.store import Store
from persona_server.telemetry.logs import LOGGER

PING_SECONDS = 2.0  # for the database's answer: one that hangs is not well
HANGS_SECONDS = 3.0  # for a look: nothing ends one that waits for a disk


class HealthLook:
    """Finds out what is wrong with the database, and tells whether to say SERVING."""

    def __init__(self, store: Store, condition: Condition, tell: Callable[[bool], None]) -> None:
        self._store = store
        self._condition = condition
        self._tell = tell
        self._wrong: str | None = "not looked at"

    def look(self) -> None:
        """Look, tell, and log what has changed."""
        hangs = threading.Timer(HANGS_SECONDS, self._hangs)
        hangs.daemon = True
        hangs.start()
        try:
            wrong, error = self._found()
        finally:
            hangs.cancel()
        if wrong != self._wrong:
            if wrong:
                LOGGER.error("not serving", extra={"reason": wrong}, exc_info=error)
            else:
                LOGGER.info("the database answers")
        self._wrong = wrong
        self._tell(not wrong)

    def _hangs(self) -> None:
        """Tell, from a thread of its own, that a look does not end; the next one tells what is."""
        self._wrong = "the database, or its disk, hangs"
        LOGGER.error("not serving", extra={"reason": self._wrong})
        self._tell(False)

    def _found(self) -> tuple[str, Exception | None]:
        """Return what is wrong, "" for nothing, and the error that said so."""
        if damage := self._damage():
            return damage, None
        try:
            with patience.at_most(PING_SECONDS):
                self._store.ping()
                why = self._store.database.why_not_written()
        except Exception as error:  # noqa: BLE001 (whatever it is, the database does not answer)
            self._condition.meet(error)
            return self._damage() or "the database does not answer", error
        if why:
            return why, None
        return self._written() if self._condition.is_failing else ("", None)

    def _damage(self) -> str:
        damaged = self._condition.is_damaged
        return "the database is damaged: run persona doctor, then restart" if damaged else ""

    def _written(self) -> tuple[str, Exception | None]:
        """Try to write, since the disk has failed."""
        try:
            self._store.try_disk()
        except Exception as error:  # noqa: BLE001 (whatever it is, it can't be written)
            return "the database can't be written", error
        self._condition.is_mended()
        return "", None
