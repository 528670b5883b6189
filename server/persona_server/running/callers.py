"""Who may call: what is known of credentials, and the jobs that keep it so."""

import threading

from persona_server.identity.credentials import READ_SECONDS, Credentials, nowhere
from persona_server.identity.key_sets import SECONDS
from persona_server.identity.provider import LOOK_SECONDS, Published, provider_of
from persona_server.process.jobs import Job, JobRunner
from persona_server.settings.config import Settings
from persona_server.storage.store import Store
from persona_server.telemetry.logs import LOGGER
from persona_server.transport.auth import Authenticator


class Callers:
    """Tells who calls, by what the database and an identity provider say."""

    def __init__(self, store: Store, settings: Settings, published: Published | None) -> None:
        """`published` is what the identity provider said last, as far as that is known."""
        self._provider = provider_of(settings)
        self._fetched = threading.Event()
        if self._provider and published:
            self._provider.take(published)
        self._credentials = Credentials(
            store,
            local_tokens=settings.local_tokens is not False,
            elsewhere=self._provider.find if self._provider else nowhere,
            published=self._provider.published if self._provider else nowhere,
        )
        self.authenticator = Authenticator(
            self._credentials.verify, self._credentials.is_suspended, self._credentials.is_out
        )
        self.job = Job("credentials", READ_SECONDS, self._refresh)
        self.note_uses = self._credentials.note_uses

    def fetch(self) -> None:
        """Fetch the keys of the identity provider, so that the first calls find them, and go on.

        The start waits for the first fetch no longer than one may take: what resolves its name, or
        each of its addresses, may take longer. A stop waits for none: no data is at stake.
        """
        if self._provider:
            JobRunner(Job("identity provider", LOOK_SECONDS, self._fetch)).start()
            self._fetched.wait(SECONDS)

    def _refresh(self) -> None:
        if self._credentials.refresh():
            self.authenticator.forget()
            LOGGER.info("credentials have changed")

    def _fetch(self) -> None:
        try:
            if self._provider and self._provider.fetch_when_due():
                self.authenticator.forget()
        finally:
            self._fetched.set()
