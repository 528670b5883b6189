"""The tables, as Peewee models: what statements are built from.

The schema itself is made by the migrations alone; a test holds these models against it. Every id is
16 bytes, every time an int64 of microseconds since 1970, every hash 32 bytes (but 16 of a term),
and each table but `tenant`, `secret` and the migration history leads its keys with the tenant's. No
model is bound to a database: a store's statements are compiled for its own.
"""

from collections.abc import Iterable

from peewee import Model

from persona_server.storage.tables.audit import Audit
from persona_server.storage.tables.credentials import ApiKey, RevokedToken
from persona_server.storage.tables.derived import (
    Answered,
    AnswerModel,
    AnswerSet,
    Asked,
    Piece,
    Question,
    Series,
    Sums,
    Tally,
)
from persona_server.storage.tables.erasing import Erasing
from persona_server.storage.tables.idempotency import Idempotency
from persona_server.storage.tables.imports import ImportBatch, ImportSession
from persona_server.storage.tables.library import (
    LibraryLink,
    LibraryPersona,
    LibraryTerm,
    Promotion,
)
from persona_server.storage.tables.personas import Persona, PersonaTerm
from persona_server.storage.tables.projects import PersonaGroup, PersonaSet, Project
from persona_server.storage.tables.quotas import TenantQuota, TenantUsage
from persona_server.storage.tables.references import ReferenceAnswer
from persona_server.storage.tables.responses import (
    Response,
    ResponseVoid,
    Simulation,
    SimulationVoid,
    Voiding,
)
from persona_server.storage.tables.tenants import Secret, Tenant

__all__ = [
    "ALL",
    "APPEND_ONLY",
    "AnswerModel",
    "AnswerSet",
    "Answered",
    "ApiKey",
    "Asked",
    "Audit",
    "Erasing",
    "Idempotency",
    "ImportBatch",
    "ImportSession",
    "LibraryLink",
    "LibraryPersona",
    "LibraryTerm",
    "Persona",
    "PersonaGroup",
    "PersonaSet",
    "PersonaTerm",
    "Piece",
    "Project",
    "Promotion",
    "Question",
    "ReferenceAnswer",
    "Response",
    "ResponseVoid",
    "RevokedToken",
    "Secret",
    "Series",
    "Simulation",
    "SimulationVoid",
    "Sums",
    "Tally",
    "Tenant",
    "TenantQuota",
    "TenantUsage",
    "Voiding",
    "names_of",
]

ALL: tuple[type[Model], ...] = tuple(
    each
    for each in list(globals().values())
    if isinstance(each, type) and issubclass(each, Model) and each is not Model
)


def names_of(models: Iterable[type[Model]]) -> list[str]:
    """Return the names of tables."""
    return [model._meta.table_name for model in models]


# The database itself refuses UPDATE, DELETE and INSERT OR REPLACE on these: the migrations make
# triggers that do.
APPEND_ONLY: tuple[type[Model], ...] = (Audit, Response, ResponseVoid, SimulationVoid, LibraryLink)
