"""Thinned days: less is kept, and no answer about a day that stays changes."""

from datetime import date, timedelta
from itertools import combinations
from random import Random

import pytest
from django.db.models import F

from shuke.insight import actions
from shuke.insight.actions.thinning import DAILY
from shuke.insight.models import MemberScore, Movement, Snapshot
from shuke.insight.queries import figures
from shuke.insight.queries.transitions import WHATS, transitions
from tests.insight.till import member, night

pytestmark = pytest.mark.django_db
PLACES = {"rfm": ["222", "122", "111", ""], "layer": ["key", "target"], "stage": ["stable", "degrading", "lost", ""]}
FIRST, LAST = date(2026, 1, 1), date(2026, 7, 31)


@pytest.fixture
def wandering(lan):
    """Eight members who wander between places on random days of seven months, and a snapshot every third day or so."""
    luck = Random(11)
    people = [member(lan, f"m{i}") for i in range(8)]
    stands = {(who.pk, what): luck.choice(PLACES[what]) for who in people for what in WHATS}
    day = FIRST
    while day <= LAST:
        if luck.random() < 0.4 or day == LAST:
            Snapshot.objects.create(
                merchant=lan.merchant, day=day, made_at=night(lan, str(day)), figures={"of": str(day)}
            )
            for (who, what), place in list(stands.items()):
                to = luck.choice(PLACES[what])
                if to != place and luck.random() < 0.5:
                    Movement.objects.create(
                        merchant=lan.merchant, member_id=who, day=day, what=what, before=place, after=to
                    )
                    stands[who, what] = to
        day += timedelta(days=1)
    for who in people:
        MemberScore.objects.create(
            merchant=lan.merchant, member=who, day=LAST, **{what: stands[who.pk, what] for what in WHATS}
        )
    return lan


def went(shop, days):
    return {
        (what, since, until): sorted(transitions(shop.merchant, what=what, since=since, until=until))
        for what in WHATS
        for since, until in combinations(days, 2)
    }


def test_who_went_where_between_days_that_stay_is_the_same(wandering):
    before = figures.days(wandering.merchant)
    limit = LAST - timedelta(days=DAILY)
    stay = [day for i, day in enumerate(before) if day >= limit or before[i + 1].month != day.month]
    stay = [day for day in before if day in stay or day.replace(day=1) == limit.replace(day=1)]
    told = went(wandering, stay[:6] + stay[-2:])
    steps = Movement.objects.count()
    assert actions.thin(merchant=wandering.merchant, day=LAST) == 3  # January to March; April ended within the quarter
    assert figures.days(wandering.merchant) == stay
    assert went(wandering, stay[:6] + stay[-2:]) == told
    assert Movement.objects.count() < steps
    assert not Movement.objects.filter(before=F("after")).exists()


def test_thinning_again_finds_nothing(wandering):
    actions.thin(merchant=wandering.merchant, day=LAST)
    kept = list(Movement.objects.order_by("pk").values_list())
    assert actions.thin(merchant=wandering.merchant, day=LAST) == 0
    assert list(Movement.objects.order_by("pk").values_list()) == kept


def test_another_merchants_days_stay(wandering, mingde):
    for day in (date(2026, 1, 5), date(2026, 1, 6)):
        Snapshot.objects.create(merchant=mingde.merchant, day=day, made_at=night(mingde, str(day)))
    actions.thin(merchant=wandering.merchant, day=LAST)
    assert len(figures.days(mingde.merchant)) == 2
