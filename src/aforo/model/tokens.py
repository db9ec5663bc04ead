"""The words of a condition or a formula.

Read here and not by an SQL parser: fields may be called `order`, `from` or `case`, a message should point at
the column that is wrong, and nothing beyond this short list can ever reach an engine.
"""

from __future__ import annotations

import re
from collections.abc import Sequence
from dataclasses import dataclass
from enum import StrEnum

from aforo.errors import InvalidRequest

LONGEST_TEXT = 2_000  # characters
MOST_TOKENS = 400

_PATTERN = re.compile(
    r"""\s*(?:
    (?P<number>(?:\d+(?:\.\d*)?|\.\d+)(?:[eE][+-]?\d{1,3})?)
    | (?P<word>[A-Za-z_][A-Za-z0-9_]*)
    | (?P<string>'(?:[^']|'')*' | "(?:[^"]|"")*")
    | (?P<sign><=|>=|!=|[=<>()+\-*/,])
    )""",
    re.VERBOSE | re.ASCII,
)


class TokenKind(StrEnum):
    """What a token is; `end` stands after the last one."""

    NUMBER = "number"
    WORD = "word"
    STRING = "string"
    SIGN = "sign"
    END = "end"


@dataclass(frozen=True, slots=True)
class Token:
    """A token as it was written, and the column it begins at, from 1."""

    kind: TokenKind
    text: str
    column: int

    def __str__(self) -> str:
        return "the end" if self.kind is TokenKind.END else f"{self.text!r} at column {self.column}"

    @property
    def string(self) -> str:
        """What stands between a string's quotes; a doubled quote is one."""
        quote = self.text[0]
        return self.text[1:-1].replace(quote * 2, quote)

    def says(self, *words: str) -> bool:
        """Whether it is one of these signs, or of these words in any case."""
        if self.kind is TokenKind.WORD:
            return self.text.casefold() in words
        return self.kind is TokenKind.SIGN and self.text in words


def tokens(text: str) -> list[Token]:
    """The tokens of a text, an END last; InvalidRequest where a character starts none of them."""
    if len(text) > LONGEST_TEXT:
        raise InvalidRequest(f"{len(text)} characters came, at most {LONGEST_TEXT} are wanted")
    found: list[Token] = []
    at, end = 0, len(text.rstrip())
    while at < end:
        match = _PATTERN.match(text, at)
        if match is None or match.lastgroup is None:
            raise _unreadable(text, at)
        kind = TokenKind(match.lastgroup)
        found.append(Token(kind, match.group(kind), match.start(kind) + 1))
        at = match.end()
    if len(found) > MOST_TOKENS:
        raise InvalidRequest(f"{len(found)} words and signs came, at most {MOST_TOKENS} are wanted")
    found.append(Token(TokenKind.END, "", end + 1))
    return found


def _unreadable(text: str, at: int) -> InvalidRequest:
    rest = text[at:]
    column = at + len(rest) - len(rest.lstrip()) + 1
    character = rest.lstrip()[0]
    if character in "'\"":
        return InvalidRequest(f"the quote {character} at column {column} is never closed")
    return InvalidRequest(f"{character!r} at column {column} has no meaning here")


class Cursor:
    """A place in a list of tokens that a reader moves along."""

    def __init__(self, found: Sequence[Token]) -> None:
        self._tokens = found
        self._at = 0

    @property
    def here(self) -> Token:
        """The token not yet taken."""
        return self._tokens[self._at]

    def at(self, kind: TokenKind) -> bool:
        """Whether the token here is of this kind."""
        return self.here.kind is kind

    def take(self) -> Token:
        """The token here; moves on, but never past the end."""
        token = self.here
        self._at += 0 if self.at(TokenKind.END) else 1
        return token

    def took(self, *words: str) -> bool:
        """Whether the token here says one of these; moves on if so."""
        if not self.here.says(*words):
            return False
        self._at += 1
        return True

    def want(self, *words: str) -> None:
        """Moves over one of these; InvalidRequest otherwise."""
        if not self.took(*words):
            raise self.wanted(" or ".join(f"'{word}'" for word in words))

    def wanted(self, what: str) -> InvalidRequest:
        """The error for a token that is not `what`."""
        return InvalidRequest(f"{self.here} came where {what} was wanted")
