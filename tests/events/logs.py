"""Lines of access logs, made up: right ones, mangled ones, and the days of a small site."""

from __future__ import annotations

import random
from datetime import UTC, datetime, timedelta

WHEN = b"[10/Oct/2000:13:55:36 -0700]"
MICROS = 971_211_336_000_000  # 20:55:36 in UTC
COMMON = b"203.0.113.9 - frank " + WHEN + b' "GET /a.gif HTTP/1.0" 200 2326'
COMBINED = COMMON + b' "http://example.com/start.html" "Mozilla/4.08 [en] (Win98; I ;Nav)"'


def mangled(chance: random.Random) -> bytes:
    """A line of a log with a few things done to it that no server should."""
    line = bytearray(chance.choice((COMMON, COMBINED, b"h:1 " + COMBINED)))
    for _ in range(chance.randrange(4)):
        at = chance.randrange(len(line) + 1)
        match chance.randrange(4):
            case 0:
                line[at : at + chance.randrange(20)] = b""
            case 1:
                line[at:at] = chance.choice(
                    (b'"', b"\\", b"\\x", b"[", b"]", b" ", b"\0", b"\xff", b"%", b"://")
                )
            case 2:
                line[at : at + 1] = chance.randbytes(chance.randrange(1, 4))
            case _:
                line[at:at] = line[: chance.randrange(40)]
    return bytes(line)


AGENTS = (
    *(f"Mozilla/5.0 (X11; Linux x86_64; rv:{at}.0) Gecko/20100101 Firefox/{at}.0" for at in range(100, 106)),
    "Mozilla/5.0 (iPhone; CPU iPhone OS 17_0 like Mac OS X) AppleWebKit/605.1.15 Version/17.0 Safari/604.1",
    "Mozilla/5.0 (compatible; Googlebot/2.1; +http://www.google.com/bot.html)",
    "curl/8.5.0",
    "-",
)
REQUESTS = (
    *("GET / HTTP/1.1", "GET /about HTTP/2.0", "GET /about?utm_source=letter&utm_medium=email HTTP/1.1"),
    *(
        "GET /shop?utm_campaign=spring&q=1 HTTP/1.1",
        "GET /shop?gclid=abc HTTP/1.1",
        "GET /page.html HTTP/1.1",
    ),
    *("GET /s.css HTTP/1.1", "GET /logo.PNG HTTP/1.1", "POST /cart HTTP/1.1", "HEAD / HTTP/1.1"),
    *("GET http://example.org/shop HTTP/1.1", r"\x16\x03\x01", "-", "BREW /pot HTTP/1.0"),
)
REFERRERS = (
    *(
        "-",
        "",
        "https://www.google.es/",
        "https://duckduckgo.com/",
        "https://t.co/x",
        "https://m.facebook.com/",
    ),
    *(
        "https://mail.google.com/mail/",
        "https://example.org/shop",
        "https://www.example.org/",
        "https://blog.test/a",
    ),
    "nonsense",
)


def site_log(seed: int, rows: int, start: datetime = datetime(2024, 3, 30, 20, tzinfo=UTC)) -> list[bytes]:
    """The lines of a site over some days, a few out of order and a few the same to the letter."""
    chance = random.Random(seed)
    time, out = start, []
    for _ in range(rows):
        time += timedelta(seconds=chance.choice((0, 1, 30, 120)))
        at = time - timedelta(seconds=chance.choice((0, 0, 0, 0, 5)))
        out.append(
            f"203.0.113.{chance.randrange(40)} - - [{at:%d/%b/%Y:%H:%M:%S} +0000] "
            f'"{chance.choice(REQUESTS)}" {chance.choice((200, 200, 200, 304, 301, 404, 500, 503))} '
            f"{chance.choice(('-', 0, 512, 20_480))} "
            f'"{chance.choice(REFERRERS)}" "{chance.choice(AGENTS)}"'.encode()
        )
        if chance.random() < 0.02:
            out.append(out[-1])
    return out
