"""Lines of access logs as events: request, source, bot and visitor, each by its own rule."""

from __future__ import annotations

import random
from datetime import UTC, date, datetime
from pathlib import Path

import numpy as np
import pyarrow as pa
import pytest
from hypothesis import given
from hypothesis import strategies as st
from tests.events.logs import mangled, site_log

from aforo.errors import StorageError
from aforo.events.draft import Draft
from aforo.events.readers import READERS, Chunk, FileShape
from aforo.events.steps import Rules, walk
from aforo.model.condition import check
from aforo.model.model import Model
from aforo.model.reading import read_model
from aforo.packs import model_file
from aforo.packs.weblog import PACK, STREAM
from aforo.packs.weblog.agents import Bots
from aforo.packs.weblog.requests import BROKEN, host_name, request_of, unescaped
from aforo.packs.weblog.roots import root_secret
from aforo.packs.weblog.source import Remembered, Requests
from aforo.packs.weblog.sources import HOSTS, Source, kind_of_host, source_of
from aforo.packs.weblog.visitors import Visitors
from aforo.windows import DAY, Zone

UTC_WEEKS = Zone("UTC", "monday")
ROOT = b"r" * 32


@pytest.fixture(scope="module")
def model() -> Model:
    return read_model(model_file(PACK).read_bytes(), source=PACK)


def test_names_that_were_promised(model: Model) -> None:
    assert list(model.metrics) == [
        *("requests", "page_views", "visitors", "bots", "bytes", "error_rate", "client_error_rate"),
        *("sessions", "bounce_rate", "pages_per_session", "session_seconds"),
    ]
    stream = model.stream(STREAM)
    assert all(metric.unit and metric.owner and metric.description for metric in model.metrics.values())
    assert all(field.description for field in stream.fields.values())
    for measure in stream.measures.values():
        assert all(check(condition, stream.fields[condition.field]) is None for condition in measure.where)


@pytest.mark.parametrize(
    ("line", "method", "host", "path", "page"),
    [
        (b"GET / HTTP/1.1", "GET", None, "/", True),
        (b"GET /a/b.html?q=secret#x HTTP/2.0", "GET", None, "/a/b.html", True),
        (b"GET /a#x?y HTTP/2.0", "GET", None, "/a", True),
        (b"GET /s.CSS?v=1 HTTP/1.1", "GET", None, "/s.CSS", False),
        (b"GET /v1.2/about HTTP/1.1", "GET", None, "/v1.2/about", True),
        (b"POST /cart HTTP/1.1", "POST", None, "/cart", False),
        (b"GET /old", "GET", None, "/old", True),
        (b"GET /with space HTTP/1.1", "GET", None, "/with space", True),
        (b"GET http://user:pw@WWW.Example.org:8080/a?b HTTP/1.1", "GET", "example.org", "/a", True),
        (b"GET http://example.org HTTP/1.1", "GET", "example.org", "/", True),
        (b"GET http://example.org?x=1 HTTP/1.1", "GET", "example.org", "/", True),
        (b"GET /to/http://example.org/a HTTP/1.1", "GET", None, "/to/http://example.org/a", True),
        (b"GET http://user:pw@bad host/a HTTP/1.1", "GET", None, "/a", True),
        (b"CONNECT example.org:443 HTTP/1.1", "CONNECT", None, "example.org:443", False),
        (b"OPTIONS * HTTP/1.0", "OPTIONS", None, "*", False),
        (b"BREW /pot HTTP/1.0", "other", None, "/pot", False),
        (rb"GET /\"a\"\x22\x5c\xc3\xa9\xff\x00 HTTP/1.1", "GET", None, '/"a""\\é\\xff\\x00', True),
        ("GET /é HTTP/1.1".encode(), "GET", None, "/é", True),
        (b"GET /" + b"a" * 5_000 + b" HTTP/1.1", "GET", None, "/" + "a" * 1_023, True),
    ],
)
def test_request_lines(line: bytes, method: str, host: str | None, path: str, page: bool) -> None:
    found = request_of(line)
    assert (found.method, found.host, found.path, found.is_page) == (method, host, path, page)


@pytest.mark.parametrize(
    "line", [b"-", b"", rb"\x16\x03\x01", b"GET", b"GET ", b"GET  HTTP/1.1", b"\xff /", b" "]
)
def test_broken_request_lines_ask_for_nothing(line: bytes) -> None:
    assert request_of(line) == BROKEN


@pytest.mark.parametrize(
    ("query", "medium", "campaign", "tagged"),
    [
        ("utm_source=letter&utm_medium=Email", "email", "letter", True),
        ("utm_source=a&utm_campaign=Spring+sale%21&utm_campaign=b", None, "Spring sale!", True),
        ("q=1&gclid=x", None, None, True),
        ("q=utm_source&fbclid=x", None, None, False),
        ("utm_campaign=", None, None, True),
        ("UTM_SOURCE=%00%ffx", None, "\ufffdx", True),
        ("&".join(["a=b"] * 500) + "&utm_source=x", None, None, False),
    ],
)
def test_what_a_query_says_of_a_campaign(
    query: str, medium: str | None, campaign: str | None, tagged: bool
) -> None:
    found = request_of(f"GET /?{query} HTTP/1.1".encode())
    assert (found.medium, found.campaign, found.tagged) == (medium, campaign, tagged)


@pytest.mark.parametrize(
    ("text", "wanted"),
    [
        ("Example.ORG:80", "example.org"),
        ("www.example.org.", "example.org"),
        ("[::1]", "[::1]"),
        ("[::1]:80", "[::1]"),
        ("a b", None),
        ("", None),
        ("-", None),
        ("x" * 256, None),
        ("a..b", "a..b"),
    ],
)
def test_hosts(text: str, wanted: str | None) -> None:
    assert host_name(text) == wanted


@pytest.mark.parametrize(
    ("host", "wanted"),
    [
        ("google.com", Source.SEARCH),
        ("google.co.uk", Source.SEARCH),
        ("images.google.es", Source.SEARCH),
        ("docs.google.com", Source.REFERRAL),
        ("mail.google.com", Source.EMAIL),
        ("google.example.com", Source.REFERRAL),
        ("notgoogle.com", Source.REFERRAL),
        ("es.search.yahoo.com", Source.SEARCH),
        ("mail.yahoo.com", Source.EMAIL),
        ("m.facebook.com", Source.SOCIAL),
        ("t.co", Source.SOCIAL),
        ("at.co", Source.REFERRAL),
        ("com.google.android.gm", Source.EMAIL),
        ("example.org", Source.REFERRAL),
        ("localhost", Source.REFERRAL),
        ("[::1]", Source.REFERRAL),
    ],
)
def test_kinds_of_hosts(host: str, wanted: Source) -> None:
    assert kind_of_host(host) is wanted


def test_every_host_of_the_list_is_a_host_as_referrers_are_read() -> None:
    assert [host for host in HOSTS if host_name(host) != host] == []


@pytest.mark.parametrize(
    ("referrer", "site", "medium", "tagged", "wanted"),
    [
        (None, None, None, False, Source.DIRECT),
        (None, None, "email", True, Source.EMAIL),
        ("google.com", None, None, True, Source.CAMPAIGN),
        ("example.org", "example.org", None, True, Source.CAMPAIGN),
        ("example.org", "example.org", None, False, Source.INTERNAL),
        ("mine.test", None, None, False, Source.INTERNAL),
        ("example.org", None, None, False, Source.REFERRAL),
        ("google.com", "example.org", None, False, Source.SEARCH),
    ],
)
def test_sources(
    referrer: str | None, site: str | None, medium: str | None, tagged: bool, wanted: Source
) -> None:
    assert source_of(referrer, site, frozenset(("mine.test",)), medium, tagged) is wanted


@pytest.mark.parametrize(
    ("agent", "wanted"),
    [
        (b"Mozilla/5.0 (X11; Linux x86_64; rv:120.0) Gecko/20100101 Firefox/120.0", False),
        (b"Mozilla/5.0 (compatible; Googlebot/2.1; +http://www.google.com/bot.html)", True),
        (b"curl/8.5.0", True),
        (b"python-requests/2.31", True),
        (b"-", True),
        (b"", True),
        (None, False),
        (b"\xff\xfe\x00", False),
    ],
)
def test_bots(agent: bytes | None, wanted: bool) -> None:
    assert Bots().is_bot(agent) is wanted


ADDRESSES, AGENTS = st.binary(min_size=1, max_size=3), st.one_of(st.none(), st.binary(max_size=3))
TIMES = st.integers(0, 60 * DAY).map(lambda past: 1_700_000_000_000_000 + past)
SEEN = st.lists(st.tuples(ADDRESSES, AGENTS, TIMES), min_size=1, max_size=20)


def names(visitors: Visitors, seen: list[tuple[bytes, bytes | None, int]]) -> list[str]:
    addresses, agents, times = zip(*seen, strict=True)
    found = visitors.names(
        pa.array(addresses, pa.binary()), pa.array(agents, pa.binary()), np.array(times, np.int64)
    )
    return [str(name) for name in found.to_pylist()]


@given(SEEN, st.randoms(use_true_random=False), st.sampled_from([0, 1, 7, 28]))
def test_a_visitor_has_one_name_in_a_period_in_whatever_order_and_company(
    seen: list[tuple[bytes, bytes | None, int]], chance: random.Random, salt_days: int
) -> None:
    visitors = Visitors(ROOT, UTC_WEEKS, salt_days=salt_days)
    together = dict(zip(seen, names(visitors, seen), strict=True))
    chance.shuffle(seen)
    assert together == {
        each: names(Visitors(ROOT, UTC_WEEKS, salt_days=salt_days), [each])[0] for each in seen
    }
    # 2023-11-13 was a Monday, and so is every start of a period of whole weeks counted from 1970-01-05.
    monday = datetime(1970, 1, 5, tzinfo=UTC).timestamp() * 1_000_000

    def who(each: tuple[bytes, bytes | None, int]) -> tuple[object, ...]:
        address, agent, time = each
        return address, agent or b"", (time - monday) // (salt_days * DAY) if salt_days else 0

    for one in seen:
        for other in seen:
            assert (together[one] == together[other]) is (who(one) == who(other))


@pytest.mark.parametrize("zone", ["UTC", "Europe/Madrid", "Asia/Kathmandu", "America/St_Johns"])
@pytest.mark.parametrize("salt_days", [1, 7, 28])
def test_no_local_day_or_week_is_cut_by_a_change_of_the_salt(zone: str, salt_days: int) -> None:
    local = Zone(zone, "sunday")
    visitors = Visitors(ROOT, local, salt_days=salt_days)
    days = (date(2024, 3, 28), date(2024, 3, 31), date(2024, 11, 3))
    for day in days:
        first = day if salt_days == 1 else local.week_start_of(day)
        start = local.day_start(first)
        length = DAY * (1 if salt_days == 1 else 7)
        inside = [(b"a", None, time) for time in range(start, start + length - DAY // 12, DAY // 8)]
        assert len(set(names(visitors, inside))) == 1


def test_secrets_and_tenants_have_visitors_of_their_own(tmp_path: Path) -> None:
    seen = [(b"203.0.113.9", b"Firefox", 1_700_000_000_000_000)]
    roots = [
        root_secret(tmp_path, "a", None),
        root_secret(tmp_path, "b", None),
        root_secret(tmp_path, "a", "known"),
        root_secret(tmp_path, "b", "known"),
        root_secret(tmp_path, "a", "other"),
    ]
    assert len({names(Visitors(root, UTC_WEEKS, salt_days=28), seen)[0] for root in roots}) == 5
    assert root_secret(tmp_path, "a", None) == roots[0]
    assert root_secret(tmp_path / "elsewhere", "a", "known") == roots[2]


def test_a_secret_is_its_owners_only_and_told_when_it_is_damaged(tmp_path: Path) -> None:
    root_secret(tmp_path / "roots", "a", None)
    (only,) = (tmp_path / "roots").iterdir()
    assert only.stat().st_mode & 0o777 == 0o600
    assert (tmp_path / "roots").stat().st_mode & 0o777 == 0o700
    only.write_bytes(b"short")
    with pytest.raises(StorageError, match="5 bytes, wanted 32"):
        root_secret(tmp_path / "roots", "a", None)
    only.unlink()
    only.mkdir()
    with pytest.raises(StorageError, match="cannot be kept"):
        root_secret(tmp_path / "roots", "a", None)


def test_what_is_remembered_has_an_end(monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr("aforo.packs.weblog.source.MOST_REMEMBERED", 3)
    asked: list[int] = []

    def twice(number: int) -> int:
        asked.append(number)
        return 2 * number

    known = Remembered(twice)
    assert known.each([1, 2, 1, 3, 4, 1]) == [2, 4, 2, 6, 8, 2]
    assert asked == [1, 2, 3, 4, 1]


def events(path: Path, content: bytes) -> list[Chunk]:
    path.write_bytes(content)
    requests = Requests(Visitors(ROOT, UTC_WEEKS, salt_days=28), ("example.org",))
    return [requests.events(chunk) for chunk in READERS["access-log"](path, FileShape(chunk_rows=500))]


def test_neither_address_nor_agent_nor_query_is_in_an_event(tmp_path: Path, model: Model) -> None:
    chunks = events(tmp_path / "log", b"\n".join(site_log(3, 500)))
    for chunk in chunks:
        assert set(chunk.columns) == {*model.stream(STREAM).fields, "id", "time"}
        told = [str(value) for column in chunk.columns.values() for value in pa.array(column).to_pylist()]
        assert not [text for text in told if "203.0.113" in text or "Firefox" in text or "?" in text]


def assert_taken(chunks: list[Chunk], model: Model) -> None:
    """Every row is an event the stream takes: what is too wide was cut, and only times can be wrong."""
    for chunk in chunks:
        draft = Draft(model.stream(STREAM), chunk.source, chunk.columns, chunk.numbers)
        _, refused = walk(draft, Rules(2_000_000_000_000_000, 600, "me"))
        assert {str(refusal.code) for refusal in refused} <= {"bad_time", "in_future"}


def test_mangled_lines_are_events_all_the_same(tmp_path: Path, model: Model) -> None:
    chance = random.Random(11)
    assert_taken(events(tmp_path / "log", b"\n".join(mangled(chance) for _ in range(3_000))), model)


@given(st.binary(max_size=60), st.binary(max_size=60), st.binary(max_size=40))
def test_any_request_referrer_and_agent(request: bytes, referrer: bytes, agent: bytes) -> None:
    asked = request_of(request)
    assert asked.path is None or len(asked.path) <= 1_024
    assert all(ord(letter) >= 32 for letter in unescaped(referrer))
    Bots().is_bot(agent)


@pytest.mark.long
def test_a_million_mangled_lines_are_events(tmp_path: Path, model: Model) -> None:
    for seed in range(1_000, 1_100):
        chance = random.Random(seed)
        assert_taken(events(tmp_path / "log", b"\n".join(mangled(chance) for _ in range(10_000))), model)
