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


def links(page: str) -> list[dict[str, str]]:
    """The links of a page to filtered member lists."""
    reader = _Links()
    reader.feed(page)
    return [link for link in reader.links if link.get("href", "").startswith("/members?")]


def without_figure(page: str) -> list[str]:
    """Links to a filtered list that do not say how many members they open."""
    return [link["href"] for link in links(page) if "data-figure" not in link]


def claims(page: str, merchant: Merchant, now: datetime) -> list[Claim]:
    """Every claim of a page, each list counted. A filter the list does not know would make it longer: that fails."""
    found = []
    for link in links(page):
        if "data-figure" not in link:
            continue
        pairs = parse_qsl(link["href"].partition("?")[2], keep_blank_values=True)
        filters = parse([pair for pair in pairs if pair[0] not in ("sort", "columns")])
        assert filters.ignored == (), link["href"]
        assert filters.any or "data-everybody" in link, link["href"]
        found.append(Claim(link["href"], int(link["data-figure"]), count(merchant, filters, now=now)))
    return found
