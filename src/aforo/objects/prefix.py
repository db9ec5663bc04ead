"""URIs of files, and whether one lies below another: by their text alone, before anything is opened.

`file:` URIs are percent-encoded as everywhere; keys of S3 are taken as they are written.
"""

from __future__ import annotations

from dataclasses import dataclass
from enum import StrEnum
from urllib.parse import quote, unquote

from aforo.errors import OutsidePrefix, suggestion

LONGEST_URI = 4_096


class Scheme(StrEnum):
    """Where files are kept."""

    FILE = "file"
    S3 = "s3"


@dataclass(frozen=True, slots=True)
class Prefix:
    """What lies below one URI: `file:///srv/sales/` or `s3://bucket/sales/`.

    `root` is the directory, or the bucket; `within` leads from it to the files, empty or ending in `/`.
    """

    uri: str
    scheme: Scheme
    root: str
    within: str

    @classmethod
    def of(cls, uri: str) -> Prefix:
        """Raises OutsidePrefix for what is no prefix."""
        scheme, rest = _scheme(uri)
        if not rest.endswith("/"):
            raise OutsidePrefix(f"the prefix {uri!r} ends in no '/'", hint=f"write {uri + '/'!r}")
        host, _, path = rest.partition("/")
        if scheme is Scheme.FILE:
            if host:
                raise OutsidePrefix(
                    f"the prefix {uri!r} names the machine {host!r}",
                    hint="write file:///, with three strokes",
                )
            steps = _steps(uri, path, scheme)
            return cls(uri, scheme, "/" + "/".join(steps), "")
        if not host:
            raise OutsidePrefix(f"the prefix {uri!r} names no bucket", hint="write s3://BUCKET/FOLDER/")
        _steps(uri, path, scheme)
        return cls(uri, scheme, host, path)

    def steps(self, uri: str) -> tuple[str, ...]:
        """The names that lead from the prefix to what a URI names; none for the prefix itself."""
        if len(uri) > LONGEST_URI:
            raise OutsidePrefix(f"a URI of {len(uri)} characters came, at most {LONGEST_URI} are taken")
        if not uri.startswith(self.uri):
            raise OutsidePrefix(
                f"{uri!r} does not lie below {self.uri!r}",
                hint="files are read and written only below the prefix that their dataset is registered with",
            )
        return _steps(uri, uri[len(self.uri) :], self.scheme)

    def beside(self, uri: str, path: str) -> str:
        """The URI of a path that is written relative to the folder of another URI."""
        self.steps(uri)
        steps = _plain(f"the path {path!r}", path)
        folder = uri[: uri.rfind("/") + 1]
        found = folder + "/".join(quote(each) if self.scheme is Scheme.FILE else each for each in steps)
        self.steps(found)
        return found


def _scheme(uri: str) -> tuple[Scheme, str]:
    word, mark, rest = uri.partition("://")
    if len(uri) > LONGEST_URI or not mark or word not in set(Scheme):
        known = [f"{each}://" for each in Scheme]
        raise OutsidePrefix(f"{uri[:200]!r} is no URI of files", hint=suggestion(word + mark, known))
    return Scheme(word), rest


def _steps(uri: str, path: str, scheme: Scheme) -> tuple[str, ...]:
    """The names in the rest of a URI; it may end in `/`, as a folder's does."""
    found = path.removesuffix("/")
    if not found and not path:
        return ()
    names = found.split("/")
    if scheme is Scheme.FILE:
        names = [unquote(each) for each in names]
    return _checked(f"{uri!r}", names)


def _plain(what: str, path: str) -> tuple[str, ...]:
    if len(path) > LONGEST_URI:
        raise OutsidePrefix(f"a path of {len(path)} characters came, at most {LONGEST_URI} are taken")
    return _checked(what, path.split("/"))


def _checked(what: str, names: list[str]) -> tuple[str, ...]:
    for name in names:
        if name in ("", ".", "..") or "/" in name or not name.isprintable():
            raise OutsidePrefix(
                f"{what} has the step {name!r}",
                hint="write the names of folders and of the file with one '/' between, and no '.' or '..'",
            )
    return tuple(names)
