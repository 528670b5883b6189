"""The few ids of a random walk, so that its calls meet. What is deleted is replaced."""

import random

_PROJECTS, _GROUPS, _PERSONAS = 3, 6, 3  # personas of each group


class FewIds:
    """What a walk names; all of it comes from its seed, but for whom the service promotes."""

    def __init__(self, seed: int) -> None:
        self.random = random.Random(seed)
        self._projects = [self.uuid() for _ in range(_PROJECTS)]
        self.groups = {self.uuid(): self._projects[i % _PROJECTS] for i in range(_GROUPS)}
        self.personas = {group: self._people() for group in self.groups}
        self._simulations = [self.uuid() for _ in range(3)]
        self._responses = [self.uuid() for _ in range(30)]
        self.library: list[str] = []

    def of_a_call(self) -> dict[str, str]:
        """Return an id for each field that names something; most of them belong together."""
        group = self.random.choice(list(self.groups))
        project = self.random.choice(self._projects) if self.chance(0.1) else self.groups[group]
        home = self.random.choice(list(self.groups)) if self.chance(0.1) else group
        persona = self.random.choice(self.personas[home])
        source = self.random.choice(list(self.groups))
        return {
            "project_id": project,
            "group_id": group,
            "persona_id": persona,
            "source_project_id": self.groups[source],
            "source_group_id": source,
            "other_group_id": group,
            "import_id": self.uuid(),
            "simulation_id": self._simulation(),
            "response_id": self.random.choice(self._responses),
            "library_persona_id": self.individual(),
            "request_id": self.random.choice(["", self.uuid(), self.uuid()]),
        }

    def _simulation(self) -> str:
        """Return one of few simulations, now and then a new one in the place of one of them."""
        place = self.random.randrange(len(self._simulations))
        if self.chance(0.03):
            self._simulations[place] = self.uuid()
        return self._simulations[place]

    def individual(self) -> str:
        """Return somebody of the library, or now and then nobody."""
        known = self.library and not self.chance(0.1)
        return self.random.choice(self.library) if known else self.uuid()

    def forget(self, name: str, ids: dict[str, str]) -> None:
        """Let new ids take the places of those that a delete has spent."""
        if name == "DeleteProject" and ids["project_id"] in self._projects:
            at, fresh = self._projects.index(ids["project_id"]), self.uuid()
            spent = [g for g, p in self.groups.items() if p == ids["project_id"]]
            self._projects[at] = fresh
            self._renew(spent, fresh)
        elif name == "DeletePersonaGroup":
            self._renew([ids["group_id"]], self.groups[ids["group_id"]])

    def _renew(self, spent: list[str], project: str) -> None:
        for group in spent:
            del self.groups[group], self.personas[group]
            fresh = self.uuid()
            self.groups[fresh], self.personas[fresh] = project, self._people()

    def _people(self) -> list[str]:
        return [self.uuid() for _ in range(_PERSONAS)]

    def chance(self, share: float) -> bool:
        """Whether something happens that does so in this share of cases."""
        return self.random.random() < share

    def uuid(self) -> str:
        """Return a new id."""
        raw = f"{self.random.getrandbits(128):032x}"
        return "-".join((raw[:8], raw[8:12], raw[12:16], raw[16:20], raw[20:]))
