"""What is done every ten minutes, whatever else fails then."""

from pathlib import Path

import apsw
import pytest

from persona_server.identity import changes
from persona_server.running.app import App
from persona_server.settings.loading import load
from support.probe import Probe


def test_retention_does_not_wait_for_the_notes_of_uses(tmp_path: Path) -> None:
    off = {"listen": "127.0.0.1:0", "rest": "off", "metrics": "off"}
    app = App(load({"data": str(tmp_path), **off}, {}))
    key = changes.create_key(app.store, "acme", "nightly", ["all"], 60)
    app._callers._refresh()
    app._callers.authenticator.principal([f"Bearer {key}"])
    with app.store.writing("acme", None) as repositories:
        repositories.idempotency.keep("M", bytes(16), bytes(32), b"answer", 1)
    probe = Probe(app.store)
    probe.change(
        "CREATE TRIGGER full BEFORE UPDATE ON api_key BEGIN SELECT RAISE(ABORT, 'full'); END"
    )
    with pytest.raises(apsw.ConstraintError, match="full"):
        app._sweep()
    assert probe.count("idempotency") == 0
    app.stop()
