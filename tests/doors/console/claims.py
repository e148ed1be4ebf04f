"""What a page claims of the lists it links to, and what those lists hold: every number opens to the members behind it."""

from __future__ import annotations

from datetime import datetime
from html.parser import HTMLParser
from typing import NamedTuple
from urllib.parse import parse_qsl

from shuke.insight.queries.directory import count
from shuke.insight.queries.filters import parse
from shuke.shops.models import Merchant


class Claim(NamedTuple):
    """A link to the member list, the number of members it says are there, and the number that are."""

    url: str
    claimed: int
    found: int


class _Links(HTMLParser):
    def __init__(self) -> None:
        super().__init__()
        self.links: list[dict[str, str]] = []

    def handle_starttag(self, tag, attrs):
        if tag == "a":
            self.links.append({name: value or "" for name, value in attrs})


def links(page: str, start: str = "/members?") -> list[dict[str, str]]:
    """The links of a page that begin so: by default those to filtered member lists."""
    reader = _Links()
    reader.feed(page)
    return [link for link in reader.links if link.get("href", "").startswith(start)]


def without_figure(page: str) -> list[str]:
    """Links to a filtered list that do not say how many members they open."""
    return [link["href"] for link in links(page) if not {"data-figure", "data-points"} & link.keys()]


def claims(page: str, merchant: Merchant, now: datetime) -> list[Claim]:
    """Every claim of a page, each list counted. A filter the list does not know would make it longer: that fails."""
    found = []
    for link in links(page):
        if "data-figure" not in link:
            continue
        found.append(Claim(link["href"], int(link["data-figure"]), _behind(link["href"], merchant, now)))
    return found


def points_claims(page: str, merchant: Merchant, now: datetime) -> list[tuple[str, int, int]]:
    """(link, points it tells of, members it opens) for figures that are points and not members."""
    return [
        (link["href"], int(link["data-points"]), _behind(link["href"], merchant, now))
        for link in links(page)
        if "data-points" in link
    ]


def _behind(url: str, merchant: Merchant, now: datetime) -> int:
    pairs = parse_qsl(url.partition("?")[2], keep_blank_values=True)
    filters = parse([pair for pair in pairs if pair[0] != "sort"])
    assert filters.ignored == (), url
    assert filters.any, url
    return count(merchant, filters, now=now)
