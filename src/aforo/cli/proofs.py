"""The proof of an answer in words."""

from __future__ import annotations

from aforo.cli.output import Json


def _reads(proof: Json) -> list[Json]:
    """What was read of each stream that was asked."""
    return list(proof["streams"].values()) if "streams" in proof else [proof]


_ASIDE = {
    "comparison": "compared with what was read",
    "ranking": "ranked by what was read",
    "rankingComparison": "and by what was read of the other window",
    "totals": "totals are",
    "totalsComparison": "totals are compared with what was read",
}


def considered_lines(proof: Json) -> list[str]:
    """Which rollups were considered for each part of an answer, why one was taken or not, and the guard."""
    lines: list[str] = []
    for stream, read in proof.get("streams", {"": proof}).items():
        lines += [f"of {stream}", *_considered(read)] if stream else _considered(read)
        for name, words in _ASIDE.items():
            if name in read:
                lines += [f"{words} {_origin(read[name])}", *_considered(read[name])]
    return [*lines, *_guard(proof)]


def _guard(proof: Json) -> list[str]:
    """What reading raw events was expected to cost, beside what it might, and the questions of the key."""
    guard, lines = proof.get("guard", {}), []
    if "rawRowsExpected" in guard:
        expected = f"about {guard['rawRowsExpected']:,} raw events with {guard['rawBytesExpected']:,} bytes"
        allowed = f"{guard['rawRowsLimit']:,} with {guard['rawBytesLimit']:,} bytes"
        lines.append(f"guard: {expected} were expected, and {allowed} allowed")
    if "keyQuestionsLimit" in guard:
        under_way, limit = guard["keyQuestionsAtOnce"], guard["keyQuestionsLimit"]
        lines.append(f"guard: {under_way:,} of {limit:,} questions of the key were under way, with this one")
    return lines


def _considered(read: Json) -> list[str]:
    return [
        f"{'→' if each['chosen'] else ' '} {each['rollup']}: {each['why']}" for each in read["considered"]
    ]


def _origin(read: Json) -> str:
    rows = f"{read['rowsRead']:,} rows read"
    of = f" of {read['stream']}" if "stream" in read else ""
    if read["source"] == "raw":
        return f"from the raw events{of}: {read['reason']}, {rows}"
    name = "the ledger" if read["source"] == "ledger" else f"rollup {read['rollup']}{of}"
    return f"from {name} ({' and '.join(read['grains'])} rows), {rows}"


def proof_lines(proof: Json) -> list[str]:
    """The evidence in words."""
    *rest, last = [_origin(read) for read in _reads(proof)]
    errors = {name: claim["relativeError"] for name, claim in proof["exact"].items() if claim is not True}
    exact = (
        "exact"
        if not errors
        else "exact but for " + ", ".join(f"{name} (within {error:.2%})" for name, error in errors.items())
    )
    stale = proof["staleSeconds"]
    fresh = f"complete until {proof['completeUntil']}" + (f", behind by {stale:,.1f} s" if stale else "")
    read = f"{last} in {proof['tookMs']:,.1f} ms; {exact}"
    days = f"{fresh}; {proof['timezone']}, weeks from {proof['weekStart']}"
    also = [f"also {_origin(each)}" for each in proof.get("alsoRead", ())]
    if "sealedUntil" in proof:
        also.append(f"raw events before {proof['sealedUntil']} were purged")
    also += [
        f"{each['metric']} is null before {each['until']}: it is kept only since then"
        for each in proof.get("nulls", ())
    ]
    made_up = ["of made-up data: the tenant's name says so"] if proof.get("simulated") else []
    return [
        *made_up,
        *rest,
        read,
        *also,
        f"{days}; model {proof['modelVersion']}, commit {proof['commit']}, revision {proof['revision']}",
    ]
