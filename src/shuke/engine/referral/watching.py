"""What looks wrong about a bond. A signal never decides: it makes a person look before anything is paid.

Dated signals come of bonds and orders and count only what had happened when the reward fell due, so late news is folded in like
any other. Undated ones (a phone, an address two people share) are knowledge of today: they hold what is not yet paid and
take nothing back by themselves.
"""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from datetime import datetime, timedelta
from typing import NamedTuple

from shuke.engine.charter.referring import ReferralWatch
from shuke.engine.referral.judging import Bond, Bought

STEPS = 100  # longest ring that is looked for
DATED = ("ring", "rush", "once_only")
_ASKED = {
    "phone": "contacts", "email": "contacts", "account": "contacts", "suspicion": "contacts", "known": "contacts",
    "address": "addresses", "device": "devices", "name": "names",
}  # fmt: skip


class Signal(NamedTuple):
    """One reason to look. `members`: with whom; `figure`: how many, in days or percent."""

    kind: str
    members: tuple[int, ...] = ()
    figure: int = 0


def ring(above: Mapping[int, tuple[int, datetime]], bond: Bond, until: datetime) -> Signal | None:
    """Whether whoever brought this friend was, over any steps, brought by the friend.

    `above`: newcomer → who brought them, when. Bonds made after `until` do not count.
    """
    path = [bond.newcomer]
    at = bond.referrer
    for _ in range(STEPS):
        path.append(at)
        if at == bond.newcomer:
            return Signal("ring", tuple(path), len(path) - 1)
        step = above.get(at)
        if step is None or step[1] > until or step[0] in path[1:]:
            return None
        at = step[0]
    return None


def rush(bound: Sequence[datetime], bond: Bond, until: datetime, watch: ReferralWatch) -> Signal | None:
    """So many friends of one referrer within so few days, this one among them."""
    if watch.rush is None:
        return None
    times = sorted(at for at in bound if at <= until)
    span, most, last = timedelta(days=watch.rush_days), 0, 0
    for first, start in enumerate(times):
        last = max(last, first)
        while last < len(times) and times[last] - start <= span:
            last += 1
        if start <= bond.bound_at <= start + span:
            most = max(most, last - first)
    return Signal("rush", (), most) if most >= watch.rush else None


def once_only(
    others: Mapping[int, Sequence[Bought]], bond: Bond, until: datetime, watch: ReferralWatch
) -> Signal | None:
    """Most of the friends brought earlier bought once and never came back. `others`: orders by friend."""
    if watch.once_only is None:
        return None
    span = timedelta(days=watch.once_days)
    grown = away = 0
    for friend, orders in others.items():
        told = sorted(orders, key=lambda o: o.at)
        if friend == bond.newcomer or not told or told[0].at + span > until:
            continue
        grown += 1
        end = told[0].at + span
        away += not any(o.at < end and o.kept(end) > 0 for o in told[1:])
    if grown < watch.once_only or away * 100 < watch.once_share * grown:
        return None
    return Signal("once_only", (), away * 100 // grown)


def asked_for(watch: ReferralWatch, kind: str) -> bool:
    """Whether the charter wants somebody to look at this kind of undated signal."""
    return bool(getattr(watch, _ASKED[kind]))


def holds(signals: Sequence[Signal], *, paid: bool, decision: str) -> bool:
    """Whether somebody has to look before this bond is worth anything."""
    if decision:
        return False
    return any(s.kind in DATED or not paid for s in signals)
