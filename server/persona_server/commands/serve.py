"""`persona serve`: the service itself. Its flags are made from the settings table."""

import inspect
from collections.abc import Callable
from typing import Annotated, Any

import typer
from rich.markup import escape

from persona_server.settings.config import SETTINGS
from persona_server.settings.setting import Setting


def register(app: typer.Typer) -> None:
    """Add the command."""
    serve = _with_settings_as_flags(_serve)
    app.command("serve", help="Run the service: gRPC, REST and metrics.")(serve)


def _serve(flags: dict[str, str | None]) -> None:
    from persona_server.running.start import serve

    serve(flags)


def _with_settings_as_flags(
    function: Callable[[dict[str, str | None]], None],
) -> Callable[..., None]:
    """Give a function that takes flags by setting name the signature that typer reads."""

    def command(**flags: Any) -> None:
        function({name: _text(value) for name, value in flags.items()})

    parameters = []
    for setting in SETTINGS:
        kind: Any = _kind(setting)
        default = setting.default or "unset"
        # Typer would take what stands in brackets for a style.
        text = escape(f"{setting.help} [env: {setting.variable}, default: {default}]")
        flag = setting.flag
        names = (f"{flag}/--no-{flag[2:]}",) if setting.is_switch else (flag,)
        option = Annotated[kind, typer.Option(*names, help=text, show_default=False)]
        parameters.append(
            inspect.Parameter(
                setting.name, inspect.Parameter.KEYWORD_ONLY, default=None, annotation=option
            )
        )
    command.__signature__ = inspect.Signature(parameters)  # type: ignore[attr-defined]
    command.__annotations__ = {p.name: p.annotation for p in parameters}
    return command


def _kind(setting: Setting) -> Any:
    if setting.is_switch:
        return bool | None
    return list[str] | None if setting.is_repeatable else str | None


def _text(value: str | bool | list[str] | None) -> str | None:
    if isinstance(value, bool):
        return "on" if value else "off"
    return ",".join(value) or None if isinstance(value, list) else value
