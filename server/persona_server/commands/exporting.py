"""A tenant written into a folder: a file of JSON lines for each kind of thing that it has."""

import os
import shutil
import tempfile
from collections.abc import Iterable
from pathlib import Path

from persona_cli.terminal.output import compact_json, json_object
from persona_server.storage.store import Store
from persona_server.tenant_export import TenantExport


def write_export(store: Store, tenant: str, folder: Path) -> dict[str, int]:
    """Write all that a tenant has; return how many lines each file got, by its name.

    The folder is there when it is whole. Raises OSError, and leaves nothing then.
    """
    if folder.exists():
        raise FileExistsError(17, "it is there already")
    # Under a name of its own: one that was killed may have left another.
    part = Path(tempfile.mkdtemp(".part", f"{folder.name}.", folder.parent))
    try:
        export = TenantExport(store, tenant)
        counts = {
            name: _write(part / f"{name}.jsonl", map(json_object, messages))
            for name, messages in export.contents().items()
        }
        counts["audit"] = _write(part / "audit.jsonl", export.audit())
        part.rename(folder)
    except BaseException:
        shutil.rmtree(part, ignore_errors=True)
        raise
    return counts


def _write(path: Path, rows: Iterable[object]) -> int:
    count = 0
    descriptor = os.open(path, os.O_WRONLY | os.O_CREAT | os.O_EXCL, 0o600)
    with os.fdopen(descriptor, "w", encoding="utf-8") as file:
        for row in rows:
            file.write(compact_json(row) + "\n")
            count += 1
        file.flush()
        os.fsync(descriptor)
    return count
