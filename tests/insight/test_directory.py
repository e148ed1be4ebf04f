"""The member directory: what each filter lets through, how pages join, what it costs."""

from __future__ import annotations

from datetime import UTC, date, datetime, timedelta

import numpy as np
import pytest
from hypothesis import given
from hypothesis import strategies as st

from shuke.engine.facts import OrderStatus
from shuke.insight.models import MemberScore, Movement, Snapshot
from shuke.insight.queries import in_use
from shuke.insight.queries.directory import Ranking, count, directory, every_row, neighbours
from shuke.insight.queries.filters import BONDS, LAYERS, SORTS, STAGES, VIEWS, Filters, parse, parse_sort, period
from shuke.loyalty.models import Wallet
from shuke.members.models import Member, MemberState
from shuke.orders.models import Order
from tests.cast import NOON


def at(text: str) -> datetime:
    return datetime.fromisoformat(text).replace(tzinfo=UTC)


def member(shop, name, *, score=None, wallet=None, **values):
    """One member; `score` and `wallet` are columns of those rows, None for no row at all."""
    values.setdefault("joined_at", at("2026-02-01"))
    found = Member.objects.create(merchant=shop.merchant, card=f"C{Member.objects.count():06}", name=name, **values)
    if score is not None:
        MemberScore.objects.create(merchant=shop.merchant, member=found, day=date(2026, 5, 31), **score)
    if wallet is not None:
        Wallet.objects.create(merchant=shop.merchant, member=found, **wallet)
    return found


@pytest.fixture
def people(lan):
    """Five members who differ in everything that can be filtered."""
    return {
        "ann": member(
            lan,
            "ann",
            home_store=lan.street,
            acquired_by="taobao",
            tags=["dry skin", "vip"],
            joined_at=at("2026-01-31T17:00"),
            score={
                "last_paid_at": at("2026-05-30"),
                "first_paid_at": at("2026-02-01"),
                "order_count": 9,
                "year_order_days": 7,
                "net_minor": 90_000,
                "stage": "stable",
                "rfm": "222",
                "layer": "key",
                "bond": "loyal",
                "r5": 5,
                "f5": 5,
                "m5": 5,
            },
            wallet={"balance": 900, "tier": "gold"},
        ),
        "bob": member(
            lan,
            "bob",
            home_store=lan.second,
            tags=["vip"],
            joined_at=at("2026-01-31T15:00"),
            score={
                "last_paid_at": at("2025-11-01"),
                "first_paid_at": at("2025-10-01"),
                "order_count": 2,
                "net_minor": 20_000,
                "stage": "lost",
                "rfm": "111",
                "layer": "target",
                "r5": 1,
                "f5": 2,
                "m5": 2,
            },
            wallet={"balance": 50, "tier": "silver"},
        ),
        "cat": member(
            lan,
            "cat",
            score={
                "last_paid_at": at("2026-05-30"),
                "first_paid_at": at("2026-05-30"),
                "order_count": 1,
                "year_order_days": 1,
                "net_minor": 10_000,
                "stage": "observing",
                "rfm": "211",
                "layer": "target",
                "r5": 5,
                "f5": 1,
                "m5": 1,
            },
            wallet={"balance": 0, "tier": "basic"},
        ),
        "dan": member(lan, "dan", score={"stage": ""}),
        "eve": member(lan, "eve"),  # joined since the last night run
    }


def names(shop, filters=None, **more):
    return [row.name for row in directory(shop.merchant, filters or Filters(), now=NOON, **more).rows]


@pytest.mark.parametrize(
    ("sort", "expected"),
    [
        ("-last", ["cat", "ann", "bob", "eve", "dan"]),
        ("last", ["bob", "ann", "cat", "eve", "dan"]),
        ("-spent", ["ann", "bob", "cat", "dan", "eve"]),
        ("orders", ["dan", "cat", "bob", "ann", "eve"]),
        ("-points", ["ann", "bob", "cat", "eve", "dan"]),
        ("joined", ["bob", "ann", "cat", "dan", "eve"]),
    ],
)
def test_every_order_lists_everybody_and_puts_the_unknown_last(lan, people, sort, expected):
    assert names(lan, sort=sort) == expected


@pytest.mark.parametrize(
    ("address", "expected"),
    [
        ("view=new", ["cat"]),
        ("view=active", ["ann"]),
        ("view=at_risk", []),
        ("view=dormant", ["bob"]),
        ("view=lost", ["bob"]),
        ("view=lost&stage=stable", []),
        ("stage=stable&stage=lost", ["ann", "bob"]),
        ("tier=gold", ["ann"]),
        ("tier=gold&tier=silver", ["ann", "bob"]),
        ("rfm=222", ["ann"]),
        ("cell=5-1", ["cat"]),
        ("cell=5-1&cell=1-2", ["cat", "bob"]),
        ("layer=target", ["cat", "bob"]),
        ("joined=2026-02", ["ann", "eve", "dan", "cat"]),  # Shanghai's February began at 16:00 UTC on 31 January
        ("joined=2026-01-31", ["bob"]),
        ("joined=2026", ["cat", "ann", "bob", "eve", "dan"]),
        ("first=2026-05", ["cat"]),
        ("tag=vip", ["ann", "bob"]),
        ("tag=vip&tag=dry skin", ["ann"]),
        ("tag=vi", []),
        ("by=taobao", ["ann"]),
        ("points_from=50", ["ann", "bob"]),
        ("points_from=50&points_to=50", ["bob"]),
        ("points_to=0", ["cat"]),
        ("last_from=2026-05-30", ["cat", "ann"]),
        ("last_to=2025-11-01", ["bob"]),
        ("bought=never", ["eve", "dan"]),
        ("bought=ever", ["cat", "ann", "bob"]),
        ("bought=again", ["ann"]),
        ("bought=idle", ["bob", "dan"]),
        ("tier=gold&view=lost", []),
    ],
)
def test_a_filter_in_the_address_lets_through(lan, people, address, expected):
    filters = parse(pair.split("=") for pair in address.split("&"))
    assert filters.ignored == ()
    assert sorted(names(lan, filters)) == sorted(expected)
    assert count(lan.merchant, filters, now=NOON) == len(expected)


def test_the_store_filter_is_the_home_store(lan, people):
    assert names(lan, Filters(stores=(lan.street.id,))) == ["ann"]


def test_found_members_are_filtered_too(lan, people):
    found = [people["ann"].id, people["bob"].id, people["eve"].id]
    assert names(lan, found=found) == ["ann", "bob", "eve"]
    assert names(lan, Filters(view="lost"), found=found) == ["bob"]
    assert names(lan, found=[]) == []


def test_another_merchant_and_those_who_are_gone_are_not_listed(lan, mingde, people):
    member(lan, "merged", state=MemberState.MERGED)
    member(lan, "undone", state=MemberState.UNDONE, score={"last_paid_at": at("2026-05-31")})
    member(mingde, "theirs", score={"last_paid_at": at("2026-05-31")})
    for sort in SORTS:
        assert set(names(lan, sort=sort)) == {"ann", "bob", "cat", "dan", "eve"}
    assert names(mingde) == ["theirs"]
    assert names(lan, found=list(Member.objects.values_list("id", flat=True))) == ["cat", "ann", "bob", "eve", "dan"]


@pytest.mark.parametrize("sort", ["-last", "last", "-spent", "spent", "-orders", "points", "-joined", "joined"])
def test_pages_meet_without_gap_or_repetition(lan, people, sort):
    whole = names(lan, sort=sort)
    assert [name for n in (1, 2, 3) for name in names(lan, sort=sort, number=n, size=2)] == whole
    pages = [directory(lan.merchant, Filters(), now=NOON, sort=sort, number=n, size=2) for n in (1, 2, 3)]
    assert [(page.total, page.first, page.has_next) for page in pages] == [(5, 1, True), (5, 3, True), (5, 5, False)]


def test_a_page_behind_the_last_is_the_last(lan, people):
    page = directory(lan.merchant, Filters(), now=NOON, number=999_999, size=2)
    assert (page.number, page.first, [row.name for row in page.rows]) == (3, 5, ["dan"])
    nobody = directory(lan.merchant, Filters(view="at_risk"), now=NOON, number=7)
    assert (nobody.number, nobody.first, nobody.total, nobody.rows) == (1, 0, 0, [])


@pytest.mark.parametrize("sort", ["-last", "-points", "joined"])
def test_neighbours_walk_the_list_in_both_directions(lan, people, sort):
    whole = names(lan, sort=sort)
    ids = [people[name].id for name in whole]
    for here, before, after in zip(ids, [None, *ids], [*ids[1:], None], strict=False):
        assert neighbours(lan.merchant, Filters(), member_id=here, now=NOON, sort=sort) == (before, after)


def test_an_export_walks_the_whole_list_in_chunks(lan, people):
    chunks = list(every_row(lan.merchant, Filters(), now=NOON, chunk=2))
    assert [[row.name for row in chunk] for chunk in chunks] == [["cat", "ann"], ["bob", "eve"], ["dan"]]
    only = [people["bob"].id, people["cat"].id]
    assert [[r.name for r in c] for c in every_row(lan.merchant, Filters(), now=NOON, only=only)] == [["cat", "bob"]]
    lost = every_row(lan.merchant, Filters(view="lost"), now=NOON, only=only)
    assert [[r.name for r in c] for c in lost] == [["bob"]]


def test_a_page_costs_the_same_queries_whatever_is_asked(lan, people, django_assert_num_queries):
    with django_assert_num_queries(4):  # everybody, the latest snapshot, the scores of all, the rows of the page
        directory(lan.merchant, Filters(), now=NOON, size=1)
    with django_assert_num_queries(4):
        directory(lan.merchant, Filters(tiers=("gold", "silver"), view="lost"), now=NOON, size=5)


@given(
    st.lists(st.tuples(st.integers(-3, 3), st.booleans()), max_size=60),
    st.booleans(),
    st.integers(0, 60),
    st.integers(1, 4),
)
def test_a_page_and_its_neighbours_are_those_of_a_list_sorted_whole(people, down, start, size):
    """people: a sort value and whether it is known, of ids 0, 1, 2 …"""
    values, known = np.array([v for v, _ in people], np.int64), np.array([k for _, k in people], bool)
    order = Ranking(np.arange(len(people)), np.ones(len(people), bool), values, known, down=down)
    head = sorted((i for i in range(len(people)) if known[i]), key=lambda i: (values[i], i), reverse=down)
    whole = head + [i for i in reversed(range(len(people))) if not known[i]]
    assert order.total == len(people)
    assert order.ids(start, size) == whole[start : start + size]
    for before, here, after in zip([None, *whole], whole, [*whole[1:], None], strict=False):
        assert order.around(here) == (before, after)
    assert order.around(len(people)) == (None, None)


def test_what_makes_no_sense_is_kept_apart_and_told():
    filters = parse(
        [("rfm", "999"), ("cell", "6-1"), ("stage", "lost"), ("stage", "gone"), ("page", "2"), ("joined", "2026-13")]
    )
    assert filters == Filters(
        stages=("lost",), ignored=(("rfm", "999"), ("cell", "6-1"), ("stage", "gone"), ("joined", "2026-13"))
    )


def test_a_period_is_the_days_it_covers():
    assert period("2024") == (date(2024, 1, 1), date(2025, 1, 1))
    assert period("2024-12") == (date(2024, 12, 1), date(2025, 1, 1))
    assert period("2024-02-29") == (date(2024, 2, 29), date(2024, 3, 1))
    assert period("2023-02-29") is None
    assert period("24") is None


def test_an_unknown_sort_is_the_default():
    assert [parse_sort(s) for s in ("joined", "-joined", "name", "--last", "")] == ["joined", "-joined", *["-last"] * 3]


def test_a_chip_is_taken_away_alone():
    filters = parse([("tier", "gold"), ("tier", "silver"), ("view", "lost")])
    assert filters.without("tier", "gold") == Filters(tiers=("silver",), view="lost")
    assert filters.without("tier") == Filters(view="lost")


_texts = st.text(
    st.characters(min_codepoint=33, max_codepoint=0x9FFF, exclude_categories=("C", "Z")), min_size=1, max_size=20
)
_days = st.none() | st.dates(date(1970, 1, 1), date(2100, 1, 1))


def _some(values):
    return st.lists(values, max_size=3, unique=True).map(tuple)


@given(
    st.builds(
        Filters,
        text=st.just("") | _texts,
        view=st.sampled_from(["", *VIEWS]),
        stages=_some(st.sampled_from(STAGES)),
        tiers=_some(st.sampled_from(["gold", "silver", "t-1"])),
        rfm=_some(st.sampled_from(["222", "111", "121"])),
        cells=_some(st.tuples(st.integers(1, 5), st.integers(1, 5))),
        layers=_some(st.sampled_from(LAYERS)),
        bonds=_some(st.sampled_from(BONDS)),
        stores=_some(st.integers(1, 2**62)),
        money=_some(st.sampled_from("12345")),
        joined=st.sampled_from(["", "2017", "2017-05", "2017-05-12", "..2017-05-12", "2017-05..2017-06-02"]),
        first=st.sampled_from(["", "2017-05"]),
        tags=_some(_texts),
        acquired_by=_some(_texts),
        points_from=st.none() | st.integers(0, 10**9),
        points_to=st.none() | st.integers(0, 10**9),
        last_from=_days,
        last_to=_days,
        bought=st.sampled_from(["", "ever", "never", "year", "again", "idle"]),
        year_from=st.none() | st.integers(0, 10**12),
        chances=_some(st.sampled_from(["30-likely", "90-possible", "30-unlikely"])),
        expects_from=st.none() | st.integers(0, 10**12),
        expects_to=st.none() | st.integers(0, 10**12),
        paid=st.sampled_from(["", "2017", "2017-05..2017-06-02"]),
        paid_days=st.none() | st.integers(1, 366),
        unpaid=st.sampled_from(["", "2017-06"]),
        expires=st.sampled_from(["", "never", "2018-12"]),
        holding=st.sampled_from(["", "pending", "held", "debt"]),
        loyalty=st.sampled_from([(), ("habit", "none")]),
        quality=st.sampled_from([(), ("costly",)]),
        advice=st.sampled_from([(), ("win_back", "unknown")]),
        cost=st.sampled_from([(), ("care", "service")]),
        profit=st.sampled_from(["", "gain", "loss"]),
        bought_in=st.none() | st.integers(0, 2**62),
        moved=st.sampled_from(["", "stage:stable:degrading:2017-11-30", "layer::target:2017-01-01"]),
    )
)
def test_filters_read_back_from_their_address_are_the_same(filters):
    assert parse(filters.params()) == filters


def test_rows_carry_what_lists_and_exports_show(lan, people):
    row = directory(lan.merchant, Filters(tiers=("gold",)), now=NOON).rows[0]
    assert row._asdict() == {
        "id": people["ann"].id,
        "name": "ann",
        "nickname": "",
        "card": people["ann"].card,
        "phone_hint": "",
        "gender": "",
        "city": "",
        "joined_at": at("2026-01-31T17:00"),
        "acquired_by": "taobao",
        "store": "徐汇店",
        "tags": ["dry skin", "vip"],
        "tier": "gold",
        "tier_since": None,
        "points": 900,
        "last_paid_at": at("2026-05-30"),
        "first_paid_at": at("2026-02-01"),
        "orders": 9,
        "net_minor": 90_000,
        "year_net_minor": 0,
        "usual_gap_days": None,
        "stage": "stable",
        "layer": "key",
        "bond": "loyal",
        "rfm": "222",
        "r5": 5,
        "f5": 5,
        "m5": 5,
        "chance_30": None,
        "expected_spend": None,
        "year_profit_minor": None,
        "loyalty": "",
        "quality": "",
        "budget_minor": None,
        "advice": "",
    }
    unscored = directory(lan.merchant, Filters(bought="never"), now=NOON).rows[0]
    assert (unscored.name, unscored.points, unscored.orders, unscored.stage) == ("eve", None, None, "")


def test_the_choices_of_tags_and_sources_are_the_merchants_own(lan, mingde, people):
    member(mingde, "theirs", tags=["other"], acquired_by="jd")
    assert in_use.tags_in_use(lan.merchant) == ["dry skin", "vip"]
    assert in_use.sources_in_use(lan.merchant) == ["taobao"]


def test_a_source_written_with_blanks_is_found_as_it_is_offered(lan):
    member(lan, "fay", acquired_by=" 抖音 ")
    [offered] = in_use.sources_in_use(lan.merchant)
    assert names(lan, Filters(acquired_by=(offered,))) == ["fay"]


def test_dormant_is_half_a_year_without_a_purchase(lan):
    for days in (179, 180, 181):
        member(lan, f"{days}", score={"last_paid_at": NOON - timedelta(days=days, seconds=1)})
    assert names(lan, Filters(view="dormant")) == ["180", "181"]


def test_bought_in_a_store_means_there_and_within_the_window(lan, people):
    """The figure's own definition decides (members_behind), so list and dashboard cannot differ."""
    Snapshot.objects.create(
        merchant=lan.merchant,
        day=date(2026, 5, 31),
        made_at=NOON,
        figures={"as_of": "2026-05-31", "window_days": 365, "active_days": 90},
    )
    for name, store, paid_at in (
        ("ann", lan.street, "2026-05-30"),
        ("bob", lan.street, "2024-01-01"),  # too long ago
        ("cat", lan.online, "2026-05-30"),
    ):
        Order.objects.create(
            merchant=lan.merchant,
            store=store,
            number=name,
            member=people[name],
            status=OrderStatus.FINISHED,
            paid_at=at(paid_at),
            currency="CNY",
            net_minor=100,
            digest=b"",
        )
    asked = parse([("bought_in", str(lan.street.pk))])
    assert names(lan, asked) == ["ann"]
    assert count(lan.merchant, asked, now=NOON) == 1


def test_moved_means_from_there_to_here_since_that_day(lan, people):
    Snapshot.objects.create(
        merchant=lan.merchant,
        day=date(2026, 5, 31),
        made_at=NOON,
        figures={"as_of": "2026-05-31", "window_days": 365, "active_days": 90},
    )
    for name, day, before, after in (
        ("ann", "2026-05-20", "forming", "stable"),
        ("bob", "2026-04-20", "forming", "stable"),  # before that day
        ("cat", "2026-05-20", "forming", "degrading"),
    ):
        Movement.objects.create(
            merchant=lan.merchant, member=people[name], day=day, what="stage", before=before, after=after
        )
    asked = parse([("moved", "stage:forming:stable:2026-04-30")])
    assert names(lan, asked) == ["ann"]
    for nonsense in ("stage:forming:stable", "mood:a:b:2026-04-30", "stage:forming:stable:2026-13-01"):
        assert parse([("moved", nonsense)]).ignored == (("moved", nonsense),)
