"""What the chapters of the study share: who takes part, and what the service has answered."""

from dataclasses import dataclass, field
from datetime import UTC, datetime, timedelta

from persona.v1.library_pb2 import LibraryPersona
from persona.v1.measures_pb2 import QuestionTimeline, Reliability
from persona_client import NotEligible, Persona, PersonaClient
from study.questions import Item
from study.report import Report
from study.respondents import Manner, Respondent

FIRST_WAVE = datetime(2026, 6, 1, 9, tzinfo=UTC)
BETWEEN_WAVES = timedelta(days=30)


@dataclass(frozen=True)
class Place:
    """A persona group of a project."""

    project_id: str
    group_id: str


@dataclass
class Study:
    """The study as far as it has come. All that is kept by text is by a consumer's name."""

    client: PersonaClient
    report: Report
    items: tuple[Item, ...]
    respondents: dict[str, Respondent]
    places: list[Place] = field(default_factory=list)  # in the order of the projects
    measured: dict[str, Reliability] = field(default_factory=dict)  # after four waves
    library: dict[str, LibraryPersona] = field(default_factory=dict)  # who was promoted
    refused: dict[str, NotEligible] = field(default_factory=dict)
    reused: dict[str, Persona] = field(default_factory=dict)  # in the second project
    followed: dict[str, Reliability] = field(default_factory=dict)  # after five waves
    timelines: dict[str, dict[str, QuestionTimeline]] = field(default_factory=dict)  # by key

    @property
    def protagonist(self) -> str:
        """The individual that is followed: the first reused one that truly shifts."""
        shifting = (n for n in self.reused if self.respondents[n].manner is Manner.SHIFTING)
        return next(shifting)

    def item(self, key: str) -> Item:
        """Return the question with this key."""
        return next(item for item in self.items if item.key == key)
