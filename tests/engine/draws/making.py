"""A draw as a shop would run it, made without a database."""

import copy
from datetime import UTC, datetime, timedelta

from shuke.engine import draws
from shuke.engine.draws.drawing import Outcome, moment_text

TERMS = {
    "format": "shuke-draw-1",
    "draw": "summer",
    "name": {"zh": "夏日抽奖", "en": "Summer draw"},
    "opens_at": "2026-06-01T00:00:00Z",
    "closes_at": "2026-07-01T00:00:00Z",
    "zone": "Asia/Shanghai",
    "prizes": [
        {"key": "a", "name": {"zh": "面霜", "en": "Cream"}, "odds": "1/100", "stock": 2, "when_gone": "c"},
        {"key": "b", "name": {"zh": "小样", "en": "Sample"}, "odds": "1/10", "stock": 20, "when_gone": ""},
        {"key": "c", "name": {"zh": "10 积分", "en": "10 points"}, "odds": "1/4", "stock": None, "points": 10},
    ],
    "ways": {"points": 100, "given": True},
    "limits": {"per_member": 10, "per_day": 3},
}
SEED = bytes(range(32))
OPEN = datetime(2026, 6, 1, tzinfo=UTC)


def run(count: int = 300, terms: dict = TERMS, seed: bytes = SEED, words: str = "") -> dict:
    """`count` tickets, one an hour; the same member again after 120 hours."""
    plain = copy.deepcopy(terms)
    told = draws.read_terms(plain)
    committed = draws.commitment(draws.canonical(plain), seed)
    link, given, tickets = draws.first_link(committed), {}, []
    for n in range(1, count + 1):
        word, who, at = words and f"{words}{n}", f"M{n % 120:04d}", moment_text(OPEN + timedelta(minutes=60 * n))
        drew = draws.drawn(told, committed, seed, f"{n}:{word}")
        won = draws.settle(told, drew, given)
        given[won] = given.get(won, 0) + 1
        link = draws.link(link, n, word, who, at, "points", Outcome(drew, won))
        tickets.append(
            {"number": n, "word": word, "who": who, "at": at, "way": "points", "drew": drew, "won": won, "link": link}
        )
    return {
        "terms": plain, "commitment": committed, "committed_at": "2026-05-31T00:00:00Z", "revealed_at": "2026-07-02T00:00:00Z",
        "seed": seed.hex(), "tickets": tickets, "head": link,
    }  # fmt: skip
