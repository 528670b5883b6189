"""Every statement that a store has compiled, for the tests of what databases make of them."""

import gc

from persona_server.storage.engine.statements import Statement
from persona_server.storage.store import Store
from support.data import persona, rich_persona
from support.stored import StoredGroup

# Statement → why it may read a whole table.
MAY_SCAN = {
    "store.tenants._all": "the sweeper goes tenant by tenant, so it lists them",
    "store.tenants._names": "persona token says whether a tenant is known",
    "store.tenants._rows": "who is suspended is read when something of credentials has changed",
    "store.credential_statements.live_keys": "so are the keys that can be called with",
    "store.credential_statements.revoked": "so are revoked tokens",
    "store.rebuild._count": "an upgrade says how much there is to do",
    "store.tenants._voiding": "a job asks whose simulations wait: the table has only these",
}
# A row for each quota, key or revoked token: the operator looks at all of a tenant's.
MAY_READ_ALL = {
    "store.quota_statements.all",
    "store.credential_statements.keys",
    "store.credential_statements.forget_tokens",
}


def populate(store: Store) -> None:
    """Give a database of two tenants some rows, few enough that nobody would analyse it."""
    for tenant in ("one", "two"):
        for _ in range(2):
            group = StoredGroup(store, tenant)
            group.add(*[persona() for _ in range(50)], rich_persona())
            group.hide(group.add(persona())[0])
            group.drop()
            group.add(persona())


def statements_of(store: Store) -> dict[str, Statement]:
    """Return all of them, by where each stands in the store."""
    found: dict[str, Statement] = {}
    _collect(store, "store", found, set())
    alive = [one for one in gc.get_objects() if isinstance(one, Statement)]
    mine = [one for one in alive if one._database is store.database]
    assert {id(one) for one in mine} == {id(one) for one in found.values()}
    assert len(found) > 40
    return found


def _collect(holder: object, path: str, found: dict[str, Statement], seen: set[int]) -> None:
    if isinstance(holder, Statement):
        found[path] = holder
        return
    if isinstance(holder, list):
        holder = dict(enumerate(holder))
    if isinstance(holder, dict):
        for name, value in holder.items():
            _collect(value, f"{path}[{name}]", found, seen)
        return
    if id(holder) in seen or not type(holder).__module__.startswith("persona_server.storage"):
        return
    seen.add(id(holder))
    for name, value in getattr(holder, "__dict__", {}).items():
        _collect(value, f"{path}.{name}", found, seen)
