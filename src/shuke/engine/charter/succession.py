"""What becomes of tiers when one version of the charter gives way to the next.

A tier is known by its key. A key that stays is the same tier, whatever it is called. Of a key that goes the next version may
say who takes it over (`was`); where it does not, a new key in the same place is the same tier under another name, and where
there is none, the tier is gone: its members belong to the next lower one that is left, unless their figures reach more.
"""

from __future__ import annotations

from collections.abc import Sequence
from typing import TYPE_CHECKING, Literal, NamedTuple

if TYPE_CHECKING:
    from shuke.engine.charter.tiering import Tier

How = Literal["same", "renamed", "merged", "removed"]


class Heir(NamedTuple):
    """The tier that takes over, and what that is to its members."""

    key: str
    how: How


def heirs(before: Sequence[Tier], after: Sequence[Tier]) -> dict[str, Heir]:
    """Key of each tier of the version before → who takes it over. Both lowest first."""
    known = {tier.key for tier in before}
    place = {tier.key: n for n, tier in enumerate(after)}
    found: dict[str, int] = {key: place[key] for key in known if key in place}
    taken = {key: tier.key for tier in after for key in tier.was}
    found |= {key: place[taken[key]] for key in known - found.keys() if key in taken}
    claimed = set(found.values())
    removed: set[str] = set()
    low, gone = -1, 0  # the last place below that is settled, and how many went since
    for n, tier in enumerate(before):
        if tier.key in found:
            low, gone = max(low, found[tier.key]), 0
            continue
        high = min((found[t.key] for t in before[n + 1 :] if t.key in found), default=len(after))
        free = [i for i in range(low + 1, high) if i not in claimed and after[i].key not in known]
        if gone < len(free):
            found[tier.key] = free[gone]
        else:
            found[tier.key] = max(low, 0, *free)
            removed.add(tier.key)
        gone += 1
    holders = [place for key, place in found.items() if key not in removed]

    def how(key: str, place: int) -> How:
        if key == after[place].key:
            return "same"
        if key in removed:
            return "removed"
        return "merged" if holders.count(place) > 1 else "renamed"

    return {key: Heir(after[place].key, how(key, place)) for key, place in found.items()}
