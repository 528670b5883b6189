"""The Python client of persona-service: the system of record for synthetic consumers.

Requests and answers are the generated messages of `persona.v1`; there are no other model classes.
"""

from google.protobuf.wrappers_pb2 import Int32Value

from persona.v1.comparison_pb2 import QuestionComparison, QuestionSummary, TargetDistribution
from persona.v1.fidelity_pb2 import Fidelity, GivenAnswer, QuestionFidelity, ReferenceAnswer
from persona.v1.library_pb2 import (
    LibraryMatch,
    LibraryPersona,
    LibraryPersonaProject,
    Promotion,
    PromotionOutcome,
)
from persona.v1.measures_pb2 import PersonaReliability, Question, QuestionTimeline, Reliability
from persona.v1.persona_pb2 import Persona
from persona.v1.persona_service_pb2 import ExportPersonasResponse, ImportPersonasResponse
from persona.v1.project_pb2 import PersonaGroup, Project
from persona.v1.response_pb2 import ChoiceAnswer, ChoicesAnswer, RatingAnswer, Response
from persona.v1.response_service_pb2 import RecordWarning
from persona.v1.simulation_pb2 import AskedQuestion, Simulation
from persona_client.channels import TlsFiles
from persona_client.client import PersonaClient
from persona_client.errors import (
    AlreadyExists,
    ConcurrentChange,
    DatabaseDamaged,
    DatabaseUnavailable,
    DeadlineExceeded,
    FieldViolation,
    ImportConflict,
    ImportGap,
    InternalError,
    InvalidField,
    InvalidPageToken,
    LibraryPersonaNotFound,
    LibraryPersonaRetired,
    MessageTooLarge,
    MethodNotAllowed,
    NotEligible,
    NotFound,
    PermissionDenied,
    PersonaError,
    PersonaGroupNotFound,
    PersonaNotFound,
    ProjectNotFound,
    QuotaExceeded,
    RequestIdReused,
    ResponseNotFound,
    ShuttingDown,
    SimulationNotFound,
    StreamIdle,
    TooManyRequests,
    TooManyStreams,
    Unauthenticated,
    Unavailable,
    UnknownPath,
    Unreachable,
)
from persona_client.filters import PersonaFilters, ProfileFilters
from persona_client.retry import RetryPolicy
from persona_client.services.library import LibraryFilters, Lineage
from persona_client.services.responses import RecordedResponses
from persona_client.transfer.batches import split_batches, split_responses

__all__ = [
    "AlreadyExists",
    "AskedQuestion",
    "ChoiceAnswer",
    "ChoicesAnswer",
    "ConcurrentChange",
    "DatabaseDamaged",
    "DatabaseUnavailable",
    "DeadlineExceeded",
    "ExportPersonasResponse",
    "Fidelity",
    "FieldViolation",
    "GivenAnswer",
    "ImportConflict",
    "ImportGap",
    "ImportPersonasResponse",
    "Int32Value",
    "InternalError",
    "InvalidField",
    "InvalidPageToken",
    "LibraryFilters",
    "LibraryMatch",
    "LibraryPersona",
    "LibraryPersonaNotFound",
    "LibraryPersonaProject",
    "LibraryPersonaRetired",
    "Lineage",
    "MessageTooLarge",
    "MethodNotAllowed",
    "NotEligible",
    "NotFound",
    "PermissionDenied",
    "Persona",
    "PersonaClient",
    "PersonaError",
    "PersonaFilters",
    "PersonaGroup",
    "PersonaGroupNotFound",
    "PersonaNotFound",
    "PersonaReliability",
    "ProfileFilters",
    "Project",
    "ProjectNotFound",
    "Promotion",
    "PromotionOutcome",
    "Question",
    "QuestionComparison",
    "QuestionFidelity",
    "QuestionSummary",
    "QuestionTimeline",
    "QuotaExceeded",
    "RatingAnswer",
    "RecordWarning",
    "RecordedResponses",
    "ReferenceAnswer",
    "Reliability",
    "RequestIdReused",
    "Response",
    "ResponseNotFound",
    "RetryPolicy",
    "ShuttingDown",
    "Simulation",
    "SimulationNotFound",
    "StreamIdle",
    "TargetDistribution",
    "TlsFiles",
    "TooManyRequests",
    "TooManyStreams",
    "Unauthenticated",
    "Unavailable",
    "UnknownPath",
    "Unreachable",
    "split_batches",
    "split_responses",
]
