"""The settings: one table, `Settings`, from which the flags, their help and the docs are made."""

import os
from dataclasses import dataclass, fields
from pathlib import Path

from persona_server.settings import values
from persona_server.settings.setting import Setting, setting

DAY = 86_400  # seconds


def default_data() -> str:
    """Return the data folder of an installed service."""
    base = os.environ.get("XDG_DATA_HOME") or "~/.local/share"
    return f"{base}/persona"


_QUOTA = values.whole_between(1, 10**15)


@dataclass(frozen=True)
class Settings:
    """The values of all settings. This is the one place where a setting is added.

    Those from `min_simulations` to `max_trend_points` are the limits of measures/individual, by the
    names of its policy.py; those with the prefix `quota_` are the quotas of quotas.py.
    """

    config: Path | None = setting(
        "",
        "TOML file of settings: NAME = VALUE, by the names of the flags with _ for -.",
        values.file_or_unset,
    )
    data: Path = setting(
        default_data(), "Folder of the database, made for its owner alone.", values.folder
    )
    database: str = setting(
        "",
        "URL of a PostgreSQL database in place of the file in --data, such as "
        "postgresql://USER@HOST:PORT/NAME.",
        values.database,
    )
    pooler: bool = setting(
        "off",
        "Rely on no session of PostgreSQL beyond one transaction, as behind a pooler such as "
        "PgBouncer in transaction mode.",
        values.switch,
    )
    read_database: str = setting(
        "",
        "URL of a replica of --database, from which pages of personas are read once it has them.",
        values.database,
    )
    listen: values.Address = setting(
        "127.0.0.1:50051", "HOST:PORT of gRPC; port 0 picks a free one.", values.address
    )
    rest: values.Address | None = setting(
        "127.0.0.1:8080", "HOST:PORT of REST, or off.", values.address_or_off
    )
    metrics: values.Address | None = setting(
        "127.0.0.1:9464", "HOST:PORT of Prometheus metrics, or off.", values.address_or_off
    )
    tracing: bool = setting(
        "off",
        "Send traces by OTLP, as the OTEL_* variables say; needs persona-service[tracing].",
        values.switch,
    )
    metrics_tenants: int = setting(
        "0",
        "How many tenants the metrics name: the first that call; all others count as one.",
        values.whole_between(0, 1000),
    )
    workers: int = setting(
        "1",
        "Processes that serve gRPC at the one port, each on a core of its own; 1 serves it in the "
        "process that is started. `cores` stands for as many as it may use.",
        values.processes,
    )
    tls_cert: Path | None = setting(
        "",
        "File of the certificate, PEM, with those between it and its root: gRPC, REST and metrics "
        "are served by TLS alone.",
        values.file_or_unset,
    )
    tls_key: Path | None = setting(
        "", "File of the certificate's key, PEM, without a password.", values.file_or_unset
    )
    tls_client_ca: Path | None = setting(
        "",
        "File of certificates, PEM: only clients with a certificate of one of these are served.",
        values.file_or_unset,
    )
    demo: bool = setting(
        "off", "Make a demo project in a database that this start creates.", values.switch
    )
    init: bool = setting(
        "off",
        "Make a new service where there is no database; where other machines can reach it, none is "
        "made without this.",
        values.switch,
    )
    local_tokens: bool | None = setting(
        "",
        "Whether tokens of the local key are accepted, on or off; where other machines can reach "
        "the service it must be set.",
        values.switch_or_unset,
    )
    jwks_url: str = setting(
        "",
        "Address of the key set of an identity provider, by https (http on this machine), whose "
        "tokens are taken.",
        values.key_set_url,
    )
    jwks_issuer: str = setting("", "Issuer of the provider's tokens, as in their iss.", str)
    jwks_audience: str = setting(
        "", "Audience that the provider's tokens must have in aud: this service.", str
    )
    jwks_tenant_claim: str = setting(
        "tenant", "Claim of the provider's tokens that names the tenant.", values.name_of_claim
    )
    jwks_scope_claim: str = setting(
        "scope",
        "Claim of the provider's tokens with scopes, or with roles as role:reader: words or a "
        "list.",
        values.name_of_claim,
    )
    jwks_refresh: float = setting(
        "30",
        "Seconds between two fetches of the key set, at least, when a token names a key that is "
        "not known; else it is fetched every 300.",
        values.seconds_between(1, 3600),
    )
    jwks_keep: float = setting(
        "86400",
        "Seconds for which the provider's keys are accepted while its key set can't be fetched.",
        values.seconds_between(1, 30 * DAY),
    )
    print_token: bool = setting(
        "off",
        "Print a first token at a start on loopback even if stdout is not a terminal.",
        values.switch,
    )
    open_reflection: bool = setting(
        "off", "Let callers without a token use reflection.", values.switch
    )
    public_grpcio: bool = setting(
        "off",
        "Use only what is public in grpcio; docs/promises.md says what does not hold then.",
        values.switch,
    )
    gateway_program: str = setting(
        "", "Path of persona-gateway; if unset, beside `persona`, else on PATH.", str
    )
    trusted_proxies: str = setting(
        "",
        "Networks, separated by commas, of the proxies before REST whose X-Forwarded-For names the "
        "caller.",
        values.networks,
    )
    cors_origin: tuple[str, ...] = setting(
        "",
        "Origin whose pages browsers let call REST, such as https://app.example.org; repeated, or "
        "several separated by commas.",
        values.origins,
    )
    gateway_options: tuple[str, ...] = setting(
        "",
        "More flags for persona-gateway, for the limits that `persona-gateway --help` lists.",
        values.flags,
    )
    retention: float = setting(
        str(30 * DAY),
        "Seconds after which deleted personas are purged for good; at least 60.",
        values.seconds_between(60, 36_500 * DAY),
    )
    promotion: bool = setting(  # whether it is automatic
        "manual",
        "Whether reliable personas are promoted by PromotePersona alone (manual), or also by the "
        "server when answers come (automatic).",
        values.automatic,
    )
    min_simulations: int = setting(
        "3", "Simulations that a promotion needs, at least 2.", values.whole_between(2, 10**6)
    )
    min_questions: int = setting(
        "15", "Comparable questions that a promotion needs.", values.whole_between(1, 10**6)
    )
    min_attainable: float = setting(
        "0.7",
        "What perfect agreement on as much data must be able to earn, for a promotion.",
        values.share,
    )
    min_lower_bound: float = setting(
        "0.7", "Lower bound of reliability that a promotion needs.", values.share
    )
    max_straight_lining: float = setting(
        "0.4",
        "How much more often than others one may give one position of a scale, for a promotion.",
        values.share,
    )
    max_acquiescence: float = setting(
        "0.45",
        "How much more or less often than others one may rate above the midpoint, for a promotion.",
        values.share,
    )
    max_first_option: float = setting(
        "0.35",
        "How much more often than others one may take the option shown first, for a promotion.",
        values.share,
    )
    min_noise_differences: int = setting(
        "10",
        "Others' successive differences that a reliable change is measured against.",
        values.whole_between(1, 10**6),
    )
    min_noise_individuals: int = setting(
        "5",
        "Other individuals with such a difference that one simulation at least must have.",
        values.whole_between(1, 10**6),
    )
    max_trend_points: int = setting(
        "60",
        "Points up to which the exact trend test is made; its cost grows with their third power.",
        values.whole_between(5, 200),
    )
    quota_calls_per_second: int = setting(
        "10000", "Calls a second of a tenant, by default; this many may come at once.", _QUOTA
    )
    quota_bytes_per_second: int = setting(
        "1073741824", "Bytes a second of a tenant's requests and answers, by default.", _QUOTA
    )
    quota_concurrent_calls: int = setting(
        "2500", "Calls of a tenant that wait or are served at once, by default.", _QUOTA
    )
    quota_streams: int = setting(
        "8", "Imports and exports of a tenant at once, by default.", _QUOTA
    )
    quota_stored_bytes: int = setting(
        "1099511627776",
        "Bytes of a tenant's stored personas, purged ones not, and of its recorded and reference "
        "answers, by default.",
        _QUOTA,
    )
    page_cache_bytes: int = setting(
        "0",
        "Bytes of memory for pages of personas that are listed again and again, such as 33554432.",
        values.whole_between(0, 1 << 40),
    )
    stream_idle_seconds: float = setting(
        "30",
        "Seconds after which an import that brings nothing new ends, and any stream that is not "
        "read; both can be resumed.",
        values.seconds_between(1, 3600),
    )
    grace: float = setting(
        "10", "Seconds for calls in flight to end at shutdown.", values.seconds_between(0, 600)
    )
    log_level: str = setting(
        "info", "debug, info (logs every call), warning or error.", values.log_level
    )

    @property
    def place(self) -> Path | str:
        """Where the database is: the URL of one of PostgreSQL, else the folder of SQLite's."""
        return self.database or self.data


SETTINGS = tuple(Setting(each.name, **each.metadata) for each in fields(Settings))
