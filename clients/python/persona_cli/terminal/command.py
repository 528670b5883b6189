"""What client commands share: the options of the connection, filters, and how they are run."""

import inspect
import os
import re
from collections.abc import Callable
from dataclasses import dataclass
from typing import Annotated, Any

import typer

from persona_cli.terminal.failures import reporting_errors, usage_error
from persona_cli.terminal.streams import show_what_is_lacking
from persona_client import PersonaClient, PersonaFilters, ProfileFilters, RetryPolicy, TlsFiles
from persona_client.client import DEFAULT_ADDRESS
from persona_server.validation.filters import FILTERS, Filter
from persona_server.validation.limits import MAX_AGE

_FILES = {  # options that name files, by any bytes
    "files", "output", "plot", "targets", "references", "refused", "codebook", "mapping",
}  # fmt: skip
_SURROGATE = re.compile("[\ud800-\udfff]")
# Someone waits at the terminal: tell soon that nobody answers.
_SHORT = RetryPolicy(attempts=4)

Address = Annotated[
    str,
    typer.Option(envvar="PERSONA_ADDRESS", help="HOST:PORT of the service, or https://HOST:PORT."),
]
Token = Annotated[
    str,
    typer.Option(
        envvar="PERSONA_TOKEN",
        help="Access token, as `persona token` prints it.",
        show_default=False,
    ),
]
AsJson = Annotated[
    bool, typer.Option("--json", help="Print one JSON object per line instead of a table.")
]
ProjectOption = Annotated[str, typer.Option("--project", "-p", help="Project, by name or id.")]
GroupOption = Annotated[str, typer.Option("--group", "-g", help="Persona group, by name or id.")]
ExternalIdOption = Annotated[
    str, typer.Option(help="Only the persona with this external id.", show_default=False)
]
FullNameOption = Annotated[
    str, typer.Option(help="Only personas with this full name, in any case.", show_default=False)
]
AttributeOption = Annotated[
    list[str] | None,
    typer.Option(
        "--attribute",
        metavar="KEY=VALUE",
        help="Only personas with this attribute; may be given several times.",
        show_default=False,
    ),
]
Yes = Annotated[bool, typer.Option("--yes", "-y", help="Skip the confirmation.")]


@dataclass(frozen=True, slots=True)
class CommandContext:
    """One run of a client command."""

    client: PersonaClient
    address: str
    token: str
    as_json: bool

    def patient_client(self) -> PersonaClient:
        """Return a client that outlasts a restart of the service, for long work."""
        return PersonaClient(self.address, self.token, tls=TlsFiles.from_environment())


def attributes_of(options: list[str] | None) -> dict[str, str]:
    """Return what --attribute options ask for. Ends the command for one that is no KEY=VALUE."""
    found: dict[str, str] = {}
    for option in options or ():
        key, equals, value = option.partition("=")
        if not equals or key in found:
            raise usage_error(f"--attribute takes KEY=VALUE, each key once; got {option!r}.")
        found[key] = value
    return found


def group_filters(
    filters: ProfileFilters, external_id: str, full_name: str, attribute: list[str] | None
) -> PersonaFilters:
    """Return what personas of a group are found by: `filters`, and options that only they have."""
    return PersonaFilters(
        external_id=external_id, full_name=full_name, attributes=attributes_of(attribute), **filters
    )


def client_command(app: typer.Typer, name: str) -> Callable[..., Any]:
    """Add a command whose function takes a CommandContext first, then its own options.

    The connection's options come with it, and `--json`; a parameter `filters` stands for one option
    for each filter.
    """

    def decorate(function: Callable[..., None]) -> Callable[..., None]:
        own = list(inspect.signature(function, eval_str=True).parameters.values())[1:]
        filtered = any(parameter.name == "filters" for parameter in own)

        def run(**options: Any) -> None:
            options = {name: _as_texts(name, value) for name, value in options.items()}
            address, token = options.pop("address"), options.pop("token").strip()
            as_json = options.pop("as_json")
            if filtered:
                options["filters"] = {each.name: options.pop(each.name) for each in FILTERS}
            _run(lambda context: function(context, **options), address, token, as_json)

        filters = [_filter_option(each) for each in FILTERS] if filtered else []
        shared = [*filters, *inspect.signature(_connection).parameters.values()]
        run.__signature__ = inspect.Signature(  # type: ignore[attr-defined]
            [
                parameter.replace(kind=inspect.Parameter.KEYWORD_ONLY)
                for parameter in (*own, *shared)
                if parameter.name != "filters"
            ]
        )
        run.__annotations__ = {}
        app.command(name, help=inspect.getdoc(function))(run)
        return function

    return decorate


def _as_texts(name: str, value: Any) -> Any:
    """Return an option's value as text. Ends the command for what is none, but for names of files.

    What the locale's encoding lacks comes as surrogates, which no message can hold.
    """
    if isinstance(value, list):
        return [_as_texts(name, each) for each in value]
    if not isinstance(value, str) or name in _FILES:
        return value
    try:
        return os.fsencode(value).decode() if _SURROGATE.search(value) else value
    except UnicodeDecodeError:
        raise usage_error(f"{value!r} is not UTF-8, as names and texts must be.") from None


def _run(
    function: Callable[[CommandContext], None], address: str, token: str, as_json: bool
) -> None:
    show_what_is_lacking()  # but JSON is UTF-8 in any case
    try:
        client = PersonaClient(address, token, retry=_SHORT, tls=TlsFiles.from_environment())
    except ValueError as error:
        raise usage_error(str(error)) from None
    with reporting_errors(address), client:
        function(CommandContext(client, address, token, as_json))


def _connection(
    address: Address = DEFAULT_ADDRESS, token: Token = "", as_json: AsJson = False
) -> None:
    """Declare the options that every client command has."""


def _filter_option(wanted: Filter) -> inspect.Parameter:
    """Return the option of a filter, by which personas are chosen, or a group is defined."""
    text = typer.Option(help=wanted.help, show_default=False)
    years = typer.Option(min=0, max=MAX_AGE, help=wanted.help, show_default=False)
    return inspect.Parameter(
        wanted.name,
        inspect.Parameter.KEYWORD_ONLY,
        default="" if wanted.is_text else 0,
        annotation=Annotated[str, text] if wanted.is_text else Annotated[int, years],
    )
