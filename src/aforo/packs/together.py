"""Replies that are made of several answers about one tenant: whether they can be, and their proof."""

from __future__ import annotations

from collections.abc import Iterable, Mapping
from dataclasses import replace
from typing import Any

from aforo.errors import NotServable
from aforo.model.model import Model
from aforo.questions.answer import Answer
from aforo.questions.proof import asked_together, guard_told
from aforo.windows import Zone


def require_pack(model: Model, pack: str, streams: Iterable[str]) -> None:
    """Raises NotServable where a pack's streams are not there."""
    if not set(streams) <= model.streams.keys():
        raise NotServable(
            f"this is of the streams of the pack {pack}, which is not among the packs",
            hint=f"add {pack} to the setting packs, for example AFORO_PACKS={pack}",
        )


def complete_until(parts: Mapping[str, Answer]) -> int:
    """Up to when everything accepted is in all of the answers, in microseconds."""
    return min(part.proof.freshness.complete_until for part in parts.values())


def proof_of(parts: Mapping[str, Answer], zone: Zone, took_seconds: float, askers: int) -> dict[str, Any]:
    """What holds for all answers, the worst of them, and the proof of each under its name.

    Each is read by itself: what is folded between two of them is in the later one only.
    """
    proofs = [part.proof for part in parts.values()]
    made_up = {"simulated": True} if proofs[0].simulated else {}
    return {
        **made_up,
        "completeUntil": zone.rfc3339(complete_until(parts)),
        "staleSeconds": max(proof.freshness.stale_seconds for proof in proofs),
        "timezone": zone.name,
        "weekStart": zone.week_start,
        "modelVersion": proofs[0].model_version,
        "parts": {name: replace(part.proof, turn=None).as_json() for name, part in parts.items()},
        "tookMs": round(took_seconds * 1000, 3),
        **guard_told(None, proofs[0].turn),
        **asked_together(askers),
    }
