"""Cut points to try and to put in force, and the table of who went where."""

from __future__ import annotations

import csv
import io
from datetime import date

import pytest

from shuke.doors.console import insight_pages
from shuke.engine.insight.rfm import CLASSES, BadCutPoints, Cuts, RfmCuts
from shuke.insight import actions
from shuke.insight.queries import cut_points
from shuke.kit.models import AuditLine
from tests.doors.console.claims import claims
from tests.insight.till import member, night, sell

pytestmark = pytest.mark.django_db
OWN = {
    "r5": "7", "r4": "30", "r3": "60", "r2": "90", "r_two": "30",
    "f5": "10", "f4": "5", "f3": "3", "f2": "2", "f_two": "3",
    "m5": "5,000", "m4": "1,000", "m3": "500", "m2": "100", "m_two": "1000.50",
}  # fmt: skip


@pytest.fixture
def open_shop(lan):
    mei, hong = member(lan, "梅"), member(lan, "红")
    for day in ("2026-02-01", "2026-03-01", "2026-04-17"):
        sell(lan, mei, day, 40_000)
    sell(lan, hong, "2026-02-01", 8_000)
    actions.snapshot(merchant=lan.merchant, day=date(2026, 4, 18), now=night(lan, "2026-04-18"))
    return lan


def read(**changes):
    return insight_pages.read_cuts(OWN | changes, "CNY", fixed_on=date(2026, 4, 18))


def test_what_is_typed_is_what_is_meant():
    cuts = read()
    assert cuts.recency == Cuts((90, 60, 30, 7), 30)
    assert cuts.frequency == Cuts((2, 3, 5, 10), 3)
    assert cuts.money == Cuts((10_000, 50_000, 100_000, 500_000), 100_050)
    assert insight_pages.read_cuts(insight_pages.typed(cuts, "CNY"), "CNY", fixed_on=cuts.fixed_on) == cuts


def test_a_learnt_mean_is_shown_as_the_whole_number_that_parts_alike():
    learnt = RfmCuts(date(2026, 4, 18), Cuts((9, 7, 5, 3), 5.8), Cuts((2, 3, 4, 5), 3.2), Cuts((1, 2, 3, 4), 250.25))
    boxes = insight_pages.typed(learnt, "CNY")
    assert (boxes["r_two"], boxes["f_two"], boxes["m_two"]) == ("5", "4", "2.51")


@pytest.mark.parametrize("wrong", ["soon", "-1", "NaN", "1e99"])
def test_what_is_no_number_is_refused(wrong):
    with pytest.raises(BadCutPoints) as refusal:
        read(f3=wrong)
    assert (refusal.value.dimension, refusal.value.code) == ("f", "number")


def test_typing_shows_what_would_change_and_changes_nothing(see, open_shop):
    client = see(open_shop.owner)
    page = client.post("/insight/rfm/preview", OWN, headers={"HX-Request": "true"}).content.decode()
    assert "Nothing is changed yet" in page
    assert cut_points.in_force(open_shop.merchant).own is False
    wrong = client.post("/insight/rfm/preview", OWN | {"f3": "99"}).content.decode()
    assert "Correct the bounds" in wrong
    whole = client.post("/insight/rfm", OWN | {"preview": "1"})
    assert (whole.status_code, "Nothing is changed yet" in whole.content.decode()) == (200, True)
    assert cut_points.in_force(open_shop.merchant).own is False


def test_an_owner_puts_them_in_force_and_gives_them_up_again(see, open_shop):
    client = see(open_shop.owner)
    assert client.post("/insight/rfm", OWN, follow=True).redirect_chain == [("/insight/rfm", 302)]
    assert cut_points.in_force(open_shop.merchant).frequency == Cuts((2, 3, 5, 10), 3)
    page = client.get("/insight/rfm").content.decode()
    assert "your own" in page
    assert open_shop.owner.username in page
    assert 'name="m_two" value="1000.50"' in page
    client.post("/insight/rfm", {"learn": "1"})
    assert cut_points.in_force(open_shop.merchant).own is False
    assert AuditLine.objects.filter(actor=open_shop.owner.username, verb__startswith="cut_points").count() == 2


def test_bounds_that_contradict_themselves_are_said_beside_their_boxes(see, open_shop):
    answer = see(open_shop.owner).post("/insight/rfm", OWN | {"r2": "5"})
    page = answer.content.decode()
    assert answer.status_code == 422
    assert "the bounds must fall from score 2 to score 5" in page
    assert 'name="r2" value="5"' in page
    assert cut_points.in_force(open_shop.merchant).own is False


def test_a_specialist_may_try_but_not_change(see, open_shop):
    client = see(open_shop.specialist)
    assert client.post("/insight/rfm", OWN | {"preview": "1"}).status_code == 200
    assert "The owner or a manager puts them in force" in client.get("/insight/rfm").content.decode()
    assert client.post("/insight/rfm", OWN).status_code == 403
    assert see(open_shop.assistant).get("/insight/rfm").status_code == 403
    assert see(open_shop.assistant).get("/insight/movement").status_code == 403


def test_movement_needs_two_days_and_then_every_cell_opens(see, open_shop):
    client = see(open_shop.owner)
    assert "Nothing to compare yet" in client.get("/insight/movement").content.decode()
    actions.snapshot(merchant=open_shop.merchant, day=date(2026, 7, 10), now=night(open_shop, "2026-07-10"))
    page = client.get("/insight/movement?what=stage").content.decode()
    assert "From the end of 2026-04-18 to the end of 2026-07-10" in page
    told = claims(page, open_shop.merchant, night(open_shop, "2026-07-10"))
    moved = [claim for claim in told if "moved=stage%3A" in claim.url]
    assert [(claim.claimed, claim.found) for claim in moved] == [
        (1, 1)
    ] * 4  # two members, in the drawing and in the table
    assert all(claim.url.endswith("2026-04-18%3A2026-07-10") for claim in moved)
    stood = [claim for claim in told if "stood=stage%3A" in claim.url]
    assert stood
    assert all(claim.claimed == claim.found > 0 for claim in stood)
    assert client.get("/insight/movement?what=nonsense&since=x&until=y").status_code == 200


def test_days_without_a_snapshot_mean_the_last_one_before(see, open_shop):
    actions.snapshot(merchant=open_shop.merchant, day=date(2026, 7, 10), now=night(open_shop, "2026-07-10"))
    page = see(open_shop.owner).get("/insight/movement?what=rfm&since=2026-06-01&until=2026-08-01").content.decode()
    assert "From the end of 2026-04-18 to the end of 2026-07-10" in page
    assert "made anew" in page


def test_before_the_first_night_the_pages_say_what_to_do(see, lan):
    client = see(lan.owner)
    for path in ("/insight/rfm", "/insight/movement"):
        assert "Nothing to compare yet" in client.get(path).content.decode()


def test_map_and_classes_can_be_taken_along(see, open_shop):
    def rows(table):
        answer = see(open_shop.owner).get(f"/insight/rfm?file=csv&table={table}")
        assert answer["Content-Disposition"] == f'attachment; filename="shuke-rfm-{table}.csv"'
        return list(csv.reader(io.StringIO(answer.content.decode("utf-8-sig"))))

    head, *cells = rows("map")
    assert head == ["R", "Last purchase", "F", "Purchases", "Members", "Net spend"]
    assert len(cells) == 25
    assert [sum(float(row[at]) for row in cells) for at in (4, 5)] == [2, 1_280]
    head, *classes = rows("classes")
    assert head == ["RFM class", "Members", "Net spend", "What to do"]
    assert [row[0][:3] for row in classes] == list(CLASSES)
    assert [sum(float(row[at]) for row in classes) for at in (1, 2)] == [2, 1_280]
    assert see(open_shop.owner).get("/insight/rfm?file=xlsx&table=classes").content[:2] == b"PK"
