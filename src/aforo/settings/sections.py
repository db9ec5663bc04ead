"""The settings of events and answers by section: unit in its name, default, bounds and meaning at each."""

from __future__ import annotations

from dataclasses import dataclass
from pathlib import Path

from aforo.settings.setting import setting


@dataclass(frozen=True, slots=True, kw_only=True)
class Http:
    """How the server listens and what it takes in one request."""

    host: str = setting("127.0.0.1", "Address the server listens on.")
    port: int = setting(8321, "Port the server listens on; 0 takes any free one.", least=0, most=65_535)
    max_body_bytes: int = setting(
        8 * 2**20, "Largest request body, before and after inflating.", least=1_024, most=2**30
    )
    max_held_bytes: int = setting(
        128 * 2**20,
        "Bytes of request bodies held at once; who brings more is asked to come back.",
        least=2**16,
        most=2**40,
    )
    body_seconds: float = setting(
        30.0, "Longest that a request body may take to arrive.", least=0.01, most=3_600
    )
    max_events_per_request: int = setting(10_000, "Most events in one request.", least=1, most=1_000_000)
    workers: int = setting(8, "Threads that answer questions.", least=1, most=256)


@dataclass(frozen=True, slots=True, kw_only=True)
class Access:
    """Who may ask what, how often, and from which pages."""

    admin_key: str | None = setting(
        None, "A key that opens everything, beside those that were made.", secret=True, env="ADMIN_API_KEY"
    )
    cors_origins: tuple[str, ...] = setting(
        (), "Origins whose pages may call this server, such as https://app.example."
    )
    key_requests_per_second: float = setting(
        0.0, "Requests that one key may send in the long run; 0 sets no limit.", least=0, most=1_000_000
    )
    key_burst_requests: int = setting(200, "Requests that one key may send at once.", least=1, most=1_000_000)
    key_questions_at_once: int = setting(
        0, "Questions of one key that may be under way at once; 0 sets no limit.", least=0, most=10_000
    )
    address_requests_per_second: float = setting(
        0.0, "Requests that one address may send in the long run; 0 sets no limit.", least=0, most=1_000_000
    )
    address_burst_requests: int = setting(
        200, "Requests that one address may send at once.", least=1, most=1_000_000
    )
    public_requests_per_second: float = setting(
        20.0,
        "Requests that one address may send with a public key in the long run; 0 sets no limit.",
        least=0,
        most=1_000_000,
    )
    public_burst_requests: int = setting(
        100, "Requests that one address may send with a public key at once.", least=1, most=1_000_000
    )
    wrong_keys_per_minute: float = setting(
        60.0,
        "Wrong keys that one address is told of in the long run, before it is told to wait; 0: no limit.",
        least=0,
        most=1_000_000,
    )
    limited_callers: int = setting(
        50_000, "Most keys and addresses whose rate is remembered.", least=100, most=10_000_000
    )
    cached_keys: int = setting(10_000, "Most keys that are kept in memory.", least=1, most=10_000_000)
    key_cache_seconds: float = setting(
        30.0,
        "How long a key is believed without looking; another process's change is seen after it.",
        least=0,
        most=3_600,
    )
    last_used_after_seconds: float = setting(
        60.0, "How often it is written when keys were last used.", least=1, most=86_400
    )


@dataclass(frozen=True, slots=True, kw_only=True)
class Intake:
    """How events are gathered to commits, and which times are taken."""

    commit_rows: int = setting(50_000, "Events that make a commit at once.", least=1, most=10_000_000)
    commit_after_seconds: float = setting(
        0.002, "Longest that an event waits for others before its commit.", least=0, most=60
    )
    queue_rows: int = setting(
        200_000,
        "Events that may wait for their commit; more are turned away and may come again.",
        least=1,
        most=100_000_000,
    )
    future_seconds: int = setting(
        600, "How far ahead of the clock an event's time may lie.", least=0, most=366 * 86_400
    )
    untimed_id_seconds: int = setting(
        86_400, "How long an event with an id but no time is recognised.", least=0, most=366 * 86_400
    )
    tenants: str = setting(
        "open",
        "Whose events are taken: of any tenant, or only of those that the model declares.",
        choices=("open", "fixed"),
    )
    refused_per_reason: int = setting(
        20,
        "Refused events that are kept to be looked at, of each stream, tenant and code; 0 keeps none.",
        least=0,
        most=10_000,
    )
    refused_in_all: int = setting(
        10_000, "Refused events that are kept to be looked at, of all together.", least=0, most=1_000_000
    )


@dataclass(frozen=True, slots=True, kw_only=True)
class AccessLog:
    """How the visitors of access logs are named."""

    salt_days: int = setting(
        28,
        "Days that a visitor keeps one name; a multiple of 7 cuts no week, and 0 keeps it for ever.",
        least=0,
        most=3_660,
    )
    secret: str | None = setting(
        None,
        "What visitors' hashes are salted with, the same wherever a tenant's logs are loaded; none makes one "
        "in the data directory. Never printed.",
        secret=True,
    )


@dataclass(frozen=True, slots=True, kw_only=True)
class Engine:
    """What the embedded engine may use."""

    memory_mb: int = setting(512, "Memory of the embedded engine, in mebibytes.", least=64, most=2**20)
    threads: int = setting(2, "Threads of the embedded engine.", least=1, most=256)
    rows_at_hand_mb: int = setting(
        128,
        "Memory beside it for the days, weeks and months that questions were answered from, in mebibytes; "
        "0 holds none of them, and each question reads the file.",
        least=0,
        most=2**20,
    )


@dataclass(frozen=True, slots=True, kw_only=True)
class Fold:
    """How rollups are made true again."""

    batch_rows: int = setting(
        400_000, "Events that one fold takes at most, so that its memory is bounded.", least=1, most=10**9
    )
    write_rows: int = setting(
        100_000,
        "Rows of rollups that one transaction of a fold writes, so that commits never wait long.",
        least=1_000,
        most=10**9,
    )
    wake_after_seconds: float = setting(
        1.0, "How often the folder looks for work though no commit woke it.", least=0, most=3_600
    )
    core_share: float = setting(
        0.6,
        "Part of one core's time that folding takes while events come: it rests in between.",
        least=0.05,
        most=1.0,
    )
    most_rest_seconds: float = setting(
        2.0,
        "Longest rest between two folds while something waits; it is as long while very many events come.",
        least=0,
        most=60,
    )
    least_rest_seconds: float = setting(
        0.2, "Shortest rest between two folds, within the longest.", least=0, most=60
    )
    lease_seconds: float = setting(
        300.0,
        "How long a fold may hold its slots without writing any; then they are given to another.",
        least=1,
        most=86_400,
    )
    periods_every_seconds: float = setting(
        60.0, "How often finished weeks and months are put together from their days.", least=1, most=86_400
    )


@dataclass(frozen=True, slots=True, kw_only=True)
class Retention:
    """How what is past its stream's retention is purged."""

    check_after_seconds: float = setting(
        3_600.0, "How often it is looked for events past their retention.", least=1, most=86_400
    )
    batch_rows: int = setting(
        200_000, "Events that one purge deletes at most, but for a day's.", least=1, most=10**9
    )


@dataclass(frozen=True, slots=True, kw_only=True)
class Backfill:
    """How windows are folded again."""

    default_days: int = setting(
        90, "Days that a backfill goes back where nothing else is said.", least=1, most=36_500
    )
    batch_rows: int = setting(
        100_000, "Events that one batch folds again at most, a slot at least.", least=1, most=10**9
    )
    busy_share: float = setting(
        0.5,
        "Share of the time in which batches are folded; the rest is for everything else.",
        least=0.01,
        most=1,
    )


@dataclass(frozen=True, slots=True, kw_only=True)
class Drift:
    """How rollups are held against the events in the background."""

    every_seconds: float = setting(
        3_600.0, "How often a server checks for drift; 0 never does.", least=0, most=366 * 86_400
    )
    answer_seconds: float = setting(
        20.0,
        "How long who asks for a check waits before the server says that it goes on.",
        least=0,
        most=3_600,
    )
    sample_days: int = setting(
        50,
        "Days of tenants that one check takes by lot; 0 takes all.",
        least=0,
        most=10**9,
    )


@dataclass(frozen=True, slots=True, kw_only=True)
class Compaction:
    """How events are put in order of time again while serving."""

    every_seconds: float = setting(
        600.0,
        "How often a server looks whether compacting is worth it; 0 never does.",
        least=0,
        most=366 * 86_400,
    )
    loose_share: float = setting(
        0.05, "Share of a stream's blocks that overlap others in time from which on it is.", least=0, most=1
    )


@dataclass(frozen=True, slots=True, kw_only=True)
class Questions:
    """What one question may cost."""

    raw_rows_limit: int = setting(
        50_000_000, "Raw events that one question may read; 0 forbids raw reads.", least=0, most=10**12
    )
    raw_bytes_limit: int = setting(
        2**34,
        "Bytes of raw events' fields, before compression, that one question may read; 0 forbids raw reads.",
        least=0,
        most=2**60,
    )
    time_limit_seconds: float = setting(
        30.0, "How long one question may run before it is interrupted.", least=0.001, most=86_400
    )
    max_rows: int = setting(100_000, "Most rows in one answer.", least=1, most=10_000_000)
    max_buckets: int = setting(20_000, "Most buckets of time in one answer.", least=1, most=10_000_000)


@dataclass(frozen=True, slots=True, kw_only=True)
class Web:
    """How sites are summed up."""

    default_property: str = setting(
        "default",
        "The tenant that a summary is of where it names no property.",
        env="ROLLUP_DEFAULT_PROPERTY_ID",
    )


@dataclass(frozen=True, slots=True, kw_only=True)
class Cache:
    """Answers that are kept for who asks again."""

    url: str | None = setting(
        None,
        "A Redis or Valkey that keeps answers instead of this process's memory.",
        prefixes=("redis://", "rediss://", "unix://"),
        secret=True,
        env="AFORO_REDIS",
    )
    redis_timeout_seconds: float = setting(
        0.2, "How long Redis may take before an answer is read anew instead.", least=0.001, most=10
    )
    max_bytes: int = setting(
        64 * 2**20,
        "Memory for kept answers; 0 keeps none. Redis has its own `maxmemory`; there it bounds each answer.",
        least=0,
        most=2**40,
    )
    short_seconds: float = setting(
        300.0, "Longest that an answer is kept whose window goes on.", least=1, most=366 * 86_400
    )
    default_seconds: float = setting(
        3_600.0,
        "Longest that an answer is kept whose window ended within the last day.",
        least=1,
        most=366 * 86_400,
    )
    long_seconds: float = setting(
        86_400.0, "Longest that an answer over an earlier window is kept.", least=1, most=366 * 86_400
    )
    warm: Path | None = setting(  # noqa: RUF009  (a field)
        None, "JSON file of named questions that a server asks by itself at its start and after folds."
    )
    warm_after_seconds: float = setting(
        10.0, "Least time between two rounds of the named questions.", least=0.01, most=86_400
    )


@dataclass(frozen=True, slots=True, kw_only=True)
class Stop:
    """How the server ends."""

    drain_seconds: float = setting(
        10.0, "How long requests under way may go on once the server stops.", least=0, most=3_600
    )


@dataclass(frozen=True, slots=True, kw_only=True)
class Log:
    """What is told on standard error."""

    level: str = setting(
        "info",
        "Least severity that is told; a command that ends by itself tells warnings unless this is set.",
        choices=("debug", "info", "warning", "error"),
    )
    format: str = setting("text", "Lines for people, or one JSON object a line.", choices=("text", "json"))
