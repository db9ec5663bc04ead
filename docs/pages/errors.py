"""Everything that can go wrong, from the one tree of errors."""

from __future__ import annotations

from collections.abc import Iterator

from aforo.cli.app import exit_code
from aforo.errors import AforoError
from aforo.http.problems import INTERNAL, kind_of, type_of
from pages.writing import as_json, code, paragraphs, sentence, table

INTRO = """
# Errors

Every error has a code from this closed list, says what came and what was wanted, and mostly what to do.
Over HTTP it is a problem (RFC 9457) of the type `application/problem+json`, in which `code` is the word
to look for in a program. On the command line it is told on standard error, and the exit code says what
kind it is: 1 that it failed, 2 that something was refused or used wrongly. What a server says no to
ends the command line in the same way as the same mistake without one.

An indented error is a special case of the one above it.
"""

INTERNAL_TEXT = f"""
A mistake of our own is told as `{INTERNAL}` with status 500 and nothing of the inside; the server's log
has the rest.

## A problem
"""


def page() -> str:
    """The tree of errors, and what one looks like over HTTP."""
    rows = [
        (
            f"{'&nbsp;' * 4 * depth}{code(error.code)}",
            sentence(error.__doc__),
            _status(error),
            exit_code(error),
        )
        for error, depth in tree()
    ]
    example = {
        "type": type_of("unknown_name"),
        "title": "A name in the request is not known",
        "status": 400,
        "detail": "there is no metric named 'flihgts'",
        "code": "unknown_name",
        "hint": "did you mean 'flights'?",
    }
    return paragraphs(
        INTRO, table(("code", "what it says", "HTTP", "exit"), rows), INTERNAL_TEXT, as_json(example)
    )


def _status(error: type[AforoError]) -> str:
    """Nothing where the error is none that a request can meet."""
    kind = kind_of(error)
    return "" if kind.error is AforoError else str(kind.status)


def tree(error: type[AforoError] = AforoError, depth: int = 0) -> Iterator[tuple[type[AforoError], int]]:
    """Every error below one, in the order of the source, with how deep it stands."""
    for each in error.__subclasses__():
        yield each, depth
        yield from tree(each, depth + 1)
