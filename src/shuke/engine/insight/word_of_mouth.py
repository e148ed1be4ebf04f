"""What word of mouth is worth: friends brought against others who came in the same month by the same way, their branches, and
the trade's saying of 1:25:8:1 as assumptions that say so.

    from shuke.engine.insight import word_of_mouth as mouth
    levels = mouth.levels({2: 1, 3: 2})                        # newcomer → who brought them: 2 is a first step, 3 a second
    told = mouth.compare(month, channel, net, brought)         # equally long columns, one element per newcomer
    mouth.worth(mouth.Branch(friends=4, net=90_000, rewards=2_000), 300, 250)

Nothing here proves that bringing made the difference: whoever is brought differs from others before the first purchase already. What
would have come anyway is an assumption of the shop, and is called one. Definitions and worked tables: docs/algorithms/word_of_mouth.md.
"""

from __future__ import annotations

from collections.abc import Iterable, Mapping
from typing import NamedTuple

import numpy as np

ANYWAY_PERMILLE = 300  # assumption: of friends brought, who would have come anyway
HEAR, WANT, BUY = 25, 8, 1  # the trade's saying: one satisfied customer tells 25, 8 would like to buy, 1 does
LEAST_OTHERS = 5  # newcomers of the same month and way who were not brought: fewer are no measure
LEAST_MATCHED = 10  # friends with such a measure, before a difference is told
CAPPED = (
    0.995  # of all newcomers' spend: what lies above counts as much as this, so that one wholesaler decides nothing
)
SURE = 1.96


def levels(bonds: Mapping[int, int]) -> dict[int, int]:
    """Of each newcomer how many steps from the first who was brought by nobody. Rings have no first: all of them are a first step."""
    found: dict[int, int] = {}
    for newcomer in bonds:
        path: dict[int, None] = {}
        at = newcomer
        while at in bonds and at not in found and at not in path:
            path[at] = None
            at = bonds[at]
        steps = list(path)
        if at in path:  # a ring, and perhaps a tail that leads into it
            ring = steps.index(at)
            found.update(dict.fromkeys(steps[ring:], 1))
            steps = steps[:ring]
        for step in reversed(steps):
            found[step] = found.get(bonds[step], 0) + 1
    return found


def friends_of(bonds: Mapping[int, int]) -> dict[int, list[int]]:
    """Of each who brought somebody, whom."""
    friends: dict[int, list[int]] = {}
    for newcomer, by in bonds.items():
        friends.setdefault(by, []).append(newcomer)
    return friends


def below(friends: Mapping[int, list[int]], member: int, steps: int | None = None) -> dict[int, int]:
    """Everybody one member brought, directly (1), by friends of friends (2) and so on, down to `steps`."""
    found: dict[int, int] = {}
    now, step = [member], 0
    while now and step != steps:
        step += 1
        now = [one for who in now for one in friends.get(who, []) if one not in found and one != member]
        found.update(dict.fromkeys(now, step))
    return found


class Branch(NamedTuple):
    """Friends of one step, or of several together. Money in minor units."""

    friends: int = 0
    buyers: int = 0
    net: int = 0
    rewards: int = 0  # cost of what was given for them, without what made their own orders count as less
    expected: int = 0  # what they will probably spend in the next 12 months
    taken: int = 0  # by coupons and points, off their own orders: net is lower by it, goods cost as much as ever

    def plus(self, other: Branch) -> Branch:
        return Branch(*(a + b for a, b in zip(self, other, strict=True)))


class Worth(NamedTuple):
    """What a branch left the shop. `kept` = `profit` less `anyway` less the rewards."""

    profit: int  # gross margin of what they spent
    anyway: int  # what would have come anyway (assumption), and without coupons
    rewards: int
    kept: int
    expected: int  # margin of what they will probably spend, less what would have come anyway


def worth(branch: Branch, margin_permille: int, anyway_permille: int, steps: int = 1) -> Worth:
    """`steps`: how many times somebody had to be brought who would not have come anyway; 2 for friends of a member's friends."""
    before = _share(branch.net + branch.taken, margin_permille)  # as if nothing had been taken off
    stays = (1 - anyway_permille / 1000) ** steps
    due = round(before * stays)
    return Worth(
        before - branch.taken,
        before - due,
        branch.rewards,
        due - branch.taken - branch.rewards,
        round(_share(branch.expected, margin_permille) * stays),
    )


def _share(amount: int, permille: int) -> int:
    return (2 * amount * permille + 1000) // 2000


class Compared(NamedTuple):
    """Friends brought against others of the same month and way, mean per head. None: too few to tell."""

    brought: int
    matched: int  # with LEAST_OTHERS others of the same month and way
    by_month: int  # of the others of the month, whatever the way
    unmatched: int  # nobody to compare with
    others: int  # who were compared with
    capped: int  # newcomers whose spend was cut to the most that counts
    brought_each: float | None
    others_each: float | None
    difference: float | None
    low: float | None  # interval of 95 % of the difference
    high: float | None
    brought_buyers: float | None  # share who bought at all
    others_buyers: float | None

    @property
    def surely(self) -> int:
        return 0 if self.low is None or self.high is None else int(self.low > 0) - int(self.high < 0)


def compare(month: np.ndarray, channel: np.ndarray, net: np.ndarray, brought: np.ndarray) -> Compared:
    """Each friend against the mean of those who joined in the same month by the same way and were not brought.

    month, channel: int, one element per newcomer. net: what each bought since, minor units. brought: bool.
    """
    brought = np.asarray(brought, bool)
    size = int(brought.sum())
    nothing = Compared(size, 0, 0, size, 0, 0, None, None, None, None, None, None, None)
    if not size:
        return nothing
    top = float(np.quantile(net, CAPPED, method="higher"))
    counted = np.minimum(np.asarray(net, np.float64), top)
    bought = (np.asarray(net) > 0).astype(np.float64)
    cell = _cells(month, channel)
    exact = _enough(cell, brought)
    rough = ~exact & _enough(month, brought)
    strata = [(cell, exact & brought), (month, rough & brought)]
    matched, by_month = (int(rows.sum()) for _key, rows in strata)
    told = matched + by_month
    used = np.zeros(brought.size, bool)
    sums, spread, buyers = np.zeros(2), 0.0, np.zeros(2)
    whole = [float(counted[side].var(ddof=1)) if side.sum() > 1 else 0.0 for side in (brought, ~brought)]
    for key, rows in strata:
        for one in np.unique(key[rows]):
            mine, others = rows & (key == one), ~brought & (key == one)
            n, m = int(mine.sum()), int(others.sum())
            used |= others
            sums += (float(counted[mine].sum()), n * float(counted[others].mean()))
            buyers += (float(bought[mine].sum()), n * float(bought[others].mean()))
            own = [
                float(counted[s].var(ddof=1)) if s.sum() > 1 else w for s, w in zip((mine, others), whole, strict=True)
            ]
            spread += n * n * (own[0] / n + own[1] / m)
    base = nothing._replace(
        matched=matched, by_month=by_month, unmatched=size - told, others=int(used.sum()), capped=int((np.asarray(net) > top).sum())
    )  # fmt: skip
    if told < LEAST_MATCHED:
        return base
    mean, others_mean = (float(one) / told for one in sums)
    error = SURE * float(np.sqrt(spread)) / told
    difference = mean - others_mean
    return base._replace(
        brought_each=mean, others_each=others_mean, difference=difference, low=difference - error, high=difference + error,
        brought_buyers=float(buyers[0]) / told, others_buyers=float(buyers[1]) / told,
    )  # fmt: skip


def sides(month: np.ndarray, channel: np.ndarray, brought: np.ndarray) -> tuple[np.ndarray, np.ndarray]:
    """bool per newcomer: friends who have somebody to be compared with, and those they are compared with."""
    cell = _cells(month, channel)
    exact = brought & _enough(cell, brought)
    rough = brought & ~exact & _enough(month, brought)
    others = ~brought & (np.isin(cell, cell[exact]) | np.isin(month, month[rough]))
    return exact | rough, others


def _cells(month: np.ndarray, channel: np.ndarray) -> np.ndarray:
    return np.asarray(month, np.int64) * (int(np.max(channel, initial=0)) + 2) + np.asarray(channel, np.int64) + 1


def _enough(key: np.ndarray, brought: np.ndarray) -> np.ndarray:
    """bool per newcomer: LEAST_OTHERS of the same key were not brought."""
    keys, place = np.unique(key, return_inverse=True)
    return (np.bincount(place[~brought], minlength=keys.size) >= LEAST_OTHERS)[place]


class Saying(NamedTuple):
    """1:25:8:1, multiplied out. All of it assumed but the worth of one who buys."""

    satisfied: int
    hear: int
    want: int
    buy: int
    worth: int | None  # minor units; None: what a newcomer leaves is not known


def saying(satisfied: int, hear: int, want: int, buy: int, newcomer_worth: int | None) -> Saying:
    """What the saying would make of so many satisfied members."""
    buys = satisfied * buy
    return Saying(
        satisfied, satisfied * hear, satisfied * want, buys, None if newcomer_worth is None else buys * newcomer_worth
    )


class BadAssumption(ValueError):
    """A figure that cannot be. `code`: bad_anyway | bad_saying."""

    def __init__(self, code: str, text: str) -> None:
        super().__init__(text)
        self.code = code


def check(anyway_permille: int | None, figures: Iterable[int | None]) -> None:
    """Raises BadAssumption where a share is none, or more want than hear, or more buy than want."""
    if anyway_permille is not None and not 0 <= anyway_permille <= 1000:
        raise BadAssumption("bad_anyway", f"{anyway_permille / 10:g} % is no share: it lies between 0 and 100 %.")
    hear, want, buy = (
        given if given is not None else usual for given, usual in zip(figures, (HEAR, WANT, BUY), strict=True)
    )
    if not 0 <= buy <= want <= hear <= 10_000:
        raise BadAssumption(
            "bad_saying", f"1:{hear}:{want}:{buy} cannot be: of those who hear fewer want, and of those fewer buy."
        )
