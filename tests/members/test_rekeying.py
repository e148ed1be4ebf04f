"""Master keys rotate: everything opens before, between and after; a killed run goes on."""

from __future__ import annotations

import pytest

from shuke.kit import crypto
from shuke.members import queries
from shuke.members.actions import recognise, rekeying
from shuke.members.queries.keys import wrapped_by
from tests.cast import NOON
from tests.members.people import nick, person

OLD, NEW = "11" * 32, "22" * 32


@pytest.fixture
def people(lan, settings):
    settings.SHUKE_MASTER_KEY = OLD
    told = [person(nick(f"n{i}"), phones=(f"+8613800138{i:03d}",)) for i in range(5)]
    return [one.member_id for one in recognise(merchant=lan.merchant, people=told, now=NOON)]


def shown(lan, people):
    return [[c.shown for c in queries.contacts_of(lan.merchant, one)] for one in people]


def test_all_is_readable_before_between_and_after(lan, people, settings, monkeypatch):
    before = shown(lan, people)
    settings.SHUKE_MASTER_KEY = f"{OLD},{NEW}"
    assert wrapped_by() == {1: 5}
    monkeypatch.setattr(rekeying, "PER_TRANSACTION", 2)

    class Killed(Exception):
        pass

    def kill(n):
        raise Killed

    with pytest.raises(Killed):
        rekeying.rewrap(progress=kill)
    assert wrapped_by() == {1: 3, 2: 2}
    assert shown(lan, people) == before
    recognise(merchant=lan.merchant, people=[person(nick("new"), phones=("+8613800138999",))], now=NOON)
    assert wrapped_by() == {1: 3, 2: 3}
    assert rekeying.rewrap() == 3
    assert rekeying.rewrap() == 0
    assert wrapped_by() == {2: 6}
    assert shown(lan, people) == before
    assert queries.find(lan.merchant, "138003")[0].member_id == people[3]


def test_a_process_without_the_new_key_says_so(lan, people, settings):
    settings.SHUKE_MASTER_KEY = f"{OLD},{NEW}"
    rekeying.rewrap()
    settings.SHUKE_MASTER_KEY = OLD
    with pytest.raises(crypto.CannotUnseal, match="restart this process"):
        shown(lan, people)
