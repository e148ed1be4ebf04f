"""The small pieces of every page."""

from __future__ import annotations

import pytest
from django.core.paginator import Paginator
from django.template import Context, Template
from django.utils import translation

from shuke.doors.console.templatetags import console as tags


@pytest.fixture(autouse=True)
def _english():
    with translation.override("en"):
        yield


def draw(source: str, rf, address: str = "/members", **context) -> str:
    request = rf.get(address)
    return Template("{% load console %}" + source).render(Context({"request": request, **context})).strip()


@pytest.mark.parametrize(
    ("minor", "currency", "whole", "rounded"),
    [
        (123456, "CNY", "¥1,234.56", "¥1,235"),
        (-50, "USD", "-$0.50", "-$1"),
        (1500, "JPY", "JP¥1,500", "JP¥1,500"),
        (0, "CHF", "CHF 0.00", "CHF 0"),
        (None, "CNY", "–", "–"),
    ],
)
def test_money_is_written_from_minor_units(minor, currency, whole, rounded):
    assert (tags.money(minor, currency), tags.money_round(minor, currency)) == (whole, rounded)


def test_numbers_are_grouped_by_thousands_in_chinese_too():
    with translation.override("zh-hans"):
        assert [tags.count(1234567), tags.count(None), tags.thousandths(9428), tags.percent(0.0429)] == [
            "1,234,567",
            "–",
            "9.4",
            "4.3%",
        ]


@pytest.mark.parametrize(
    ("hint", "shown"), [("138****5678", "138 **** 5678"), ("", ""), ("+1 555", "+1 555"), ("****5678", "**** 5678")]
)
def test_a_masked_phone_is_spaced_to_be_read_aloud(hint, shown):
    assert tags.masked_phone(hint) == shown


def test_a_filter_is_taken_away_without_the_others_and_back_on_the_first_page(rf):
    drawn = draw('{% filter_chip label="Gold" without="tier" %}', rf, "/members?tier=gold&stage=lost&page=3")
    assert 'href="?stage=lost"' in drawn
    assert ">Gold<" in drawn


def test_empty_parameters_do_not_pile_up_in_addresses(rf):
    assert draw('{% query page=2 tier="" %}', rf, "/members?tier=gold&q=&stage=lost") == "?stage=lost&amp;page=2"


def test_the_pager_says_where_one_is_and_links_only_what_exists(rf):
    page = Paginator(range(1234), 50).page(1)
    drawn = draw("{% pager page %}", rf, "/x?tier=gold", page=page)
    assert "1–50 of 1,234" in drawn
    assert 'rel="next" href="?tier=gold&amp;page=2"' in drawn
    assert 'rel="prev"' not in drawn


@pytest.mark.parametrize(
    ("now", "before", "good", "expected"),
    [
        (110, 100, "up", ("c-good", "▲", "10.0%")),
        (110, 100, "down", ("c-bad", "▲", "10.0%")),
        (90, 100, "down", ("c-good", "▼", "10.0%")),
        (90, 100, "none", ("c-quiet", "▼", "10.0%")),
    ],
)
def test_a_change_says_its_direction_by_sign_and_word_and_its_worth_by_colour(now, before, good, expected):
    drawn = tags.delta(now, before, good)
    assert all(part in drawn for part in expected)
    assert ("up" if now > before else "down") in drawn


def test_a_change_against_nothing_is_not_told():
    assert [tags.delta(5, None), tags.delta(None, 5), tags.delta(5, 0)] == ["", "", ""]


def test_names_in_pieces_cannot_bring_markup(rf):
    for source in (
        "{% empty title=name text=name %}",
        "{% filter_chip label=name without='q' %}",
        "{% status 'good' name %}",
        "{% share_bar 1 2 name %}",
        "{% definition name %}",
    ):
        drawn = draw(source, rf, name='"><script>alert(1)</script>')
        assert "<script>" not in drawn, source


def test_a_share_never_leaves_its_bar():
    assert [f'width="{w}"' in tags.share_bar(p, q) for p, q, w in ((5, 2, "100.0"), (-1, 2, "0.0"), (1, 0, "0.0"))] == [
        True
    ] * 3
