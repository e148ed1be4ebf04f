"""The dashboard: what it says of a stored snapshot, what it costs, and what it says when there is nothing yet."""

from __future__ import annotations

import re
from datetime import date
from html import unescape

import pytest
from django.utils import translation

from shuke.doors.console import board, charts
from shuke.doors.console.board.shapes import compact
from shuke.insight.models import Snapshot
from shuke.insight.queries.figures import Flow
from shuke.insight.queries.filters import parse
from shuke.loyalty.models import Wallet
from shuke.loyalty.queries.liability import Liability
from shuke.members.models import Member
from tests import cast
from tests.doors.console import sample


@pytest.fixture
def english():
    with translation.override("en"):
        yield


@pytest.fixture
def figures(lan, english):
    return sample.store(lan.merchant, [(lan.street.pk, lan.street.name), (lan.online.pk, lan.online.name)]).figures


def text_of(page: str) -> str:
    return re.sub(r"\s+", " ", unescape(re.sub(r"<[^>]+>", " ", page)))


def test_every_tile_opens_the_members_it_counts(figures):
    told = {
        tile.key: (tile.name, tile.value, tile.kind, tile.url, tile.members, tuple(tile.note))
        for tile in board.tiles(figures)
    }
    assert told == {
        "members": (
            "Members", 2469, "count", "/members?joined=..2017-12-31", 2469,
            ("2,466 have bought", "/members?bought=ever", 2466),
        ),
        "new_members": (
            "New members this month", 12, "count", "/members?joined=2017-12-01..2017-12-31", 12,
            ("42 the month before", "/members?joined=2017-11", 42),
        ),
        "active": (
            "Active members", 2305, "count", "/members?last_from=2017-10-03", 2305, ("93.4% of all members", "", None),
        ),
        "degrading": (
            "Degrading", 164, "count", "/members?view=at_risk", 164, ("73 more are lost", "/members?view=lost", 73),
        ),
        "repeat_rate": (
            "Repeat rate", 0.9448, "rate", "/members?bought=again&sort=-orders", 2330,
            ("2,330 of 2,466 buyers came back", "/members?bought=year&sort=-orders", 2466),
        ),
        "churn_rate": (
            "Churn rate", 0.0429, "rate", "/members?last_from=2017-07-05&last_to=2017-10-02", 103,
            ("103 of 2,400 who were active", "/members?paid=2017-07-05..2017-10-02", 2400),
        ),
        "basket_minor": (
            "Basket value", 4684, "money", "/members?bought=year&sort=-spent", 2466,
            ("9.4 items per basket", "/members?paid=2017-01-01..2017-12-31&sort=-orders", 2466),
        ),
    }  # fmt: skip


def test_a_figure_that_could_not_be_observed_is_a_dash_with_its_reason(figures):
    figures["kpi"] |= {"churn_rate": None, "churned": None, "repeat_rate": None}
    figures["missing"] = [{"code": "short_history", "params": {"days": 40, "needed": 180}, "figures": ["churn_rate"]}]
    tiles = {tile.key: tile for tile in board.tiles(figures)}
    assert (tiles["churn_rate"].value, tiles["churn_rate"].reason) == (
        None,
        "Days of history: 40; 180 are needed.",
    )


def test_cells_layers_stages_and_classes_open_lists_that_understand_them(figures):
    """Each address is read back by the list's own filters; nothing of it may be unknown there."""
    rfm, pyramid, life = board.rfm(figures), board.pyramid(figures), board.lifecycle(figures)
    urls = [cell.url for row in rfm["rows"] for cell in row.cells]
    urls += [one["url"] for one in rfm["classes"]] + [layer.url for layer in pyramid["layers"]]
    urls += [stage["url"] for stage in life["stages"]] + [rfm["none_url"], pyramid["without_url"]]
    urls += [url for _bar, _month, url in board.months(figures)["growth"]["bars"]]
    urls += [store["url"] for store in board.stores(figures)["rows"]] + [tile.url for tile in board.tiles(figures)]
    assert len(urls) == 25 + 8 + 4 + 5 + 2 + 12 + 2 + 7
    for url in urls:
        pairs = [tuple(pair.split("=")) for pair in url.partition("?")[2].split("&") if pair]
        filters = parse(pairs)
        assert filters.ignored == ()
        assert {name for name, _value in filters.params()} == {name for name, _value in pairs} - {"sort"}


def test_the_map_says_its_bounds_in_days_and_times(figures):
    told = board.rfm(figures)
    assert [row.label for row in told["rows"]] == [
        "up to 2 days",
        "3–5 days",
        "6–11 days",
        "12–32 days",
        "over 32 days",
    ]
    assert [label for _f, label in told["columns"]] == ["1–11×", "12–25×", "26–47×", "48–82×", "≥83×"]


def test_bounds_nobody_can_reach_are_dashes(figures):
    figures["rfm"]["cuts"] |= {"r": [30, None, None, None], "f": [2, None, None, None]}
    told = board.rfm(figures)
    assert [row.label for row in told["rows"]] == ["–", "–", "–", "up to 30 days", "over 30 days"]
    assert [label for _f, label in told["columns"]] == ["1×", "≥2×", "–", "–", "–"]


def test_liability_by_month_keeps_a_year_and_adds_up_the_rest(lan, english):
    months = [(f"2026-{i:02d}", 100 * i, i) for i in range(6, 13)] + [(f"2027-{i:02d}", 10, 1) for i in range(1, 10)]
    owed = Liability(cast.NOON, 9999, 123, 9000, 900, 99, 5, 3, [*months, ("", 7, 0)], 20_000, 8_000, 2_001)
    told = board.liability(owed, lan.merchant, {"2026-06": 2, "": 1})
    assert told["bars"][0][-2:] == ("/members?expires=2026-06&sort=-points", 2)
    assert told["bars"][-1][-2] == ""
    assert told["rows"][0] == ("2026-06", 600, 6)
    assert len(told["rows"]) == 14
    assert told["rows"][-1] == ("later", 37, 3)


def test_movement_says_up_or_down_and_leaves_out_newcomers(english):
    flows = {
        "stage": [Flow("stable", "degrading", 40), Flow("", "observing", 12), Flow("degrading", "stable", 30)],
        "layer": [Flow("target", "potential", 5)],
        "rfm": [],
    }
    told = {kind["name"]: kind for kind in board.movement(flows, date(2017, 12, 1), date(2017, 12, 31))}
    assert told["Life cycle"] == {
        "name": "Life cycle",
        "url": "/insight/movement?what=stage&since=2017-12-01&until=2017-12-31",
        "rows": [
            {
                "label": "Stable → Degrading",
                "count": 40,
                "up": False,
                "url": "/members?moved=stage%3Astable%3Adegrading%3A2017-12-01%3A2017-12-31",
            },
            {
                "label": "Degrading → Stable",
                "count": 30,
                "up": True,
                "url": "/members?moved=stage%3Adegrading%3Astable%3A2017-12-01%3A2017-12-31",
            },
        ],
        "up": 30,
        "down": 40,
    }
    assert (told["Member pyramid"]["up"], told["Member pyramid"]["down"], told["RFM"]["rows"]) == (5, 0, [])


def test_shares_of_tiers_come_highest_first_and_former_tiers_last(english):
    told = board.grades({"gold": 1, "member": 3, "founders": 4}, {"member": ("Member", 0), "gold": ("Gold", 1)})
    assert [(row["name"], row["count"], row["share"]) for row in told["rows"]] == [
        ("Gold", 1, 0.125),
        ("Member", 3, 0.375),
        ("founders", 4, 0.5),
    ]


@pytest.mark.parametrize("people", [1, 3])
def test_it_costs_the_same_few_queries_however_many_members(see, lan, people, django_assert_num_queries):
    """Session, person, merchant; snapshot; three of the liability, tiers, three of movement, charter."""
    sample.store(lan.merchant, [(lan.street.pk, lan.street.name)])
    for i in range(people):
        member = Member.objects.create(merchant=lan.merchant, card=f"{i}", joined_at=cast.OPENED)
        Wallet.objects.create(merchant=lan.merchant, member=member, tier="gold")
    client = see(lan.owner)
    with django_assert_num_queries(13):
        assert client.get("/").status_code == 200
    with django_assert_num_queries(6):  # the books are added up at most every ten minutes
        assert client.get("/").status_code == 200


def test_the_night_has_added_up_the_books_already(see, lan, django_assert_num_queries):
    kept = sample.store(lan.merchant, [])
    owed = Liability(cast.NOON, 9999, 12345, 9000, 900, 99, 0, 3, [("2026-06", 9999, 12345)], 20_000, 8_000, 2_001)
    kept.figures["books"] = owed._asdict() | {"now": cast.NOON.isoformat(), "tiers": {"gold": 7}}
    kept.save(update_fields=["figures"])
    client = see(lan.owner)
    with django_assert_num_queries(9):
        page = text_of(client.get("/").content.decode())
    for told in ("¥123.45", "9,999 points of 3 members", "gold 7 100%", "20,000 issued, 8,000 spent, 2,001 lapsed"):
        assert told in page


@pytest.mark.parametrize(
    ("language", "words"),
    [
        ("en", ["As of the end of 2017-12-31, made 2018-01-01 10:00", "55% of spend comes from the biggest 20 %"]),
        ("zh-hans", ["数据截至 2017-12-31 日终，生成于 2018-01-01 10:00", "55% 的消费来自消费最多的 20% 购买会员"]),
    ],
)
def test_the_page_is_whole_in_both_languages(see, lan, language, words):
    sample.store(lan.merchant, [(lan.street.pk, lan.street.name)])
    page = text_of(see(lan.owner, language).get("/").content.decode())
    for told in [*words, "2,469", "¥46.84", "徐汇店"]:
        assert told in page


def test_a_shop_without_orders_is_led_to_the_import(see, lan):
    page = see(lan.owner).get("/").content.decode()
    assert "No orders yet" in page
    assert 'href="/imports"' in page


def test_members_without_a_night_are_told_when_figures_come(see, lan):
    Member.objects.create(merchant=lan.merchant, card="1", joined_at=cast.OPENED)
    assert "The figures are not made yet" in see(lan.owner).get("/").content.decode()


def test_another_merchants_snapshot_is_never_shown(see, lan, mingde):
    sample.store(mingde.merchant, [(mingde.street.pk, mingde.street.name)])
    assert "No orders yet" in see(lan.owner).get("/").content.decode()
    assert Snapshot.objects.count() == 1


# ── geometry ──


def test_axes_end_on_round_figures():
    told = [charts.nice_top(highest) for highest in (0, 3, 7, 42, 600, 0.98)]
    assert told == [(1.0, 1.0), (3, 1), (8, 2), (60, 20), (600, 200), (1.0, 0.25)]


def test_a_line_breaks_where_nothing_is_known():
    frame = charts.Frame(width=30, height=10, left=0, right=0, top=0, bottom=0)
    assert charts.lines([1, None, 0.5], 1, frame) == ["2.5,0.0", "12.5,5.0"]


def test_a_stack_keeps_something_small_visible_and_fills_the_width():
    pieces = charts.stack([1, 0, 9999], width=100, gap=0)
    assert [(p.x, p.width) for p in pieces] == [("0.0", "2.0"), ("2.0", "0.0"), ("2.0", "98.0")]
    assert charts.stack([0, 0], width=100) == [charts.Piece("0.0", "0.0", 0.0)] * 2


def test_heat_tells_nobody_from_somebody():
    assert [charts.heat(v, 100) for v in (0, 1, 30, 100)] == [0, 1, 3, 5]


@pytest.mark.parametrize(
    ("language", "expected"),
    [("en", ["0", "8,000", "20k", "800k", "2.5M"]), ("zh-hans", ["0", "8,000", "2万", "80万", "250万"])],
)
def test_axes_are_short_enough_for_a_phone(language, expected):
    with translation.override(language):
        assert [compact(v) for v in (0, 8_000, 20_000, 800_000, 2_500_000)] == expected
