"""Whatever is topped up, spent, held, given back, paid out and corrected in whatever order: it adds up to the cent.

The engine runs beside a model that knows no lots: a few sums that a child could keep. Where the engine says which lot, the
model only knows how much there must be.
"""

from __future__ import annotations

from collections import defaultdict
from datetime import UTC, datetime, timedelta

from hypothesis import given, settings
from hypothesis import strategies as st

from shuke.engine.stored import BONUS, PRINCIPAL, Lot, Purse, plan, share_back

T0 = datetime(2026, 1, 1, tzinfo=UTC)
ORDERS = st.sampled_from(["principal_first", "bonus_first", "proportion"])
STEP = st.tuples(
    st.sampled_from(
        ["top_up", "top_up", "spend", "spend", "hold", "capture", "release", "return", "return", "withdraw", "more", "less", "wait"]
    ),
    st.integers(1, 12_000),
    st.integers(0, 60),
    ORDERS,
    st.sampled_from(["none", "all", "proportion"]),
)  # fmt: skip


class Naive:
    """Sums, nothing else: what was asked for came in and went out (`total`), and what the books say of each account."""

    def __init__(self) -> None:
        self.total = 0  # by what was asked alone: no word of the engine in it
        self.money = self.bonus = 0
        self.flows: dict[str, int] = defaultdict(int)


class Story:
    def __init__(self) -> None:
        self.purse, self.naive, self.now = Purse(), Naive(), T0
        self.used: dict[str, dict[str, int]] = {}  # payment → lot → not given back
        self.granted: dict[str, int] = {}
        self.uses: dict[str, int] = defaultdict(int)

    def book(self, effect) -> None:
        assert sum(effect.legs.values()) == 0
        money = {"principal", "received", "sold", "paid_out", "adjusted"}
        assert sum(n for (_, name), n in effect.legs.items() if name in money) == 0, "bonus never becomes money"
        self.naive.money += effect.sum("principal")
        self.naive.bonus += effect.sum("bonus")
        for (_, name), n in effect.legs.items():
            self.naive.flows[name] += n
        for lot in effect.lots:
            self.granted[lot.key] = lot.granted
        for key, _, n in effect.uses:
            self.uses[key] += n

    def tick(self) -> None:
        for effect in self.purse.advance(self.now):
            self.book(effect)

    def check(self) -> None:
        self.tick()
        purse, naive = self.purse, self.naive
        assert (purse.balance(PRINCIPAL), purse.balance(BONUS)) == (naive.money, naive.bonus)
        for key, lot in purse.lots.items():
            assert 0 <= lot.held <= lot.remaining <= lot.granted
            assert lot.granted - lot.remaining == self.uses[key]
        assert sum(lot.held for lot in purse.lots.values()) == sum(hold.amount for hold in purse.holds.values())
        flows = naive.flows
        assert naive.money == -flows["received"] - flows["adjusted"] - flows["sold"] - flows["paid_out"]
        assert naive.bonus == -sum(
            flows[name] for name in ("granted", "adjusted_bonus", "sold_bonus", "forfeited", "lapsed")
        )
        assert naive.total - flows["lapsed"] - flows["forfeited"] == naive.money + naive.bonus
        assert purse.available(self.now) == naive.money + naive.bonus - purse.held(self.now)

    def step(self, n: int, what: str, amount: int, days: int, order: str, forfeit: str) -> None:
        purse, now, key = self.purse, self.now, f"e{n}"
        if what == "wait":
            self.now += timedelta(days=days, minutes=amount)
            self.tick()
        elif what == "top_up":
            ends = now + timedelta(days=days) if days else None
            bonus = amount // 10 * (days % 3)
            self.book(purse.top_up(key, amount, bonus, now, bonus_expires_at=ends))
            self.naive.total += amount + bonus
        elif what == "spend" and (there := purse.available(now)):
            amount = min(amount, there)
            money, bonus = (purse.available(now, kind) for kind in (PRINCIPAL, BONUS))
            effect = purse.spend(amount, order, now)
            self.book(effect)
            self.naive.total -= amount
            exact = {"principal_first": min(money, amount), "bonus_first": amount - min(bonus, amount)}.get(
                order, money * amount / there
            )
            assert abs(effect.sum("sold") - exact) < 1
            self.used[key] = {lot: n for lot, _, n in effect.uses}
            assert sum(self.used[key].values()) == amount
        elif what == "hold" and (there := purse.available(now)):
            purse.hold(key, min(amount, there), order, now, now + timedelta(minutes=days + 1))
        elif what == "capture" and purse.holds:
            hold = min(purse.holds.values(), key=lambda h: h.key)
            captured = min(amount, hold.amount)
            self.naive.total -= captured
            effect = purse.capture(hold.key, captured, order, now)
            self.book(effect)
            self.used[key] = {lot: n for lot, _, n in effect.uses}
            assert sum(self.used[key].values()) == captured
        elif what == "release" and purse.holds:
            purse.release(min(purse.holds), now)
        elif what == "return" and any(sum(left.values()) for left in self.used.values()):
            paid = max((k for k, left in self.used.items() if sum(left.values())), key=lambda k: (k[-1], k))
            left = self.used[paid]
            amount = min(amount, sum(left.values()))
            before = dict(left)
            self.naive.total += amount
            effect = purse.give_back(key, left, amount, now, days % 40)
            self.book(effect)
            for lot, kind, n in effect.uses:
                if kind == "back":
                    left[lot] += n
            assert sum(before.values()) - sum(left.values()) == amount
            assert all(0 <= n <= before[lot] for lot, n in left.items())
        elif what == "withdraw" and (there := purse.available(now, PRINCIPAL)):
            self.naive.total -= min(amount, there)
            self.book(purse.withdraw(min(amount, there), forfeit, now))
        elif what == "more":
            self.naive.total += amount
            self.book(purse.adjust(key, BONUS if days % 2 else PRINCIPAL, amount, now))
        elif what == "less":
            kind = BONUS if days % 2 else PRINCIPAL
            if there := purse.available(now, kind):
                self.naive.total -= min(amount, there)
                self.book(purse.adjust(key, kind, -min(amount, there), now))
        self.check()


@settings(max_examples=300)
@given(st.lists(STEP, max_size=30))
def test_any_sequence_adds_up(steps):
    story = Story()
    for n, step in enumerate(steps):
        story.step(n, *step)
    # Everything comes back: then nothing was sold, and no lot got more than it gave.
    for paid, left in story.used.items():
        if sum(left.values()):
            story.naive.total += sum(left.values())
            effect = story.purse.give_back(f"all{paid}", left, sum(left.values()), story.now, 30)
            story.book(effect)
    story.check()
    assert story.naive.flows["sold"] == story.naive.flows["sold_bonus"] == 0


@given(st.lists(st.integers(0, 5_000), min_size=1, max_size=8), st.lists(st.integers(1, 3_000), max_size=12))
def test_returns_in_any_parts_give_every_lot_exactly_what_it_gave(gave, parts):
    left = {f"l{i}": n for i, n in enumerate(gave)}
    for part in [*parts, 10**9]:
        amount = min(part, sum(left.values()))
        if not amount:
            continue
        shares = share_back(left, amount)
        assert sum(n for _, n in shares) == amount
        for key, n in shares:
            exact = left[key] * amount / sum(left.values())
            assert abs(n - exact) < 1, "largest remainder: less than a cent from the exact share"
        for key, n in shares:
            left[key] -= n
        assert min(left.values()) >= 0
    assert set(left.values()) == {0}


@given(st.integers(0, 9_000), st.integers(0, 9_000), st.data(), ORDERS)
def test_what_a_payment_uses_follows_the_declared_order(money, bonus, data, order):
    if not money + bonus:
        return
    amount = data.draw(st.integers(1, money + bonus))
    lots = [Lot("m", PRINCIPAL, "t", money, money, T0), Lot("b", BONUS, "t", bonus, bonus, T0)]
    used = dict(plan([(lot, lot.remaining) for lot in lots], amount, order))
    assert sum(used.values()) == amount
    if order == "principal_first":
        assert used.get("m", 0) == min(money, amount)
    elif order == "bonus_first":
        assert used.get("b", 0) == min(bonus, amount)
    else:
        assert abs(used.get("m", 0) - money * amount / (money + bonus)) < 1


def test_within_a_kind_what_lapses_soonest_goes_first_then_the_oldest():
    purse = Purse()
    purse.top_up("late", 100, 50, T0, bonus_expires_at=T0 + timedelta(days=90))
    purse.top_up("soon", 100, 50, T0 + timedelta(days=1), bonus_expires_at=T0 + timedelta(days=30))
    assert [key for key, _, _ in purse.spend(60, "bonus_first", T0 + timedelta(days=2)).uses] == [
        "soon:bonus",
        "late:bonus",
    ]
    assert [key for key, _, _ in purse.spend(150, "principal_first", T0 + timedelta(days=2)).uses] == [
        "late:principal",
        "soon:principal",
    ]


def test_bonus_held_beyond_its_end_can_still_pay_and_lapses_when_it_is_let_go():
    for captured in (True, False):
        purse = Purse()
        purse.top_up("a", 100, 100, T0, bonus_expires_at=T0 + timedelta(days=10))
        day = T0 + timedelta(days=9)
        purse.hold("h", 100, "bonus_first", day, day + timedelta(days=3))
        later = T0 + timedelta(days=11)
        assert purse.advance(later) == []
        assert purse.available(later) == 100
        if captured:
            assert purse.capture("h", 100, "bonus_first", later).sum("sold_bonus") == 100
            assert purse.advance(later) == []
        else:
            purse.release("h", later)
            [lapse] = purse.advance(later)
            assert (lapse.kind, lapse.sum("lapsed")) == ("lapse", 100)
        assert (purse.balance(PRINCIPAL), purse.balance(BONUS)) == (100, 0)


def test_bonus_that_comes_back_after_its_end_lives_on_for_the_grace():
    purse = Purse()
    purse.top_up("a", 0, 100, T0, bonus_expires_at=T0 + timedelta(days=10))
    purse.spend(80, "bonus_first", T0)
    later = T0 + timedelta(days=20)
    purse.advance(later)
    purse.give_back("r1", {"a:bonus": 80}, 50, later, 30)
    assert purse.available(later) == 50
    assert purse.available(later + timedelta(days=30)) == 0
    purse.give_back("r2", {"a:bonus": 30}, 30, later, 0)  # without grace it lapses at once
    assert sum(e.sum("lapsed") for e in purse.advance(later)) == 30


def test_paying_out_in_parts_gives_up_the_bonus_of_the_same_top_up_and_no_other():
    purse = Purse()
    purse.top_up("a", 1000, 100, T0)
    purse.top_up("b", 500, 50, T0 + timedelta(days=1))
    now = T0 + timedelta(days=2)
    assert purse.withdraw(333, "proportion", now).sum("forfeited") == 33
    assert purse.withdraw(667, "proportion", now).sum("forfeited") == 67
    assert (purse.balance(PRINCIPAL), purse.balance(BONUS)) == (500, 50)
    assert purse.withdraw(1, "all", now).sum("forfeited") == 50
    assert purse.withdraw(499, "none", now).sum("paid_out") == 499


def test_bonus_that_comes_back_before_its_end_keeps_that_end():
    purse = Purse()
    end = T0 + timedelta(days=10)
    purse.top_up("a", 0, 100, T0, bonus_expires_at=end)
    purse.spend(80, "bonus_first", T0)
    assert purse.give_back("r", {"a:bonus": 80}, 80, T0 + timedelta(days=9), 30).lots == []
    assert (purse.available(end - timedelta(seconds=1)), purse.available(end)) == (100, 0)
