"""The audit trail: a row for each mutation, with all that it names."""

from persona_server.storage import tables
from persona_server.storage.repositories.audit import AuditEntry
from persona_server.storage.store import Store
from support.probe import Probe

NOW = 1_700_000_000_000_000


def test_audit_row_holds_the_entry(store: Store) -> None:
    ids = (b"p" * 16, b"g" * 16, b"x" * 16)
    entry = AuditEntry("M", "actor", *ids, 7, b"r" * 16, peer="192.0.2.7:50000")
    with store.writing("acme", None) as repositories:
        repositories.audit.add(entry, NOW)
        repositories.audit.add(AuditEntry("N", "actor"), NOW)
        tenant = repositories.tenant
    columns = [field.column_name for field in tables.Audit._meta.sorted_fields]
    found = Probe(store).rows("audit", *columns)
    named = [dict(zip(columns, row, strict=True)) for row in found]
    first, second = sorted(named, key=lambda row: int(row["id"]))
    assert first.pop("id") < second.pop("id")
    assert first == {"tenant_id": tenant, "at": NOW, **entry._asdict()}
    assert second == {"tenant_id": tenant, "at": NOW, **AuditEntry("N", "actor")._asdict()}
