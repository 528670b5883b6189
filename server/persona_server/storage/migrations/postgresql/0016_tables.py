"""The schema as SQLite's is after its migration 0018, in one step: there is no older one here.

A test holds the columns and keys of both engines against each other, so a migration from 0019 on is
written for both. What differs: the filters of a list are no keys of its index, since a row that
moves to another set would change them, and no table has a default or a type that it does not need.
"""

from typing import Any

DERIVES = False  # whether derived tables are to be filled afterwards

TABLES = r"""
CREATE TABLE tenant (
    id bigint PRIMARY KEY, name text NOT NULL UNIQUE, created_at bigint NOT NULL
);
CREATE TABLE secret (
    name text PRIMARY KEY NOT NULL, value bytea NOT NULL, created_at bigint NOT NULL
);
CREATE TABLE project (
    tenant_id bigint NOT NULL REFERENCES tenant (id),
    id bytea NOT NULL CHECK (length(id) = 16), name text NOT NULL, description text NOT NULL,
    created_at bigint NOT NULL, updated_at bigint NOT NULL, deleted_at bigint,
    group_count bigint NOT NULL, name_term bytea NOT NULL,
    PRIMARY KEY (tenant_id, id)
);
CREATE INDEX project_list ON project (tenant_id, created_at, id) WHERE deleted_at IS NULL;
CREATE INDEX project_name ON project (tenant_id, name_term, created_at, id)
    WHERE deleted_at IS NULL;
CREATE TABLE persona_group (
    tenant_id bigint NOT NULL, id bytea NOT NULL CHECK (length(id) = 16),
    project_id bytea NOT NULL, set_id bigint NOT NULL, hidden_set_id bigint NOT NULL,
    version bigint NOT NULL, persona_count bigint NOT NULL CHECK (persona_count >= 0),
    max_framed bigint NOT NULL, definition bytea NOT NULL, created_at bigint NOT NULL,
    updated_at bigint NOT NULL, deleted_at bigint, name_term bytea NOT NULL,
    PRIMARY KEY (tenant_id, id),
    FOREIGN KEY (tenant_id, project_id) REFERENCES project (tenant_id, id)
);
CREATE INDEX persona_group_list ON persona_group (tenant_id, project_id, created_at, id)
    WHERE deleted_at IS NULL;
CREATE INDEX persona_group_name ON persona_group (tenant_id, project_id, name_term, created_at, id)
    WHERE deleted_at IS NULL;
CREATE TABLE persona_set (
    tenant_id bigint NOT NULL, id bigint NOT NULL, group_id bytea NOT NULL, dropped_at bigint,
    purge_after bigint,
    PRIMARY KEY (tenant_id, id),
    FOREIGN KEY (tenant_id, group_id) REFERENCES persona_group (tenant_id, id)
);
CREATE INDEX persona_set_group ON persona_set (tenant_id, group_id);
CREATE INDEX persona_set_purge ON persona_set (tenant_id, purge_after)
    WHERE purge_after IS NOT NULL;
CREATE TABLE persona (
    tenant_id bigint NOT NULL, set_id bigint NOT NULL, age bigint NOT NULL,
    position bytea NOT NULL CHECK (length(position) = 24),
    id bytea NOT NULL CHECK (length(id) = 16), gender_key text NOT NULL,
    income_level_key text NOT NULL, location_key text NOT NULL, occupation_key text NOT NULL,
    framed bytea NOT NULL, deleted_at bigint, purge_after bigint, copied_from bytea,
    erased_at bigint,
    PRIMARY KEY (tenant_id, id),
    FOREIGN KEY (tenant_id, set_id) REFERENCES persona_set (tenant_id, id)
);
CREATE INDEX persona_page ON persona
    (tenant_id, set_id, position)
    INCLUDE (gender_key, income_level_key, age, location_key, occupation_key);
CREATE INDEX persona_purge ON persona (tenant_id, purge_after) WHERE purge_after IS NOT NULL;
CREATE INDEX persona_copies ON persona (tenant_id, copied_from) WHERE copied_from IS NOT NULL;
CREATE TABLE idempotency (
    tenant_id bigint NOT NULL, method text NOT NULL,
    request_id bytea NOT NULL CHECK (length(request_id) = 16),
    request_hash bytea NOT NULL CHECK (length(request_hash) = 32), answer bytea NOT NULL,
    created_at bigint NOT NULL,
    PRIMARY KEY (tenant_id, method, request_id)
);
CREATE INDEX idempotency_expiry ON idempotency (tenant_id, created_at);
CREATE TABLE import_session (
    tenant_id bigint NOT NULL, id bytea NOT NULL CHECK (length(id) = 16),
    group_id bytea NOT NULL, set_id bigint NOT NULL, owner bytea NOT NULL,
    committed_sequence bigint NOT NULL, persona_count bigint NOT NULL,
    updated_at bigint NOT NULL,
    PRIMARY KEY (tenant_id, id)
);
CREATE INDEX import_session_expiry ON import_session (tenant_id, updated_at);
CREATE TABLE import_batch (
    tenant_id bigint NOT NULL, import_id bytea NOT NULL, sequence bigint NOT NULL,
    batch_hash bytea NOT NULL CHECK (length(batch_hash) = 32),
    PRIMARY KEY (tenant_id, import_id, sequence),
    FOREIGN KEY (tenant_id, import_id) REFERENCES import_session (tenant_id, id) ON DELETE CASCADE
);
CREATE TABLE audit (
    tenant_id bigint NOT NULL, id bigint NOT NULL, at bigint NOT NULL, actor text NOT NULL,
    method text NOT NULL, project_id bytea, group_id bytea, persona_id bytea,
    persona_count bigint, request_id bytea, simulation_id bytea, response_count bigint,
    library_persona_id bytea, peer text,
    PRIMARY KEY (tenant_id, id)
);
CREATE TABLE simulation (
    tenant_id bigint NOT NULL, id bytea NOT NULL CHECK (length(id) = 16),
    project_id bytea NOT NULL, created_at bigint NOT NULL, name text NOT NULL,
    description text NOT NULL, model text NOT NULL, prompt_version text NOT NULL,
    updated_at bigint NOT NULL,
    PRIMARY KEY (tenant_id, id),
    FOREIGN KEY (tenant_id, project_id) REFERENCES project (tenant_id, id)
);
CREATE INDEX simulation_list ON simulation (tenant_id, project_id, created_at, id);
CREATE UNIQUE INDEX simulation_name ON simulation (tenant_id, project_id, name) WHERE name <> '';
CREATE TABLE response (
    tenant_id bigint NOT NULL, id bytea NOT NULL CHECK (length(id) = 16),
    simulation_id bytea NOT NULL, project_id bytea NOT NULL, group_id bytea NOT NULL,
    persona_id bytea NOT NULL, position bytea NOT NULL CHECK (length(position) = 24),
    question_key text NOT NULL, length bigint NOT NULL, framed bytea NOT NULL,
    library_persona_id bytea, recorded bytea NOT NULL CHECK (length(recorded) = 24),
    PRIMARY KEY (tenant_id, id),
    FOREIGN KEY (tenant_id, simulation_id) REFERENCES simulation (tenant_id, id),
    FOREIGN KEY (tenant_id, persona_id) REFERENCES persona (tenant_id, id)
);
CREATE INDEX response_simulation ON response
    (tenant_id, simulation_id, position)
    INCLUDE (question_key, length);
CREATE INDEX response_persona ON response
    (tenant_id, persona_id, position)
    INCLUDE (question_key, length);
CREATE INDEX response_library ON response
    (tenant_id, library_persona_id, position)
    INCLUDE (question_key, length)
    WHERE library_persona_id IS NOT NULL;
CREATE INDEX response_project ON response (tenant_id, project_id, position) INCLUDE (length);
CREATE INDEX response_group ON response (tenant_id, group_id, position) INCLUDE (length);
CREATE INDEX response_question ON response (tenant_id, question_key, position) INCLUDE (length);
CREATE INDEX response_recorded ON response (tenant_id, recorded) INCLUDE (length);
CREATE TABLE question (
    tenant_id bigint NOT NULL REFERENCES tenant (id), id bigint NOT NULL, key text NOT NULL,
    kind text NOT NULL, scale text NOT NULL, hash bytea NOT NULL CHECK (length(hash) = 32),
    declared text NOT NULL, declared_at bytea NOT NULL,
    PRIMARY KEY (tenant_id, id),
    UNIQUE (tenant_id, hash)
);
CREATE TABLE library_persona (
    tenant_id bigint NOT NULL, id bytea NOT NULL CHECK (length(id) = 16),
    origin_project_id bytea NOT NULL, origin_persona_id bytea NOT NULL, age bigint NOT NULL,
    gender_key text NOT NULL, income_level_key text NOT NULL, location_key text NOT NULL,
    occupation_key text NOT NULL, lower_bound double precision NOT NULL,
    created_at bigint NOT NULL, body bytea NOT NULL, project_count bigint NOT NULL,
    response_count bigint NOT NULL, retired_at bigint,
    PRIMARY KEY (tenant_id, id),
    UNIQUE (tenant_id, origin_persona_id),
    FOREIGN KEY (tenant_id, origin_project_id) REFERENCES project (tenant_id, id),
    FOREIGN KEY (tenant_id, origin_persona_id) REFERENCES persona (tenant_id, id)
);
CREATE INDEX library_persona_reliability ON library_persona
    (tenant_id, lower_bound, id)
    INCLUDE (retired_at, age, gender_key, income_level_key, location_key, occupation_key);
CREATE INDEX library_persona_created ON library_persona
    (tenant_id, created_at, id)
    INCLUDE (retired_at, lower_bound, age, gender_key, income_level_key, location_key,
        occupation_key);
CREATE INDEX library_persona_projects ON library_persona
    (tenant_id, project_count, id)
    INCLUDE (retired_at, lower_bound, age, gender_key, income_level_key, location_key,
        occupation_key);
CREATE TABLE library_link (
    tenant_id bigint NOT NULL, persona_id bytea NOT NULL, id bigint NOT NULL,
    library_persona_id bytea NOT NULL, project_id bytea NOT NULL, group_id bytea NOT NULL,
    project_name text NOT NULL, group_name text NOT NULL, relation bigint NOT NULL,
    match_score double precision, linked_at bigint NOT NULL,
    PRIMARY KEY (tenant_id, persona_id),
    FOREIGN KEY (tenant_id, library_persona_id) REFERENCES library_persona (tenant_id, id),
    FOREIGN KEY (tenant_id, persona_id) REFERENCES persona (tenant_id, id)
);
CREATE INDEX library_link_list ON library_link (tenant_id, library_persona_id, id);
CREATE INDEX library_link_project ON library_link
    (tenant_id, project_id, library_persona_id, group_id);
CREATE TABLE promotion (
    tenant_id bigint NOT NULL, persona_id bytea NOT NULL, queued_at bigint NOT NULL,
    PRIMARY KEY (tenant_id, persona_id),
    FOREIGN KEY (tenant_id, persona_id) REFERENCES persona (tenant_id, id)
);
CREATE TABLE tenant_quota (
    tenant_id bigint NOT NULL REFERENCES tenant (id), name text NOT NULL,
    value bigint NOT NULL,
    PRIMARY KEY (tenant_id, name)
);
CREATE TABLE tenant_usage (
    tenant_id bigint NOT NULL, stored_bytes bigint NOT NULL,
    PRIMARY KEY (tenant_id)
);
CREATE TABLE asked (
    tenant_id bigint NOT NULL, scope bytea NOT NULL CHECK (length(scope) IN (16, 17)),
    question_id bigint NOT NULL, response_count bigint NOT NULL,
    individual_count bigint NOT NULL, first bytea NOT NULL CHECK (length(first) = 24),
    last bytea NOT NULL CHECK (length(last) = 24),
    PRIMARY KEY (tenant_id, scope, question_id)
);
CREATE TABLE answered (
    tenant_id bigint NOT NULL, scope bytea NOT NULL, question_id bigint NOT NULL,
    individual_id bytea NOT NULL, earliest bytea NOT NULL CHECK (length(earliest) = 32),
    PRIMARY KEY (tenant_id, scope, question_id, individual_id)
);
CREATE TABLE persona_term (
    tenant_id bigint NOT NULL, set_id bigint NOT NULL,
    hash bytea NOT NULL CHECK (length(hash) = 16), position bytea NOT NULL,
    PRIMARY KEY (tenant_id, set_id, hash, position)
);
CREATE TABLE library_term (
    tenant_id bigint NOT NULL, library_persona_id bytea NOT NULL,
    hash bytea NOT NULL CHECK (length(hash) = 16),
    PRIMARY KEY (tenant_id, library_persona_id, hash)
);
CREATE TABLE erasing (
    tenant_id bigint NOT NULL, persona_id bytea NOT NULL,
    nobody bytea NOT NULL CHECK (nobody = '\x00'),
    PRIMARY KEY (tenant_id, persona_id),
    FOREIGN KEY (tenant_id, nobody) REFERENCES project (tenant_id, id) DEFERRABLE INITIALLY DEFERRED
);
CREATE INDEX erasing_nobody ON erasing (tenant_id, nobody);
CREATE TABLE series (
    tenant_id bigint NOT NULL,
    individual_id bytea NOT NULL CHECK (length(individual_id) = 16),
    question_id bigint NOT NULL, records bytea NOT NULL, pieces bigint NOT NULL,
    repeats bigint NOT NULL,
    PRIMARY KEY (tenant_id, individual_id, question_id)
);
CREATE TABLE piece (
    tenant_id bigint NOT NULL,
    individual_id bytea NOT NULL CHECK (length(individual_id) = 16),
    question_id bigint NOT NULL, number bigint NOT NULL, records bytea NOT NULL,
    PRIMARY KEY (tenant_id, individual_id, question_id, number)
);
CREATE TABLE answer_set (
    tenant_id bigint NOT NULL REFERENCES tenant (id), id bigint NOT NULL,
    tokens text NOT NULL, items text NOT NULL, answers bigint NOT NULL,
    PRIMARY KEY (tenant_id, id)
);
CREATE TABLE answer_model (
    tenant_id bigint NOT NULL REFERENCES tenant (id), id bigint NOT NULL, model text NOT NULL,
    prompt_version text NOT NULL, answers bigint NOT NULL,
    PRIMARY KEY (tenant_id, id)
);
CREATE TABLE tally (
    tenant_id bigint NOT NULL, question_id bigint NOT NULL,
    simulation_id bytea NOT NULL CHECK (length(simulation_id) = 16), bucket bigint NOT NULL,
    counts bytea NOT NULL,
    PRIMARY KEY (tenant_id, question_id, simulation_id, bucket),
    FOREIGN KEY (tenant_id, question_id) REFERENCES question (tenant_id, id)
);
CREATE TABLE sums (
    tenant_id bigint NOT NULL, question_id bigint NOT NULL,
    simulation_id bytea NOT NULL CHECK (length(simulation_id) = 16), moments text NOT NULL,
    differences bigint NOT NULL, squares text NOT NULL, inverses bigint NOT NULL,
    PRIMARY KEY (tenant_id, question_id, simulation_id),
    FOREIGN KEY (tenant_id, question_id) REFERENCES question (tenant_id, id)
);
CREATE TABLE response_void (
    tenant_id bigint NOT NULL, response_id bytea NOT NULL, mark bytea NOT NULL,
    PRIMARY KEY (tenant_id, response_id),
    FOREIGN KEY (tenant_id, response_id) REFERENCES response (tenant_id, id)
);
CREATE TABLE simulation_void (
    tenant_id bigint NOT NULL, simulation_id bytea NOT NULL, mark bytea NOT NULL,
    PRIMARY KEY (tenant_id, simulation_id),
    FOREIGN KEY (tenant_id, simulation_id) REFERENCES simulation (tenant_id, id)
);
CREATE TABLE voiding (
    tenant_id bigint NOT NULL, simulation_id bytea NOT NULL, after bytea NOT NULL,
    PRIMARY KEY (tenant_id, simulation_id),
    FOREIGN KEY (tenant_id, simulation_id) REFERENCES simulation_void (tenant_id, simulation_id)
);
CREATE TABLE reference_answer (
    tenant_id bigint NOT NULL, persona_id bytea NOT NULL,
    question_hash bytea NOT NULL CHECK (length(question_hash) = 32), answer bigint NOT NULL,
    retest bigint, content bytea NOT NULL,
    PRIMARY KEY (tenant_id, question_hash, persona_id),
    FOREIGN KEY (tenant_id, persona_id) REFERENCES persona (tenant_id, id)
);
CREATE INDEX reference_answer_persona ON reference_answer (tenant_id, persona_id,
    question_hash)
"""

# A page of long personas is read in a third of the time where they are not compressed and stand in
# the table itself up to its page's size. Statistics must not be those of an empty table for long.
SETTINGS = (
    "ALTER TABLE persona ALTER framed SET STORAGE EXTERNAL",
    "ALTER TABLE persona SET (toast_tuple_target = 8160, autovacuum_vacuum_scale_factor = 0.02, "
    "autovacuum_vacuum_insert_scale_factor = 0.05)",
)


def up(migrator: object, db: Any) -> None:  # noqa: ARG001 (as the runner calls it)
    """Make every table and index, one statement at a time."""
    for statement in (*TABLES.split(";"), *SETTINGS):
        if statement.strip():
            db.execute_sql(statement)
