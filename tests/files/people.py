"""Rows of the layouts that are known, of invented people."""

from typing import Any

TINY: dict[str, Any] = {
    "type": "TinyPerson",
    "persona": {
        "name": "Mira Sandberg",
        "age": 50,
        "residence": "Uppsala, Sweden",
        "country_of_residence": None,
        "occupation": {"title": "Retired teacher", "organization": "N/A"},
        "gender": "Female",
        "personality": {
            "traits": [f"You are kind {i}." for i in range(12)],
            "big_five": {"openness": "High."},
        },
        "beliefs": ["b"],
    },
    "mental_faculties": [{"type": "RecallFaculty"}],
}
EDSL_HEADER = {"__header__": True, "edsl_class_name": "AgentList", "n_agents": 1}
EDSL = {
    "traits": {"age": 41, "gender": "nonbinary", "income_level": "low", "hobbies": ["a", "b"]},
    "name": "Mira Sandberg",
    "codebook": {"age": "Age in years"},
}
EDSL_CSV = (
    "age,occupation,location,income_level,persona,hobbies\n"
    '41,engineer,"Accra, Ghana",low,"I like walks.\nI hate queues.","[\'a\', \'b\']"\n'
)
NEMOTRON = {
    "uuid": "7cd10483b0064cf391dc79545845c67b",
    "professional_persona": "A carpenter at heart, Mira Sandberg builds boats.",
    "sports_persona": "Mira Sandberg swims.",
    "persona": "Mira Sandberg works, swims and paints.",
    "skills_and_expertise_list": "['welding']",
    "sex": "Female",
    "age": 41,
    "occupation": "carpenter",
    "city": "Tampa",
    "state": "FL",
    "zipcode": "33601",
    "country": "USA",
}
PERSONA_HUB = {"persona": "A retired teacher who keeps bees."}
FINE_PERSONAS = {"id": "<urn:uuid:1>", "persona": "A beekeeper.", "labels": '["Bees"]'}
GENAGENTS = {
    "first_name": "Mira", "last_name": "Sandberg", "age": 25, "sex": "Female",
    "city": "Little Rock", "state": "AR", "political_views": "Moderate",
    "total_wealth": "Less than $5,000",
}  # fmt: skip
BOSES = {
    "id": "11111111-2222-4333-8444-555555555555",
    "persona_group_id": "0d7cbd2e-1111-4222-8333-444455556666",
    "full_name": "Mira Sandberg", "age": 28, "income_level": "Upper-middle",
    "personality_traits": ["Practical", "Curious", "Generous"], "digital_behavior": "Pays by phone",
    "pain_points": "Traffic", "avatar_url": "/uploads/1.png", "persona_code": "A00001",
    "library_persona_id": None, "created_at": "2026-04-07T08:30:00",
}  # fmt: skip
