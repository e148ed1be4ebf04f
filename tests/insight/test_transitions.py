"""Who stood where on two days. Compared with what the scores of both days said, kept aside by the test."""

from datetime import date

import pytest

from shuke.insight import actions
from shuke.insight.models import MemberScore, Movement
from shuke.insight.queries.figures import Flow
from shuke.insight.queries.members_behind import members_behind
from shuke.insight.queries.transitions import WHATS, transitions
from tests.engine.insight import worked
from tests.insight.test_members_behind import busy  # noqa: F401 - a shop with fourteen months of all sorts of habits
from tests.insight.till import member, night, sell

pytestmark = pytest.mark.django_db
DAYS = [date(2026, 10, 31), date(2026, 11, 30), date(2026, 12, 3), date(2026, 12, 28)]


def stands(shop) -> dict[int, MemberScore]:
    return {score.pk: score for score in MemberScore.objects.filter(merchant=shop.merchant)}


@pytest.fixture
def seen(busy):  # noqa: F811
    """The scores after each of four nights, newcomers and a break of habits in between."""
    told = {DAYS[1]: stands(busy)}
    luna = member(busy, "新月", "2026-12-01")
    sell(busy, luna, "2026-12-02", 99_000)
    for day in DAYS[2:]:
        actions.snapshot(merchant=busy.merchant, day=day, now=night(busy, day.isoformat()))
        told[day] = stands(busy)
    return busy, told


@pytest.mark.parametrize("what", WHATS)
def test_every_cell_is_what_the_two_days_said_and_opens_to_its_members(seen, what):
    shop, told = seen
    for since, until in ((DAYS[1], DAYS[2]), (DAYS[1], DAYS[3]), (DAYS[2], DAYS[3])):
        expected: dict[tuple[str, str], set[int]] = {}
        for pk in told[DAYS[3]]:
            ends = tuple(getattr(told[day][pk], what) if pk in told[day] else "" for day in (since, until))
            expected.setdefault(ends, set()).add(pk)
        found = transitions(shop.merchant, what=what, since=since, until=until)
        assert found == sorted(
            (Flow(b, a, len(who)) for (b, a), who in expected.items()), key=lambda f: (-f.members, f.before, f.after)
        )
        for (before, after), who in expected.items():
            behind = members_behind(
                shop.merchant, "moved", what=what, since=since, until=until, before=before, after=after
            )
            assert set(behind.values_list("pk", flat=True)) == who, (since, until, before, after)


def test_the_days_differ_enough_to_prove_anything(seen):
    shop, _told = seen
    cells = {
        (flow.before == flow.after, flow.before == "")
        for what in WHATS
        for flow in transitions(shop.merchant, what=what, since=DAYS[1], until=DAYS[3])
    }
    assert cells >= {(True, False), (False, False), (False, True)}


def test_the_worked_table_of_a_member_who_fell_twice(lan):
    mei = member(lan, "梅")
    sell(lan, mei, "2026-04-01")
    actions.snapshot(merchant=lan.merchant, day=date(2026, 4, 30), now=night(lan, "2026-04-30"))
    MemberScore.objects.filter(pk=mei.pk).update(rfm="112")
    for day, before, after in ((date(2026, 5, 10), "222", "122"), (date(2026, 6, 3), "122", "112")):
        Movement.objects.create(merchant=lan.merchant, member=mei, day=day, what="rfm", before=before, after=after)
    months = {"May": 5, "June": 6}
    told = {}
    for row in worked.table("rfm", "end of"):
        number, month = row["end of"].split()
        told[date(2026, months[month], int(number))] = row["stands in"]
    assert len(told) == 4
    for since, before in told.items():
        for until, after in told.items():
            if since < until:
                found = transitions(lan.merchant, what="rfm", since=since, until=until)
                assert found == [Flow(before, after, 1)], (since, until)
