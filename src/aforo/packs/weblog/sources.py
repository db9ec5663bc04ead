"""Where visitors come from: the kind of a host that leads to a site, by a list that is kept here."""

from __future__ import annotations

from collections.abc import Mapping
from enum import StrEnum
from types import MappingProxyType


class Source(StrEnum):
    """Every kind there is."""

    DIRECT = "direct"  # no referrer, or one that is no address
    SEARCH = "search"
    SOCIAL = "social"
    EMAIL = "email"  # a webmail, or marked so by the link
    CAMPAIGN = "campaign"  # any other mark of a campaign in the link
    INTERNAL = "internal"  # a page of the same site
    REFERRAL = "referral"


# A host is of the kind of the longest name here that it is or lies below.
_SEARCH = """
    bing.com duckduckgo.com search.yahoo.com search.yahoo.co.jp search.aol.com ask.com baidu.com
    ecosia.org qwant.com startpage.com
    search.brave.com naver.com daum.net seznam.cz sogou.com so.com yandex.com ya.ru mojeek.com kagi.com
    coccoc.com lite.duckduckgo.com presearch.com swisscows.com metager.org rambler.ru lilo.org
    com.google.android.googlequicksearchbox
"""
_SOCIAL = """
    facebook.com fb.com instagram.com threads.net threads.com twitter.com x.com t.co linkedin.com lnkd.in
    com.linkedin.android reddit.com com.reddit.frontpage pinterest.com tiktok.com youtube.com youtu.be
    whatsapp.com wa.me telegram.org t.me tumblr.com vk.com ok.ru weibo.com weixin.qq.com mastodon.social
    bsky.app news.ycombinator.com lobste.rs quora.com discord.com snapchat.com line.me xing.com medium.com
    flickr.com vimeo.com twitch.tv meneame.net
"""
_EMAIL = """
    mail.google.com com.google.android.gm outlook.live.com outlook.office.com outlook.office365.com
    mail.yahoo.com mail.aol.com mail.proton.me mail.yandex.com mail.yandex.ru mail.ru e.mail.ru mail.qq.com
    mail.163.com mail.zoho.com webmail.gmx.net navigator.gmx.net navigator.web.de app.fastmail.com
    mail.naver.com mail.live.com
"""
# These lie below a name that is of another kind.
_REFERRAL = """
    docs.google.com drive.google.com sites.google.com classroom.google.com calendar.google.com meet.google.com
    translate.google.com news.google.com groups.google.com accounts.google.com chat.google.com
    cloud.google.com developers.google.com support.google.com translate.yandex.com
    blog.naver.com cafe.naver.com
"""
HOSTS: Mapping[str, Source] = MappingProxyType(
    {
        host: kind
        for kind, hosts in (
            (Source.SEARCH, _SEARCH),
            (Source.SOCIAL, _SOCIAL),
            (Source.EMAIL, _EMAIL),
            (Source.REFERRAL, _REFERRAL),
        )
        for host in hosts.split()
    }
)
# These have a domain in many countries: `google.es`, `google.co.uk`.
COUNTRIES: Mapping[str, Source] = MappingProxyType(
    {
        "google": Source.SEARCH,
        "yandex": Source.SEARCH,
        "pinterest": Source.SOCIAL,
    }
)


def kind_of_host(host: str) -> Source:
    """Search, social or email where the list has the host or a domain above it; else referral."""
    labels = host.split(".")
    for at in range(len(labels)):
        below = labels[at + 1 :]
        if (kind := HOSTS.get(".".join(labels[at:]))) is not None:
            return kind
        # A country's domain is one or two short labels, so that `google.example.com` is none.
        if 1 <= len(below) <= 2 and max(map(len, below)) <= 3 and (kind := COUNTRIES.get(labels[at])):
            return kind
    return Source.REFERRAL


def source_of(
    referrer: str | None, site: str | None, sites: frozenset[str], medium: str | None, tagged: bool
) -> Source:
    """The kind of a request's source: the link's own marks go before the referrer.

    `referrer` is the host that led here, `site` the host that was asked, and `sites` all that are one's own.
    """
    if medium in ("email", "e-mail", "newsletter"):
        return Source.EMAIL
    if tagged:
        return Source.CAMPAIGN
    if referrer is None:
        return Source.DIRECT
    if referrer == site or referrer in sites:
        return Source.INTERNAL
    return kind_of_host(referrer)
