"""The command line's commands and what holds for all of them: settings, output and exit codes."""

from __future__ import annotations

import os
import sys
from collections.abc import Callable, Iterable, Iterator, Sequence
from contextlib import contextmanager
from pathlib import Path
from typing import Annotated, TypeAlias

import typer

from aforo import __version__
from aforo.cli import (
    ask,
    backfill,
    cache,
    compact,
    demo,
    doctor,
    erase,
    explain,
    fold,
    funnel,
    keys,
    load,
    models,
    refusals,
    retention,
    runs,
    seen,
    serve,
    simulate,
    worker,
)
from aforo.cli.output import Format, complain
from aforo.cli.session import Session
from aforo.errors import (
    AforoError,
    Conflict,
    InvalidModel,
    InvalidRequest,
    InvalidSettings,
    ModelConflict,
    NotServable,
    QuestionTooLarge,
    StorageError,
)

DONE, FAILED, REFUSED = 0, 1, 2
"""Exit codes: all is done; it failed; something was refused or used wrongly."""

WRONG_USE = (
    Conflict,
    InvalidRequest,
    InvalidModel,
    InvalidSettings,
    ModelConflict,
    NotServable,
    QuestionTooLarge,
)
"""Errors that a person mends by asking or writing something else."""

Command: TypeAlias = Callable[..., None] | typer.Typer


def _tell_version(asked: bool) -> None:
    if asked:
        typer.echo(f"aforo {__version__}")
        raise typer.Exit


def options(
    context: typer.Context,
    data: Annotated[
        Path | None, typer.Option("--data", help="The data directory.", show_default="./aforo-data")
    ] = None,
    format_: Annotated[
        Format, typer.Option("--format", help="How answers are written; json is the HTTP reply.")
    ] = Format.TABLE,
    _version: Annotated[
        bool,
        typer.Option("--version", callback=_tell_version, is_eager=True, help="Tell the version and end."),
    ] = False,
) -> None:
    """Reads the settings that every command uses."""
    if format_ in (Format.ARROW, Format.PARQUET) and context.invoked_subcommand != "ask":
        raise typer.BadParameter(f"only the answers of 'aforo ask' are written as {format_}")
    context.obj = Session.of(os.environ, {"data": None if data is None else str(data)}, format_)


COMMANDS: Sequence[Command] = (
    *(load.load, ask.ask, serve.serve, demo.demo, fold.fold, refusals.refusals, doctor.doctor),
    *(explain.explain, retention.retention, funnel.funnel, seen.seen),
    *(models.models, simulate.simulate, compact.compact, erase.erase, erase.erasures),
    *(keys.keys, backfill.backfill, cache.cache, runs.runs),
    worker.worker,
)


def with_commands(commands: Iterable[Command]) -> typer.Typer:
    """The command line with some of its commands."""
    made = typer.Typer(
        name="aforo",
        no_args_is_help=True,
        add_completion=False,
        pretty_exceptions_enable=False,
        help="Streams of product events become metrics that carry their proof.",
    )
    made.callback()(options)
    for command in commands:
        if isinstance(command, typer.Typer):
            made.add_typer(command)
        else:
            made.command()(command)
    return made


app = with_commands(COMMANDS)


def run(arguments: Sequence[str] | None = None) -> None:
    """Runs one command and ends the process with its exit code."""
    given = list(sys.argv[1:] if arguments is None else arguments)
    front, rest = _apart(given)
    # Typer works out the options of every command there is, a tenth of the time that a short one takes.
    asked = [each for each in COMMANDS if rest and _name(each) == rest[0]]
    with _said():
        (with_commands(asked) if asked else app)(args=[*front, *rest], prog_name="aforo")


def _name(command: Command) -> str:
    return str(command.info.name if isinstance(command, typer.Typer) else command.__name__)


def _apart(arguments: list[str]) -> tuple[list[str], list[str]]:
    """`--data` and `--format` may stand anywhere: they go to the front, where they are declared."""
    front: list[str] = []
    rest: list[str] = []
    remaining = iter(arguments)
    for argument in remaining:
        if argument == "--":
            rest += [argument, *remaining]
        elif argument in ("--data", "--format"):
            value = next(remaining, None)
            if value is None:
                # Which is then told as lacking its value, and takes no other word for it.
                return [argument], []
            front += [argument, value]
        elif argument.startswith(("--data=", "--format=")):
            front.append(argument)
        else:
            rest.append(argument)
    return front, rest


def exit_code(error: type[AforoError]) -> int:
    """What a command ends with when it meets an error."""
    return REFUSED if issubclass(error, WRONG_USE) else FAILED


@contextmanager
def _said() -> Iterator[None]:
    """Errors are told to people, and by the exit code to programs."""
    try:
        yield
    except AforoError as error:
        complain(error)
        raise SystemExit(exit_code(type(error))) from error
    except KeyboardInterrupt as interrupt:
        raise SystemExit(130) from interrupt
    except BrokenPipeError as error:
        # Whoever read our output has gone; nothing is left to say, and no second error at exit either.
        os.dup2(os.open(os.devnull, os.O_WRONLY), sys.stdout.fileno())
        raise SystemExit(FAILED) from error
    except OSError as error:
        complain(StorageError(str(error)))
        raise SystemExit(FAILED) from error
