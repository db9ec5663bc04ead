"""The settings of runs over datasets by section: who computes them, and how messages are carried."""

from __future__ import annotations

from dataclasses import dataclass

from aforo.settings.setting import setting


@dataclass(frozen=True, slots=True, kw_only=True)
class Runs:
    """How metrics are run over versions of datasets."""

    roots: tuple[str, ...] = setting(
        (),
        "URIs below which datasets may lie, as s3://bucket/{tenant}/; none: datasets/{tenant} of the data.",
    )
    results: str | None = setting(
        None,
        "URI under which results are written; none means `results` in the data directory.",
        prefixes=("file:///", "s3://"),
    )
    start_within_seconds: float = setting(
        300.0, "How long a request may lie until a worker begins, before it is lost.", least=1, most=86_400
    )
    lease_seconds: float = setting(
        60.0, "How long a worker may be silent before its run is lost.", least=1, most=86_400
    )
    most_attempts: int = setting(3, "How often a run that gets lost is asked for in all.", least=1, most=100)
    back_off_seconds: float = setting(
        5.0, "How long a lost run rests before it is asked for again; doubled each time.", least=0, most=3_600
    )
    most_back_off_seconds: float = setting(300.0, "Longest such rest.", least=0, most=86_400)
    future_seconds: float = setting(
        600.0, "How far ahead the time of a version may lie.", least=0, most=366 * 86_400
    )
    look_every_seconds: float = setting(
        1.0, "Time between two looks for runs that were lost or wait too long.", least=0.01, most=3_600
    )
    rollup_every_seconds: float = setting(
        900.0, "Least time between two versions of a dataset made of our own rollups.", least=0, most=86_400
    )
    leftovers_seconds: float = setting(
        86_400.0,
        "How long files of attempts that were not taken are left, then they are removed; 0 leaves them.",
        least=0,
        most=366 * 86_400,
    )
    log_days: int = setting(
        365, "How long the log of updates and runs is kept; 0 keeps it for ever.", least=0, most=36_500
    )


@dataclass(frozen=True, slots=True, kw_only=True)
class Worker:
    """How the built-in worker computes runs."""

    name: str | None = setting(None, "What the worker calls itself; none means its machine and process.")
    parallel: int = setting(
        2, "Runs that one process computes at once; 0 leaves all to other workers.", least=0, most=64
    )
    heartbeat_seconds: float = setting(
        15.0,
        "How often it is told that a run goes on; less than half of `runs.lease_seconds`.",
        least=0.1,
        most=3_600,
    )
    time_limit_seconds: float = setting(
        300.0, "Longest that a run may take, with the reading of its files.", least=1, most=86_400
    )
    memory_mb: int = setting(
        512,
        "Memory that a run may take beyond what its process starts with, in mebibytes; held on Linux.",
        least=16,
        most=2**20,
    )
    max_manifest_bytes: int = setting(2**20, "Largest manifest that is read.", least=1_024, most=2**28)
    max_files: int = setting(1_000, "Most files of one version of a dataset.", least=1, most=100_000)
    max_bytes: int = setting(
        512 * 2**20, "Bytes of files that one run may read in all.", least=1_024, most=2**40
    )
    max_rows: int = setting(10_000_000, "Rows that one run may read of a dataset.", least=1, most=10**9)
    drain_seconds: float = setting(
        10.0,
        "How long runs under way may go on once the worker stops; then they are given back.",
        least=0,
        most=3_600,
    )


@dataclass(frozen=True, slots=True, kw_only=True)
class Buses:
    """How messages of runs are carried."""

    kind: str = setting(
        "local",
        "What carries them: the database of the control state, or SNS and SQS.",
        choices=("local", "aws"),
    )
    wait_seconds: float = setting(
        5.0, "How long one look waits for a message, which a stop waits for too.", least=0, most=20
    )
    visibility_seconds: float = setting(
        60.0,
        "How long a message that was given out is nobody else's; extended while it is worked on.",
        least=1,
        most=43_200,
    )
    most_receives: int = setting(5, "How often a message may fail before it is buried.", least=1, most=1_000)
    look_seconds: float = setting(
        0.5, "How often it is looked for what other processes put into the database.", least=0.01, most=60
    )


@dataclass(frozen=True, slots=True, kw_only=True)
class Aws:
    """Where Amazon's services are; credentials are found by boto3 and stand in no setting of ours."""

    region: str | None = setting(None, "The region; none means what boto3 finds.")
    endpoint_url: str | None = setting(
        None, "A server that speaks Amazon's protocols instead.", prefixes=("http://", "https://")
    )
    requests_topic_arn: str | None = setting(
        None,
        "Topic to which requests of runs are published; none sends them into their queue.",
        prefixes=("arn:",),
    )
    requests_queue_url: str | None = setting(
        None, "Queue of requests of runs, which workers take.", prefixes=("http://", "https://")
    )
    requests_dead_letter_url: str | None = setting(
        None, "Queue of those of them that are buried.", prefixes=("http://", "https://")
    )
    started_queue_url: str | None = setting(
        None, "Queue of what workers say when they begin.", prefixes=("http://", "https://")
    )
    started_dead_letter_url: str | None = setting(
        None, "Queue of those of them that are buried.", prefixes=("http://", "https://")
    )
    heartbeats_queue_url: str | None = setting(
        None, "Queue of workers' heartbeats.", prefixes=("http://", "https://")
    )
    heartbeats_dead_letter_url: str | None = setting(
        None, "Queue of those of them that are buried.", prefixes=("http://", "https://")
    )
    completed_queue_url: str | None = setting(
        None, "Queue of what workers say when they are done.", prefixes=("http://", "https://")
    )
    completed_dead_letter_url: str | None = setting(
        None, "Queue of those of them that are buried.", prefixes=("http://", "https://")
    )
    updates_queue_url: str | None = setting(
        None, "Queue of new versions of datasets.", prefixes=("http://", "https://")
    )
    updates_dead_letter_url: str | None = setting(
        None, "Queue of those of them that are buried.", prefixes=("http://", "https://")
    )
