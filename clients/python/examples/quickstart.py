"""Make a project, add personas, read them back, and leave nothing behind."""

from persona_client import (
    Int32Value,
    Persona,
    PersonaClient,
    PersonaGroup,
    PersonaNotFound,
    Project,
)

with PersonaClient.from_environment() as client:
    project = client.create_project(Project(name="Quickstart"))
    group = client.create_persona_group(project.id, PersonaGroup(name="Commuters", age_min=18))

    maria = client.create_persona(
        project.id,
        group.id,
        Persona(
            full_name="Maria Santos",
            age=Int32Value(value=34),
            gender="Female",
            occupation="Nurse",
            location="São Paulo, Brazil",
            income_level="Middle",
            personality_traits=["curious", "careful", "warm"],
        ),
    )
    print("created", maria.full_name, "at", maria.created_at.ToJsonString())

    # Any number: split into batches, each all or nothing.
    client.batch_create_personas(
        project.id,
        group.id,
        (Persona(full_name=f"Rider {i}", age=Int32Value(value=20 + i % 50)) for i in range(1500)),
    )

    # All pages, one persona at a time.
    older = sum(1 for _ in client.list_personas(project.id, group.id, age_min=60))
    print(older, "riders are 60 or older")

    client.delete_persona(project.id, group.id, maria.id)
    try:
        client.get_persona(project.id, group.id, maria.id)
    except PersonaNotFound as error:
        print("gone:", error.reason)

    print(client.delete_all_personas(project.id, group.id), "deleted")
    client.delete_project(project.id)
