"""Files below a directory of this machine.

Below the prefix no link is followed, so that nothing outside can be named: each folder is opened from the one
above it, and what is swapped meanwhile makes the opening fail.
"""

from __future__ import annotations

import errno
import os
import re
import secrets
import stat
from collections.abc import Callable, Iterator
from contextlib import contextmanager, suppress
from pathlib import Path
from typing import BinaryIO
from urllib.parse import quote

from aforo.errors import AforoError, NoSuchObject, ObjectError, OutsidePrefix, StorageFull
from aforo.objects.copying import CHUNK_BYTES, copied, pieces, too_large
from aforo.objects.object import Fetched
from aforo.objects.prefix import Prefix

FOLDER = os.O_RDONLY | os.O_DIRECTORY | os.O_CLOEXEC
# A pipe would be waited for; it is opened without, and then refused.
PLAIN = os.O_RDONLY | os.O_NOFOLLOW | os.O_NONBLOCK | os.O_CLOEXEC
NEW = os.O_WRONLY | os.O_CREAT | os.O_EXCL | os.O_CLOEXEC
UNFINISHED = ".unfinished-"
UNFINISHED_NAME = re.compile(rf"{re.escape(UNFINISHED)}[0-9a-f]{{16}}")


class DirectoryObjects:
    """Objects of `file:` URIs."""

    def __init__(self, prefix: Prefix) -> None:
        self._prefix = prefix

    @property
    def prefix(self) -> Prefix:
        return self._prefix

    def read(self, uri: str, most_bytes: int) -> bytes:
        with self._opened(uri) as file:
            content = file.read(most_bytes + 1)
        if len(content) > most_bytes:
            raise too_large(uri, most_bytes)
        return content

    def fetch(self, uri: str, into: BinaryIO, most_bytes: int) -> Fetched:
        with self._opened(uri) as file:
            return copied(uri, lambda: file.read(CHUNK_BYTES), into, most_bytes)

    def create(self, uri: str, content: bytes | Path) -> bool:
        *folders, name = self._steps_of_a_file(uri)
        with _told(uri), self._folder(folders, make=True) as folder:
            unfinished = f"{UNFINISHED}{secrets.token_hex(8)}"
            descriptor = os.open(unfinished, NEW, 0o644, dir_fd=folder)
            try:
                with os.fdopen(descriptor, "wb") as file:
                    for piece in pieces(content):
                        file.write(piece)
                    file.flush()
                    os.fsync(file.fileno())
                try:
                    os.link(unfinished, name, src_dir_fd=folder, dst_dir_fd=folder, follow_symlinks=False)
                except FileExistsError:
                    return False
            finally:
                os.unlink(unfinished, dir_fd=folder)
            os.fsync(folder)
        return True

    def exists(self, uri: str) -> bool:
        try:
            with self._opened(uri):
                return True
        except NoSuchObject:
            return False

    def remove(self, uri: str) -> None:
        *folders, name = self._steps_of_a_file(uri)
        with suppress(NoSuchObject), _told(uri):
            with self._folder(folders, make=False) as folder:
                os.unlink(name, dir_fd=folder)
            self._take_away_if_empty(folders)

    def below(self, uri: str) -> Iterator[str]:
        return self._listed(uri, lambda name: not name.startswith(UNFINISHED))

    def unfinished(self, uri: str) -> Iterator[str]:
        return self._listed(uri, lambda name: UNFINISHED_NAME.fullmatch(name) is not None)

    def _listed(self, uri: str, wanted: Callable[[str], bool]) -> Iterator[str]:
        steps = self._prefix.steps(uri)
        with _told(uri):
            try:
                with self._folder(list(steps), make=False) as folder:
                    yield from _files(folder, uri.removesuffix("/") + "/", wanted)
            except FileNotFoundError:
                return

    def _take_away_if_empty(self, steps: list[str]) -> None:
        """The deepest folder first, until one holds something, or another took it away."""
        while steps:
            *steps, name = steps
            try:
                with self._folder(steps, make=False) as above:
                    os.rmdir(name, dir_fd=above)
            except OSError as kept:
                if kept.errno in (errno.ENOTEMPTY, errno.EEXIST, errno.ENOENT):
                    return
                raise

    @contextmanager
    def _opened(self, uri: str) -> Iterator[BinaryIO]:
        *folders, name = self._steps_of_a_file(uri)
        with (
            _told(uri),
            self._folder(folders, make=False) as folder,
            os.fdopen(os.open(name, PLAIN, dir_fd=folder), "rb") as file,
        ):
            if not stat.S_ISREG(os.fstat(file.fileno()).st_mode):
                raise NoSuchObject(f"{uri} is no file", hint="name a file, and no folder or pipe")
            yield file

    @contextmanager
    def _folder(self, steps: list[str], *, make: bool) -> Iterator[int]:
        """A descriptor of the folder that the steps lead to; only to the prefix may links lead."""
        if make:
            Path(self._prefix.root).mkdir(parents=True, exist_ok=True)
        folder = os.open(self._prefix.root, FOLDER)
        try:
            for step in steps:
                if make:
                    _make(step, folder)
                above, folder = folder, os.open(step, FOLDER | os.O_NOFOLLOW, dir_fd=folder)
                os.close(above)
            yield folder
        finally:
            os.close(folder)

    def _steps_of_a_file(self, uri: str) -> tuple[str, ...]:
        steps = self._prefix.steps(uri)
        if not steps or uri.endswith("/"):
            raise NoSuchObject(f"{uri} is a folder", hint="name a file in it")
        return steps


def _make(step: str, folder: int) -> None:
    with suppress(FileExistsError):
        os.mkdir(step, 0o755, dir_fd=folder)
        os.fsync(folder)


def _files(folder: int, uri: str, wanted: Callable[[str], bool]) -> Iterator[str]:
    """Files in the order of their whole URIs, as S3 lists them; what goes away meanwhile is none."""
    kinds = {name: kind for name in os.listdir(folder) if (kind := _kind(folder, name))}
    for name in sorted(kinds, key=lambda name: f"{name}/" if stat.S_ISDIR(kinds[name]) else name):
        if stat.S_ISREG(kinds[name]) and wanted(name):
            yield uri + quote(name)
        elif stat.S_ISDIR(kinds[name]):
            with suppress(FileNotFoundError), _inside(name, folder) as inner:
                yield from _files(inner, f"{uri}{quote(name)}/", wanted)


def _kind(folder: int, name: str) -> int:
    """The mode of what has a name in a folder; 0 where nothing has it any more."""
    try:
        return os.stat(name, dir_fd=folder, follow_symlinks=False).st_mode
    except FileNotFoundError:
        return 0


@contextmanager
def _inside(name: str, folder: int) -> Iterator[int]:
    inner = os.open(name, FOLDER | os.O_NOFOLLOW, dir_fd=folder)
    try:
        yield inner
    finally:
        os.close(inner)


@contextmanager
def _told(uri: str) -> Iterator[None]:
    """What the system says of a file, as an error that a person can mend."""
    try:
        yield
    except OSError as error:
        raise _error_of(uri, error) from error


def _error_of(uri: str, error: OSError) -> AforoError:
    match error.errno:
        case errno.ENOENT | errno.EISDIR:
            return NoSuchObject(
                f"there is no file {uri}", hint="look at the name, and whether it was removed"
            )
        case errno.ENOTDIR:
            return NoSuchObject(
                f"there is no file {uri}: a step of it is no folder, or a link",
                hint="links below a prefix are not followed; name the folder itself",
            )
        case errno.ELOOP:
            return OutsidePrefix(
                f"{uri} is a link", hint="links below a prefix are not followed; name the file itself"
            )
        case errno.ENOSPC | errno.EDQUOT:
            return StorageFull(f"the disk is full while {uri} is copied", hint="make room on it")
        case _:
            return ObjectError(
                f"{uri} cannot be used: {error.strerror or error}", hint="may this process do it?"
            )
