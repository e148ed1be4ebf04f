"""What goes together, in which order, and which combination is taken."""

from itertools import combinations

from hypothesis import given, settings
from hypothesis import strategies as st

from shuke.engine.checkout import document as baskets
from shuke.engine.checkout import pricing
from shuke.engine.checkout.moves import State
from shuke.engine.checkout.moves import off as shares_of
from shuke.engine.checkout.reasons import Reason
from shuke.engine.checkout.rules import rules_of
from shuke.engine.checkout.search import FEW
from tests.engine.checkout.till import NOW, SHANGHAI, line, off, reasons, ring, terms


def test_the_declared_order_decides_what_a_percentage_is_of():
    rules = {
        "prices": [{"key": "tier", "percent": 10}],
        "offers": [{"key": "sale", "kind": "amount", "amount": 20}],
        "coupons": [{"key": "c", "kind": "percent", "percent": 50}],
        "points": {},
    }
    member = {"points": 1000}
    priced = ring(terms(**rules), line("a", 200), member=member, coupons=["c"], points=1000)
    assert off(priced) == {"tier": 2000, "sale": 2000, "c1": 8000, "points": 1000}
    turned = ring(
        terms(**rules, order=["points", "coupons", "offers", "tier_price"]),
        line("a", 200),
        member=member,
        coupons=["c"],
        points=1000,
    )
    assert off(turned) == {"points": 1000, "c1": 9500, "sale": 2000, "tier": 750}


def test_of_a_group_the_better_one_applies_and_the_other_says_why():
    rules = terms(
        offers=[
            {"key": "small", "kind": "amount", "amount": 5, "group": "sale"},
            {"key": "large", "kind": "percent", "percent": 10, "group": "sale"},
        ]
    )
    priced = ring(rules, line("a", 100))
    assert off(priced) == {"large": 1000}
    assert reasons(priced) == {"small": "excluded_by"}
    assert priced.search.exact
    assert "rule small does not go together with large." in priced.skipped[0].reason.say(("", "rule small"), "CNY")
    assert off(ring(rules, line("a", 40))) == {"small": 500}


def test_with_choose_first_the_earlier_in_the_document_wins():
    offers = [
        {"key": "small", "kind": "amount", "amount": 5, "group": "sale"},
        {"key": "large", "kind": "percent", "percent": 10, "group": "sale"},
    ]
    assert off(ring(terms(offers=offers, choose="first"), line("a", 100))) == {"small": 500}


def test_a_group_per_line_lets_each_line_have_one():
    rules = terms(
        groups=[{"key": "sale", "per": "line"}],
        offers=[
            {"key": "tea", "kind": "percent", "percent": 10, "group": "sale", "when": {"products": ["T"]}},
            {"key": "all", "kind": "percent", "percent": 5, "group": "sale"},
        ],
    )
    priced = ring(rules, line("a", 100, sku="T"), line("b", 100, sku="W"))
    assert [x.discounts for x in priced.lines] == [(("tea", 1000),), (("all", 500),)]


def test_alone_not_with_and_full_price_goods():
    rules = terms(
        prices=[{"key": "tier", "percent": 5, "when": {"products": ["T"]}}],
        offers=[{"key": "full", "kind": "percent", "percent": 20, "on_discounted": False}],
        coupons=[
            {"key": "lone", "kind": "amount", "amount": 12, "alone": True},
            {"key": "shy", "kind": "amount", "amount": 8, "not_with": ["offers"]},
        ],
    )
    goods = [line("a", 10, sku="T"), line("b", 20, sku="W")]
    # Without the tier price the offer has all goods at full price: 6.00; with it only b: 0.50 + 4.00.
    assert off(ring(rules, *goods)) == {"full": 600}
    assert off(ring(rules, *goods, coupons=["lone"])) == {"c1": 1200}
    assert off(ring(rules, *goods, coupons=["shy"])) == {"tier": 50, "c1": 800}
    assert reasons(ring(rules, *goods, coupons=["shy"])) == {"full": "excluded_by"}


def test_a_coupon_is_not_used_where_the_basket_is_cheaper_without():
    rules = terms(
        offers=[{"key": "tiny", "kind": "amount", "amount": 5}],
        coupons=[{"key": "big", "kind": "amount", "amount": 30, "when": {"min_amount": 100}}],
    )
    priced = ring(rules, line("a", 102), coupons=["big"])
    assert off(priced) == {"c1": 3000}
    assert reasons(priced) == {"tiny": "better_without"}


def test_most_coupons_and_how_many_of_one():
    rules = terms(
        most_coupons=2,
        coupons=[
            {"key": "a", "kind": "amount", "amount": 5, "limits": {"per_order": 2}},
            {"key": "b", "kind": "amount", "amount": 7},
        ],
    )
    priced = ring(rules, line("x", 100), coupons=["a", "a", "b", "b"])
    assert off(priced) == {"c1": 500, "c3": 700}
    assert reasons(priced) == {"c2": "too_many_coupons", "c4": "too_many_coupons"}


def test_best_looks_through_all_coupons_held():
    rules = terms(
        most_coupons=1,
        coupons=[{"key": k, "kind": "amount", "amount": n} for k, n in (("a", 5), ("b", 9), ("c", 7))],
    )
    priced = ring(rules, line("x", 100), coupons=["a", "b", "c"], ask=[], best=True)
    assert off(priced) == {"c2": 900}


def test_a_search_that_stops_at_its_bound_says_so():
    rules = terms(
        effort=3,
        offers=[{"key": f"o{i}", "kind": "amount", "amount": 1 + i, "group": f"g{i % 4}"} for i in range(12)],
    )
    priced = ring(rules, line("a", 100))
    assert not priced.search.exact
    assert priced.search.could_save >= priced.discount
    assert ring(terms(offers=[]), line("a", 1)).search.exact


# ---- the law: never worse than any combination -----------------------------------------------------------------------

GROUPS = st.sampled_from([None, None, "g", "h", "lines"])


def amounts(most: int):
    return st.integers(1, most).map(lambda cents: cents / 100)


WHEN = st.fixed_dictionaries(
    {},
    optional={"products": st.sampled_from([["A"], ["B"], ["A", "C"]]), "min_amount": amounts(6000)},
)
MANNERS = {"group": GROUPS, "on_discounted": st.booleans(), "alone": st.sampled_from([False, False, False, True]), "when": WHEN}  # fmt: skip
OFFER = st.one_of(
    st.fixed_dictionaries({"kind": st.just("percent"), "percent": st.sampled_from([7, 12.5, 33, 50]), **MANNERS}),
    st.fixed_dictionaries({"kind": st.just("amount"), "amount": amounts(2000), **MANNERS}),
    st.fixed_dictionaries({"kind": st.just("price"), "amount": amounts(2000), **MANNERS}),
    st.fixed_dictionaries({"kind": st.just("off_each"), "amount": amounts(300), **MANNERS}),
    st.fixed_dictionaries(
        {
            "kind": st.just("ladder"),
            "rungs": st.sampled_from([[{"at_least": 20, "off": 3}, {"at_least": 50, "off": 11}], [{"at_least": 30, "percent": 10}]]),
            **MANNERS,
        }
    ),
    st.fixed_dictionaries(
        {"kind": st.just("ladder"), "repeat": st.just(True), "rungs": st.just([{"at_least": 15, "off": 2}]), **MANNERS}
    ),
    st.fixed_dictionaries({"kind": st.just("buy_get"), "buy": st.integers(1, 2), "get": st.just(1), **MANNERS}),
)  # fmt: skip
PRICE = st.fixed_dictionaries({"percent": st.sampled_from([3, 10]), "when": WHEN, "group": GROUPS})
COUPON = st.one_of(
    st.fixed_dictionaries({"kind": st.just("percent"), "percent": st.sampled_from([5, 40]), **MANNERS}),
    st.fixed_dictionaries({"kind": st.just("item"), **MANNERS}),
)
LINES = st.lists(
    st.builds(
        lambda cents, quantity, sku: (cents, quantity, sku),
        st.integers(1, 5000),
        st.integers(1, 3),
        st.sampled_from("ABC"),
    ),
    min_size=1,
    max_size=4,
)


def keyed(rules, letter):
    return [{"key": f"{letter}{i}", **rule} for i, rule in enumerate(rules)]


def brute_force(of, basket, holdings) -> int:
    """The most any set of moves saves, each made in order where the others of the set leave it possible."""
    rules = rules_of(of)
    moves: list = []
    for step in rules.steps:
        if step in ("tier_price", "offers"):
            pricing._live(rules, step, basket, holdings, NOW.astimezone(SHANGHAI), moves, [])
        elif step == "coupons":
            pricing._coupons(rules, basket, holdings, NOW, moves, [])
    pricing._set_conflicts(moves)
    most = 0
    for size in range(len(moves) + 1):
        for chosen in combinations(range(len(moves)), size):
            bits = sum(1 << k for k in chosen)
            if any(moves[k].conflicts & bits for k in chosen):
                continue
            state = State([x.amount for x in basket.lines], [0] * len(basket.lines))
            saved = 0
            for k in chosen:
                shares = shares_of(moves[k], state, basket.lines)
                if isinstance(shares, Reason):
                    break
                saved += state.take(moves[k], shares)
            else:
                most = max(most, saved)
    return most


@settings(max_examples=400, deadline=None)
@given(
    LINES,
    st.lists(PRICE, max_size=2),
    st.lists(OFFER, max_size=5),
    st.lists(COUPON, max_size=2),
    st.permutations(["tier_price", "offers", "coupons"]),
)
def test_no_combination_is_better_than_the_one_found(lines, prices, offers, coupons, order):
    of = terms(
        prices=keyed(prices, "p"), offers=keyed(offers, "o"), coupons=keyed(coupons, "c"), order=order,
        groups=[{"key": "lines", "per": "line"}], effort=1_000_000,
    )  # fmt: skip
    told = baskets.from_plain(
        {
            "lines": [{"amount_minor": a * q, "quantity": q, "sku": s} for a, q, s in lines],
            "member": {"coupons": [{"ref": f"c{i}", "template": f"c{i}"} for i in range(len(coupons))]},
            "asks": {"best": True},
        }
    )
    basket, holdings = baskets.basket(told, "CNY"), baskets.holdings(told)
    priced = pricing.price(of, basket, holdings, NOW)
    assert priced.search.exact
    most, rules = brute_force(of, basket, holdings), len(prices) + len(offers) + len(coupons)
    assert priced.discount == most if rules <= FEW else most - rules <= priced.discount <= most
    for row in priced.lines:
        assert row.list == sum(s for _, s in row.discounts) + row.points_amount + row.stored_value + row.due
        assert row.due >= 0
    for applied in priced.applied:
        assert sum(applied.shares) == applied.amount > 0
