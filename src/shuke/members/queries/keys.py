"""Which master keys are still needed, and the keyed hashes that members' identities and contacts are found by.

The indexes stand under one master key, their generation, or climb from one to the next (actions/reindexing.py). Meanwhile a
row is of either, and whatever is looked up is looked up in every form it may have; what is written is of the newest.
"""

from __future__ import annotations

from collections.abc import Callable, Iterable
from typing import NamedTuple

from django.db.models import Count

from shuke.kit import bulk, crypto
from shuke.members.models import Contact, DataKey, Identity

# PostgreSQL's advisory lock of all who write hashes: they share it, who raises `newest` takes it alone.
WRITERS = 7_410_211_798_361_089


class KeyMissing(RuntimeError):
    """This process does not have the newest key: it was started before the key was made."""


class Span(NamedTuple):
    """Generations that rows of the indexes may be of."""

    lowest: int = 1
    newest: int = 1

    @property
    def every(self) -> range:
        return range(self.lowest, self.newest + 1)


def wrapped_by() -> dict[int, int]:
    """Members' data keys by the number of the master key that wraps them."""
    rows = DataKey.objects.values("version").annotate(n=Count("member_id")).order_by("version")
    return {row["version"]: row["n"] for row in rows}


def behind() -> dict[str, int]:
    """Rows of the indexes that have not climbed yet. It counts them, so it is for people who ask."""
    newest = crypto.newest_version()
    return {
        "identities": Identity.objects.filter(generation__lt=newest).count(),
        "contacts": Contact.objects.filter(generation__lt=newest).count(),
    }


def span(*, writing: bool = False) -> Span:
    """The generations in use. `writing`: they stay so until the transaction ends. Raises KeyMissing."""
    if writing and bulk.is_postgres():  # not FOR SHARE: every till would write to that one row
        bulk.select("SELECT pg_advisory_xact_lock_shared(%s)", [WRITERS])
    rows = bulk.select("SELECT lowest, newest FROM kit_index_keys WHERE id = %s", [1])
    found = Span(*rows[0]) if rows else Span()
    if found.newest > crypto.newest_version():
        raise KeyMissing(
            f"The indexes are under master key {found.newest}, and this process knows {crypto.newest_version()}. Restart it."
        )
    return found


class Blinds:
    """The keyed hashes of one merchant's values. `older` has, by the newest form of all that was asked, its older ones."""

    def __init__(self, merchant: int, *, writing: bool = False) -> None:
        self.merchant, self.span = merchant, span(writing=writing)
        self.older: dict[bytes, tuple[bytes, ...]] = {}
        self._climbed: dict[bytes, bytes] = {}
        self._makers: dict[str, Callable[[str], bytes]] = {}
        self._climbers: dict[str, list[Callable[[bytes], bytes]]] = {}

    def __call__(self, purpose: str, value: str) -> bytes:
        """The newest form."""
        make = self._makers.get(purpose)
        if make is None:
            lowest, newest = self.span
            make = self._makers[purpose] = crypto.blinder(purpose, self.merchant, lowest)
            steps = range(lowest, newest)
            self._climbers[purpose] = [crypto.climber(purpose, self.merchant, step, step + 1) for step in steps]
        blind = make(value)
        if self._climbers[purpose]:
            forms = [blind]
            for climb in self._climbers[purpose]:
                forms.append(climb(forms[-1]))
            blind = forms.pop()
            self.older[blind] = tuple(forms)
            self._climbed.update(dict.fromkeys(forms, blind))
        return blind

    def forms(self, purpose: str, value: str) -> list[bytes]:
        """Every form that rows may have."""
        newest = self(purpose, value)
        return [newest, *self.older.get(newest, ())]

    def every(self, blinds: Iterable[bytes]) -> list[bytes]:
        """Every form of these newest ones, all asked for before."""
        blinds = list(blinds)
        return [*blinds, *[old for blind in blinds for old in self.older.get(blind, ())]] if self.older else blinds

    def newest(self, blind: bytes) -> bytes:
        """The newest form of what a row has."""
        return self._climbed.get(blind, blind)
