"""Writes requirements.lock from pyproject.toml, or with --check says whether it still is what that gives."""

from __future__ import annotations

import difflib
import os
import subprocess
import sys
import sysconfig
import tempfile
from pathlib import Path

ROOT = Path(__file__).resolve().parent.parent
LOCK = ROOT / "requirements.lock"
EXTRAS = ("demo", "dev")
# What uv says when it never reached an index, as against an index that gave a bad answer.
UNREACHED = (
    "failed to fetch",
    "error sending request",
    "could not connect",
    "dns error",
    "network connectivity",
)


class NotResolved(Exception):
    """uv gave no lock; `offline` where that is because no index was reached."""

    def __init__(self, message: str) -> None:
        super().__init__(message)
        self.offline = any(sign in message.casefold() for sign in UNREACHED)


def compiled(preferred: str) -> str:
    """The lock that pyproject.toml gives now, keeping the versions of `preferred` wherever they still fit."""
    with tempfile.TemporaryDirectory() as folder:
        output = Path(folder) / LOCK.name
        if preferred:
            output.write_text(preferred, encoding="utf-8")
        command = [
            str(Path(sysconfig.get_path("scripts")) / "uv"),
            *("pip", "compile", "pyproject.toml", "--quiet", "--universal", "--python-version", "3.11"),
            # The system's certificates, as pip uses them: an index may lie behind a proxy of one's own.
            "--system-certs",
            # pip wants extras that a package asks for pinned by that name: a lock that names `coverage` and
            # not `coverage[toml]` cannot be installed any more once a newer coverage is out.
            "--no-strip-extras",
            *("--generate-hashes", "--no-emit-index-url", "--no-header", "--no-config"),
            *(f"--extra={extra}" for extra in EXTRAS),
            f"--output-file={output}",
        ]
        ran = subprocess.run(command, cwd=ROOT, capture_output=True, text=True, check=False)
        if ran.returncode != 0:
            raise NotResolved(ran.stderr.strip())
        return output.read_text(encoding="utf-8")


def check() -> int:
    """0 when the lock is current, or when nobody could be asked outside CI; else 1 and what differs."""
    held = LOCK.read_text(encoding="utf-8")
    try:
        wanted = compiled(held)
    except NotResolved as fault:
        if not fault.offline or os.environ.get("CI"):
            print(f"requirements.lock: not checked\n{fault}", file=sys.stderr)
            return 1
        print("requirements.lock: no package index was reached, so whether it is current was NOT checked")
        return 0
    if held == wanted:
        print("requirements.lock: current")
        return 0
    changes = difflib.unified_diff(
        held.splitlines(), wanted.splitlines(), LOCK.name, "pyproject.toml gives", lineterm=""
    )
    print("\n".join(changes), file=sys.stderr)
    print("requirements.lock is not what pyproject.toml gives: run `make lock`", file=sys.stderr)
    return 1


def write(*, upgrade: bool) -> int:
    """Writes the lock; `upgrade` forgets the versions it held."""
    held = LOCK.read_text(encoding="utf-8") if LOCK.exists() and not upgrade else ""
    try:
        LOCK.write_text(compiled(held), encoding="utf-8")
    except NotResolved as fault:
        print(f"requirements.lock: left as it was\n{fault}", file=sys.stderr)
        return 1
    print("requirements.lock: written")
    return 0


if __name__ == "__main__":
    asked = sys.argv[1:]
    if asked not in ([], ["--check"], ["--upgrade"]):
        sys.exit("usage: tools/lock.py [--check | --upgrade]")
    sys.exit(check() if asked == ["--check"] else write(upgrade=asked == ["--upgrade"]))
