"""The command line's help, from its commands as they are declared."""

from __future__ import annotations

from collections.abc import Iterable, Iterator
from enum import Enum
from pathlib import Path

import typer
from typer.core import TyperArgument, TyperCommand, TyperGroup, TyperOption

from aforo.cli.app import DONE, FAILED, REFUSED, app
from pages.writing import block, code, paragraphs, table

NAME = "aforo"
WORDS = {Path: "PATH", int: "NUMBER", float: "NUMBER", str: "TEXT"}

AFTER = f"""
`--data` and `--format` may stand anywhere on the line.

While a server holds the data directory, `load`, `ask`, `explain`, `retention`, `funnel`, `fold`, `refusals`,
`doctor`, `keys` and `runs` work through it and say the same; `serve` and `demo` need the directory for
themselves, and `worker` needs nothing but the store.
With the setting `url` they work through the server there, with the setting `key` where it asks for one.

Answers go to standard output; progress, warnings and errors to standard error.

## Exit codes

| code | when |
| --- | --- |
| {DONE} | all is done |
| {FAILED} | it failed: the disk, the server or the data directory did not do what was asked |
| {REFUSED} | some events were refused and the rest is loaded, or the command, the question, a model file \
or a setting is wrong |
| 130 | it was interrupted from the keyboard |

[errors.md](errors.md) names the exit code of every error.
"""


def page() -> str:
    """What holds for all commands, then each command with its arguments and options."""
    group = typer.main.get_command(app)
    assert isinstance(group, TyperGroup)
    parts = [
        "# The command line",
        group.help or "",
        block(f"{NAME} [--data PATH] [--format table|json|csv] COMMAND ...", "text"),
        _options(group.params),
        AFTER,
    ]
    for name, command in commands(group):
        parts += [
            f"## `{NAME} {name}`",
            command.help or "",
            block(_usage(name, command.params), "text"),
            _arguments(command.params),
            _options(command.params),
        ]
    return paragraphs(*parts)


def commands(group: TyperGroup, before: str = "") -> Iterator[tuple[str, TyperCommand]]:
    """Every command with all its words; a group itself does nothing and is left out."""
    for name, command in group.commands.items():
        if isinstance(command, TyperGroup):
            yield from commands(command, f"{before}{name} ")
        else:
            assert isinstance(command, TyperCommand)
            yield f"{before}{name}", command


def _usage(name: str, parameters: Iterable[object]) -> str:
    words = [NAME, name]
    for each in parameters:
        if isinstance(each, TyperArgument):
            words.append(_value(each))
        elif isinstance(each, TyperOption) and each.required:
            words.append(f"{each.opts[0]} {_value(each)}")
    return " ".join([*words, "[OPTIONS]"] if any(_optional(each) for each in parameters) else words)


def _optional(parameter: object) -> bool:
    return isinstance(parameter, TyperOption) and not parameter.required


def _arguments(parameters: Iterable[object]) -> str:
    arguments = [each for each in parameters if isinstance(each, TyperArgument)]
    return table(("argument", "what it is"), ((code(_value(each)), each.help) for each in arguments))


def _options(parameters: Iterable[object]) -> str:
    options = [each for each in parameters if isinstance(each, TyperOption)]
    return table(("option", "what it does", "default"), map(_option, options))


def _option(option: TyperOption) -> tuple[str, str, str]:
    names = " / ".join([*option.opts, *option.secondary_opts])
    written = names if option.is_flag else f"{names} {_value(option)}"
    sentence = f"{option.help} May be given several times." if option.multiple else option.help or ""
    return code(written), sentence, _default(option)


def _default(option: TyperOption) -> str:
    if option.required:
        return "must be given"
    if isinstance(option.show_default, str):
        return code(option.show_default)
    if option.is_flag:
        return code(option.opts[0]) if option.default else ""
    value = option.default.value if isinstance(option.default, Enum) else option.default
    return code(value) if value else ""


def _value(parameter: TyperArgument | TyperOption) -> str:
    """What stands for the value: the declared word, the choices, or the type."""
    if parameter.metavar:
        return parameter.metavar
    if isinstance(parameter, TyperArgument):
        return str(parameter.name).upper()
    annotation = parameter.type_descriptor.annotation
    if isinstance(annotation, type) and issubclass(annotation, Enum):
        return "|".join(str(each.value) for each in annotation)
    return next((word for kind, word in WORDS.items() if kind.__name__ in str(annotation)), "TEXT")
