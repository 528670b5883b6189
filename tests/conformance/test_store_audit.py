"""The audit trail: a row for each mutation, with all that it names."""

from persona_server.storage import tables
from persona_server.storage.repositories.audit import AuditEntry
from persona_server.storage.store import Store
from support.stored import rows

NOW = 1_700_000_000_000_000


def test_audit_row_holds_the_entry(store: Store) -> None:
    entry = AuditEntry("M", "actor", b"p" * 16, b"g" * 16, b"x" * 16, 7, b"r" * 16)
    with store.writing("acme", None) as repositories:
        repositories.audit.add(entry, NOW)
        repositories.audit.add(AuditEntry("N", "actor"), NOW)
        tenant = repositories.tenant
    columns = ", ".join(f.column_name for f in tables.Audit._meta.sorted_fields)
    found = rows(store, f"SELECT {columns} FROM audit ORDER BY id")  # noqa: S608
    first, second = ({**dict(zip(columns.split(", "), row, strict=True))} for row in found)
    assert first.pop("id") < second.pop("id")
    assert first == {"tenant_id": tenant, "at": NOW, **entry._asdict()}
    assert second == {"tenant_id": tenant, "at": NOW, **AuditEntry("N", "actor")._asdict()}
