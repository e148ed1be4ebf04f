"""The life of one member's points, as stories. Amounts in fen; one point per yuan; see docs/algorithms/ledger.md."""

from datetime import UTC, date, datetime, timedelta
from zoneinfo import ZoneInfo

import pytest

from shuke.engine.charter import document
from shuke.engine.charter.terms import Terms, Versions
from shuke.engine.ledger import events as ev
from shuke.engine.ledger.fold import Fold, replay

SHANGHAI = ZoneInfo("Asia/Shanghai")
JOINED = datetime(2026, 1, 1, tzinfo=UTC)


def charter(**changes) -> Versions:
    plain = {
        "name": {"zh": "章程", "en": "Charter"},
        "currency": "CNY",
        "points": {"pending_days": 0, "expiry": {"kind": "months", "months": 3, "to_month_end": True}},
        "tiers": [
            {"key": "member", "name": {"zh": "普通", "en": "Member"}},
            {
                "key": "gold",
                "name": {"zh": "金", "en": "Gold"},
                "multiplier": 2,
                "reach": {"measure": "amount", "at_least": 1000},
            },
            {
                "key": "top",
                "name": {"zh": "顶", "en": "Top"},
                "reach": {"any": [{"measure": "amount", "at_least": 5000}, {"measure": "invited"}]},
            },
        ],
        "grading": {
            "window": {"kind": "rolling", "months": 3},
            "review": {"kind": "after_months", "months": 3},
            "grace_days": 10,
        },
        "earning": [{"key": "base", "name": {"zh": "基础", "en": "Base"}, "kind": "per_amount"}],
    }
    for key, value in changes.items():
        plain[key] = plain[key] | value if isinstance(plain.get(key), dict) else value
    return Versions([(JOINED, Terms(document.from_plain(plain), SHANGHAI, 1))])


def at(month: int, day: int, hour: int = 4) -> datetime:
    return datetime(2026, month, day, hour, tzinfo=UTC)


def buy(name: str, when: datetime, yuan: float) -> ev.Purchase:
    return ev.Purchase(f"order:{name}", when, round(yuan * 100))


def back(name: str, when: datetime, yuan: float, n: int = 1) -> ev.Refunded:
    return ev.Refunded(f"refund:{name}:{n}", when, f"order:{name}", round(yuan * 100))


def life(*happenings: ev.Event, until: datetime | None = None, **changes) -> Fold:
    return replay(charter(**changes), happenings, joined_at=JOINED, until=until)


def lots(fold: Fold) -> dict[str, tuple[int, int]]:
    return {k: (lot.granted, lot.remaining) for k, lot in fold.books.lots.items()}


def test_a_purchase_earns_a_lot_that_expires_at_the_end_of_a_month():
    fold = life(buy("a", at(1, 15), 120))
    lot = fold.books.lots["order:a"]
    assert (lot.granted, lot.remaining) == (120, 120)
    assert lot.expires_at == datetime(2026, 4, 30, 16, tzinfo=UTC)  # midnight in Shanghai after 30 April
    assert fold.effects[0].legs == {"issued": -120, "member": 120}


def test_points_wait_for_the_return_window():
    fold = life(buy("a", at(1, 15), 120), points={"pending_days": 7})
    assert fold.books.available(at(1, 21)) == 0
    assert fold.books.pending(at(1, 21)) == 120
    assert fold.books.available(datetime(2026, 1, 21, 16, tzinfo=UTC)) == 120  # 22 January 00:00 in Shanghai


def test_the_oldest_points_are_spent_first_and_expire_if_not():
    fold = life(buy("a", at(1, 15), 100), buy("b", at(2, 15), 100), ev.Burn("burn:x", at(3, 1), 130), until=at(6, 30))
    assert lots(fold) == {"order:a": (100, 0), "order:b": (100, 0)}
    assert [(e.event, e.kind, e.legs) for e in fold.effects[2:]] == [
        ("burn:x", "burn", {"member": -130, "spent": 130}),
        ("expire:2026-05-31T16:00", "expire", {"member": -70, "breakage": 70}),
    ]


def test_a_late_expiry_job_never_lets_expired_points_be_spent():
    fold = life(buy("a", at(1, 15), 100))
    assert fold.books.available(at(5, 1)) == 0
    assert fold.books.balance == 100


def test_a_partial_refund_leaves_what_the_rest_would_have_earned():
    fold = life(buy("a", at(1, 15), 99.90), back("a", at(1, 20), 33.30, 1), back("a", at(1, 21), 33.30, 2))
    assert lots(fold) == {"order:a": (99, 33)}  # 99 − 66: the two refunds take 33 each
    assert [e.legs for e in fold.effects] == [
        {"issued": -99, "member": 99},
        {"issued": 33, "member": -33},
        {"issued": 33, "member": -33},
    ]


def test_a_full_refund_takes_everything_back_whatever_the_split():
    for parts in ([100], [33, 33, 34], [99.99, 0.01]):
        fold = life(buy("a", at(1, 15), 100), *(back("a", at(1, 16 + i), p, i) for i, p in enumerate(parts)))
        assert fold.books.balance == 0
        assert fold.books.debt == 0


def test_points_already_spent_become_a_debt_that_the_next_earning_repays():
    fold = life(
        buy("a", at(1, 15), 100), ev.Burn("burn:x", at(1, 16), 80), back("a", at(1, 20), 100), buy("b", at(2, 1), 50),
        buy("c", at(2, 2), 50),
    )  # fmt: skip
    assert [e.legs for e in fold.effects[2:]] == [
        {"member": -20, "issued": 100, "debt": -80},
        {"issued": -50, "debt": 50},
        {"issued": -50, "member": 20, "debt": 30},
    ]
    assert (fold.books.balance, fold.books.debt) == (20, 0)


def test_other_lots_pay_before_a_debt_is_made():
    fold = life(
        buy("a", at(1, 15), 100), buy("b", at(2, 15), 30), ev.Burn("burn:x", at(2, 16), 100), back("a", at(2, 20), 100)
    )
    assert lots(fold) == {"order:a": (100, 0), "order:b": (30, 0)}
    assert fold.books.debt == 70


def test_points_that_lapsed_unused_are_not_taken_a_second_time():
    fold = life(buy("a", at(1, 15), 100), buy("b", at(4, 15), 30), back("a", at(5, 20), 100))
    assert lots(fold) == {"order:a": (100, 0), "order:b": (30, 30)}
    assert fold.books.debt == 0


def test_spent_points_come_back_to_the_lots_they_came_from():
    fold = life(
        buy("a", at(1, 15), 100), buy("b", at(2, 15), 100), ev.Burn("burn:x", at(3, 1), 150),
        ev.BurnReturned("return:x", at(3, 5), "burn:x", 75),
    )  # fmt: skip
    assert lots(fold) == {"order:a": (100, 50), "order:b": (100, 75)}


def test_a_lot_that_expired_meanwhile_comes_back_for_the_grace():
    fold = life(
        buy("a", at(1, 15), 100),
        ev.Burn("burn:x", at(4, 20), 100),
        ev.BurnReturned("return:x", at(5, 5), "burn:x", 100),
    )
    again = fold.books.lots["return:x/order:a"]
    assert (again.remaining, again.expires_at) == (100, datetime(2026, 6, 4, 16, tzinfo=UTC))
    assert fold.books.lots["order:a"].remaining == 0


def test_a_hold_keeps_points_from_being_spent_twice_and_gives_back_what_is_not_captured():
    held = ev.HoldPlaced("hold:h", at(2, 1), 70, at(2, 1, 5))
    fold = life(buy("a", at(1, 15), 100), held)
    assert (fold.books.available(at(2, 1)), fold.books.held()) == (30, 70)
    fold = life(buy("a", at(1, 15), 100), held, ev.HoldCaptured("capture:h", at(2, 1), "hold:h", 40))
    assert (fold.books.available(at(2, 1)), fold.books.held()) == (60, 0)
    fold = life(buy("a", at(1, 15), 100), held, until=at(2, 2))  # nobody came: it times out
    assert (fold.books.available(at(2, 2)), fold.books.held()) == (100, 0)


def test_it_does_not_expire_points_held_at_checkout():
    held = ev.HoldPlaced("hold:h", at(4, 30), 70, at(5, 3))
    bought = buy("a", at(1, 15), 100)
    captured = life(bought, held, ev.HoldCaptured("capture:h", at(5, 2), "hold:h", 70))
    assert captured.effects[-1].legs == {"member": -70, "spent": 70}
    released = life(bought, held, ev.HoldReleased("release:h", at(5, 2), "hold:h"))
    assert released.effects[-1].event == "release:h"  # at once, not when the clock comes by next
    assert released.effects[-1].legs == {"member": -70, "breakage": 70}


def test_an_upgrade_comes_at_once_and_counts_from_the_next_purchase():
    fold = life(buy("a", at(1, 15), 1000), buy("b", at(1, 16), 10))
    assert [(m.after, m.cause, m.at) for m in fold.moves] == [
        ("member", "joined", JOINED),
        ("gold", "reached", at(1, 15)),
    ]
    assert [e.legs["member"] for e in fold.effects] == [1000, 20]


def test_a_review_that_finds_too_little_waits_out_the_grace_and_falls_one_step():
    # Kept on 15 April (15 January is still inside the three months), not on 15 July; ten days of grace each time.
    fold = life(buy("a", at(1, 15), 5000), until=at(12, 31))
    assert [(m.after, m.cause, m.at.astimezone(SHANGHAI).date()) for m in fold.moves[1:]] == [
        ("top", "reached", date(2026, 1, 15)),
        ("gold", "review", date(2026, 7, 25)),
        ("member", "review", date(2026, 11, 4)),
    ]


def test_enough_within_the_window_keeps_the_tier():
    fold = life(buy("a", at(1, 15), 1000), buy("b", at(4, 1), 1000), until=at(4, 20))
    assert fold.tier_at(fold.versions.last) == "gold"
    assert fold.books.standing.review_at == datetime(2026, 7, 14, 16, tzinfo=UTC)


def test_a_refund_lowers_the_figures_but_the_tier_only_at_its_review():
    fold = life(buy("a", at(1, 15), 1000), back("a", at(1, 20), 1000))
    assert fold.tier_at(fold.versions.last) == "gold"
    assert fold.books.standing.totals[:3] == [0, 0, 0]


def test_a_tier_given_by_hand_is_a_floor_until_its_end():
    given = ev.TierGiven("tier:1", at(2, 1), "gold", at(3, 1))
    fold = life(given, buy("a", at(2, 2), 10), until=at(3, 2))
    assert [(m.after, m.cause) for m in fold.moves[1:]] == [("gold", "manual"), ("member", "floor_end")]
    assert fold.effects[0].legs["member"] == 20


def test_an_invitation_reaches_a_tier_where_the_charter_says_so():
    fold = life(ev.TierGiven("tier:1", at(2, 1), "top", None, "invited"))
    assert [(m.after, m.cause) for m in fold.moves[1:]] == [("top", "reached")]


@pytest.mark.parametrize("way", ["released", "captured", "timed out"])
def test_what_a_hold_sets_free_pays_a_debt_that_came_about_meanwhile(way):
    """I7: who owes has nothing free. 100 points, 80 held, the order comes back: 20 are taken, 80 owed."""
    told = [
        buy("a", at(1, 2), 100),
        ev.HoldPlaced("hold:h", at(1, 3), 80, at(1, 6)),
        back("a", at(1, 4), 100),
    ]
    fold = life(*told)
    assert (fold.books.balance, fold.books.held(), fold.books.debt) == (80, 80, 80)
    if way == "released":
        told.append(ev.HoldReleased("release:h", at(1, 5), "hold:h"))
    elif way == "captured":
        told.append(ev.HoldCaptured("capture:h", at(1, 5), "hold:h", 30))
    fold = life(*told, until=at(1, 7))
    assert (fold.books.available(at(1, 7)), fold.books.held()) == (0, 0)
    assert fold.books.debt == (30 if way == "captured" else 0)
    assert fold.books.balance == 0


def test_a_daily_cap_holds_over_several_orders_of_the_day():
    rules = [{"key": "base", "name": {"zh": "基础", "en": "Base"}, "kind": "per_amount", "caps": {"per_day": 100}}]
    fold = life(buy("a", at(1, 15, 1), 80), buy("b", at(1, 15, 2), 80), buy("c", at(1, 16), 80), earning=rules)
    assert [e.legs["member"] for e in fold.effects] == [80, 20, 80]


@pytest.mark.parametrize("shift", [timedelta(0), timedelta(hours=15, minutes=59)])
def test_a_day_is_a_day_in_the_shop(shift):
    fold = life(
        buy("a", datetime(2026, 1, 30, 16, tzinfo=UTC) + shift, 10)
    )  # 31 January in Shanghai, first to last minute
    assert fold.books.lots["order:a"].expires_at == datetime(2026, 4, 30, 16, tzinfo=UTC)
