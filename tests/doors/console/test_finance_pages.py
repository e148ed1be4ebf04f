"""The finance pages: figures of any day, files, closing a month, and a member's statement."""

from __future__ import annotations

import io
import zipfile
from datetime import timedelta

import pytest

from shuke.kit.models import AuditLine
from shuke.loyalty.models import ClosedMonth
from shuke.loyalty.queries import finance
from tests.loyalty.books import NOW, member, order, publish, take

pytestmark = pytest.mark.django_db
TABS = ["", "/movements", "/breakage", "/deferral", "/lapsing", "/entries"]


@pytest.fixture(autouse=True)
def clock(monkeypatch):
    for place in ("shuke.shops.queries.now",):
        monkeypatch.setattr(place, lambda merchant: NOW)


@pytest.fixture
def sold(lan):
    publish(lan.merchant)
    pk = member(lan.merchant)
    take(lan.merchant, pk, order("a", 10, 100), order("b", 40, 300))
    return pk


@pytest.mark.parametrize("language", ["en", "zh-hans"])
@pytest.mark.parametrize("tab", TABS)
def test_each_page_opens_in_both_languages(see, lan, sold, tab, language):
    answer = see(lan.auditor, language).get(f"/finance{tab}")
    assert answer.status_code == 200
    said = answer.content.decode()
    assert ('<html lang="zh-Hans"' in said) == (language == "zh-hans")


@pytest.mark.parametrize("tab", TABS)
def test_a_shop_without_points_has_pages_too(see, lan, tab):
    assert see(lan.owner).get(f"/finance{tab}").status_code == 200


@pytest.mark.parametrize("tab", TABS)
def test_assistants_do_not_see_finance(see, lan, tab):
    assert see(lan.assistant).get(f"/finance{tab}").status_code == 403


def test_the_liability_of_a_past_day(see, lan, sold):
    page = see(lan.owner).get("/finance?at=2025-01-20")
    assert dict(page.context["figures"])["Points outstanding"] == "153"
    assert page.context["ok"] is True
    assert dict(see(lan.owner).get("/finance?at=2025-01-05").context["figures"])["Points outstanding"] == "0"
    assert see(lan.owner).get("/finance?at=yesterday").status_code == 200


def test_movements_of_chosen_months(see, lan, sold):
    page = see(lan.owner).get("/finance/movements?from=2025-01&to=2025-02")
    points = page.context["tables"][0]
    assert [[cell.text for cell in row] for row in points.rows] == [
        ["2025-01", "0", "153", "153", "0"],
        ["2025-02", "153", "410", "563", "0"],
    ]


@pytest.mark.parametrize(("kind", "begins"), [("csv", b"\xef\xbb\xbf"), ("xlsx", b"PK"), ("json", b"{")])
def test_tables_are_files_too(see, lan, sold, kind, begins):
    answer = see(lan.owner).get(f"/finance?at=2025-01-20&file={kind}&table=by_expiry")
    assert answer.content.startswith(begins)
    assert f"shuke-liability-2025-01-20-by_expiry.{kind}" in answer["Content-Disposition"]
    if kind == "csv":
        assert answer.content.decode("utf-8-sig").splitlines()[1:] == ["2025-04,153,1.53,1.0000", "All,153,1.53,1.0000"]
    if kind == "xlsx":
        with zipfile.ZipFile(io.BytesIO(answer.content)) as book:
            sheet = book.read("xl/worksheets/sheet1.xml")
        assert b"<v>153</v>" in sheet
        assert b"<v>1.53</v>" in sheet


def test_the_owner_closes_a_month_and_its_file_stays(see, lan, sold):
    client = see(lan.owner)
    address = "/finance/entries?month=2025-01&file=csv"
    client.post("/finance/close", {"month": "2025-01"})
    before = client.get(address).content
    assert before.count(b"P202501-001") == 2
    take(lan.merchant, sold, order("late", 12, 500), now=NOW + timedelta(days=1))
    assert client.get(address).content == before
    assert b"P202502-000" in client.get("/finance/entries?month=2025-02&file=csv").content
    assert AuditLine.objects.get(verb="month.closed").actor == lan.owner.username
    assert client.get("/finance/entries?month=2025-01").context["is_closed"] is True


def test_only_the_owner_closes_and_decides(see, lan, sold):
    for staff in (lan.manager, lan.auditor, lan.assistant):
        client = see(staff)
        assert client.post("/finance/close", {"month": "2025-01"}).status_code == 403
        assert client.post("/finance/policy", {"method": "none"}).status_code == 403
    assert ClosedMonth.objects.count() == 0
    assert b"Close 2025-01" not in see(lan.auditor).get("/finance/entries?month=2025-01").content


@pytest.mark.parametrize("month", ["2026-06", "2031-01", "soon", ""])
def test_what_cannot_be_closed_is_said(see, lan, sold, month):
    answer = see(lan.owner).post("/finance/close", {"month": month}, follow=True)
    assert "cannot be closed now" in answer.content.decode()
    assert ClosedMonth.objects.count() == 0


FORM = {
    "method": "provision",
    "chart": "small",
    "per": "day",
    "prefix": "积",
    "expected": "80%",
    "tax": "13",
    "expense": "5601.7",
}


def test_how_points_are_booked_is_kept(see, lan, sold):
    see(lan.owner).post("/finance/policy", FORM)
    chosen = finance.policy(lan.merchant)
    assert (chosen.method, chosen.tax_permille, str(chosen.expected_percent)) == ("provision", 130, "80")
    assert chosen.account("expense").code == "5601.7"
    page = see(lan.owner).get("/finance/entries?month=2025-01")
    assert [row[0].text for row in page.context["tables"][0].rows] == ["积202501-011"] * 2


@pytest.mark.parametrize(
    ("wrong", "says"),
    [({"expected": "most"}, "percentage from 0 to 100"), ({"tax": "13.55"}, "at most one decimal"), ({"expense": "; drop"}, "account code")],
)  # fmt: skip
def test_what_cannot_be_kept_is_said_and_nothing_typed_is_lost(see, lan, sold, wrong, says):
    answer = see(lan.owner).post("/finance/policy", FORM | wrong)
    assert answer.status_code == 422
    assert says in answer.content.decode()
    assert f'value="{next(iter(wrong.values()))}"' in answer.content.decode()
    assert finance.policy(lan.merchant).method == "deferral"


def test_a_member_s_statement_on_page_and_as_csv(see, lan, sold):
    client = see(lan.auditor)
    page = client.get(f"/members/{sold}/statement?from=2025-01-01&to=2025-02-28")
    assert (page.context["told"].opening, page.context["told"].closing) == (0, 563)
    assert [line[4] for line in page.context["lines"]] == [153, 410]
    later = client.get(f"/members/{sold}/statement?from=2025-02-01&to=2025-02-28").context
    assert (later["first"], later["last"], later["told"].opening, len(later["lines"])) == (
        "2025-02-01",
        "2025-02-28",
        153,
        1,
    )
    told = client.get(f"/members/{sold}/statement?from=2025-01-01&to=2025-02-28&file=csv").content.decode("utf-8-sig")
    lines = told.splitlines()
    assert lines[0] == "When,What,About,Why,Points,Balance"
    assert lines[2].startswith("2025-01-11 08:00,Earned,order a,")
    assert "First: 20 points" in lines[2]
    assert lines[4].endswith("563")
    assert "Left, usable until 2025-04-30" in lines[5]
    assert f"/members/{sold}/statement" in client.get(f"/members/{sold}/points").content.decode()


def test_another_merchant_s_member_has_no_statement_here(see, lan, mingde, sold):
    assert see(mingde.owner).get(f"/members/{sold}/statement").status_code == 404


def test_a_kept_page_is_worked_out_anew_after_a_posting(see, lan, sold):
    client = see(lan.owner)
    first = client.get("/finance/movements?from=2025-01&to=2025-02").context["tables"][0].rows
    take(lan.merchant, sold, order("c", 12, 50))
    again = client.get("/finance/movements?from=2025-01&to=2025-02").context["tables"][0].rows
    assert first != again
