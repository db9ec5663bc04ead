"""Definitions as people write them in a file."""

from __future__ import annotations

import json
from pathlib import Path

import yaml

from aforo.errors import UnreadableFile

MOST_BYTES = 8 * 2**20


def definitions_in(file: Path) -> object:
    """What a file of YAML or JSON says. Raises UnreadableFile."""
    if file.stat().st_size > MOST_BYTES:
        raise UnreadableFile(f"{file} has more than {MOST_BYTES:,} bytes", hint="define it in several files")
    try:
        text = file.read_text(encoding="utf-8")
        return json.loads(text) if file.suffix == ".json" else yaml.safe_load(text)
    except (UnicodeDecodeError, json.JSONDecodeError, yaml.YAMLError, RecursionError) as error:
        told = " ".join(str(error).split())
        raise UnreadableFile(
            f"{file} cannot be read: {told[:300]}", hint="write it in YAML, or in JSON as a file .json"
        ) from error
