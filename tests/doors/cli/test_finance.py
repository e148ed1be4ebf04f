"""`shuke finance …`: the same figures as table, JSON and file; a closed month to the byte."""

from datetime import timedelta

import pytest

from shuke.loyalty.actions import gifts
from shuke.loyalty.models import ClosedMonth
from shuke.members.models import Member
from tests.loyalty.books import NOW, member, order, publish, take


@pytest.fixture(autouse=True)
def clock(monkeypatch):
    monkeypatch.setattr("shuke.doors.cli.desk.Desk.now", property(lambda self: NOW))


@pytest.fixture
def sold(lan):
    publish(lan.merchant)
    pk = member(lan.merchant)
    take(lan.merchant, pk, order("a", 10, 100), order("b", 40, 300))
    return pk


def test_what_is_owed_at_the_end_of_a_past_day(lan, sold, shuke):
    told = shuke("finance", "liability", "--at", "2025-01-20", "--json").json
    assert (told["ok"], told["points"], told["money_minor"]) == (True, 153, 153)
    assert told["by_expiry"] == [{"key": "2025-04", "points": 153, "money_minor": 153}]
    assert shuke("finance", "liability", "--at", "2025-01-05", "--json").json["points"] == 0
    shown = shuke("finance", "liability", "--at", "2025-01-20").out
    assert "Points outstanding" in shown
    assert "¥1.53" in shown
    assert "Agrees with the double entry" in shown


def test_a_period_rolls_forward(lan, sold, shuke):
    (january, february) = shuke("finance", "movements", "--from", "2025-01", "--to", "2025-02", "--json").json["months"]
    assert [line["row"] for line in january["table"]["lines"]] == ["issued"]
    assert january["table"]["closing"] == february["table"]["opening"] | {"row": "closing"}
    assert shuke("finance", "movements", "--from", "2025-03", "--to", "2025-02").code == 2
    assert "is no month" in shuke("finance", "movements", "--from", "soon").err


@pytest.mark.parametrize("kind", ["csv", "json", "hledger"])
def test_a_closed_month_is_written_the_same_to_the_byte(lan, sold, shuke, tmp_path, kind):
    before, after = tmp_path / f"1.{kind}", tmp_path / f"2.{kind}"
    assert shuke("finance", "close", "2025-01").code == 0
    shuke("finance", "entries", "2025-01", "--out", str(before))
    take(lan.merchant, sold, order("late", 12, 500), now=NOW + timedelta(days=1))
    shuke("finance", "entries", "2025-01", "--out", str(after))
    assert before.read_bytes() == after.read_bytes() != b""
    late = shuke("finance", "entries", "2025-02", "--json").json
    assert late["late"]["deferred"] > 0
    assert late["closed_at"] is None


def test_entries_as_a_table_balance(lan, sold, shuke, tmp_path):
    path = tmp_path / "entries.csv"
    shuke("finance", "entries", "2025-01", "--out", str(path))
    assert path.read_bytes().startswith(b"\xef\xbb\xbf")
    head, *lines = path.read_text(encoding="utf-8-sig").splitlines()
    assert head == "Number,Day,Summary,Account,Name,Debit (CNY),Credit (CNY)"
    debits, credits = ([float(line.split(",")[i] or 0) for line in lines] for i in (-2, -1))
    assert sum(debits) == sum(credits) > 0
    told = tmp_path / "entries.hledger"
    shuke("finance", "entries", "2025-01", "--out", str(told))
    assert "    6001 主营业务收入  " in told.read_text()


def test_months_are_closed_in_turn(lan, sold, shuke):
    assert shuke("finance", "close", "2026-06").err.strip() == "2026-06 is not over yet."
    first = shuke("finance", "close", "2025-01", "--json").json
    assert shuke("finance", "close", "2025-01", "--json").json == first  # closed is closed
    refused = shuke("finance", "close", "2025-04")
    assert (refused.code, refused.err.strip()) == (1, "Months are closed in turn: the next one is 2025-02.")
    told = shuke("finance", "closed", "--json").json
    assert told["ok"]
    assert [one["month"] for one in told["months"]] == ["2025-01"]
    assert ClosedMonth.objects.count() == 1


def test_how_points_are_booked_is_the_shop_s_choice(lan, sold, shuke):
    assert shuke("finance", "policy", "--json").json["accounts"]["contract_liability"]["code"] == "2205"
    shuke(
        "finance",
        "policy",
        "--method",
        "provision",
        "--chart",
        "small",
        "--expected",
        "80",
        "--account",
        "expense=5601.03",
    )
    told = shuke("finance", "policy", "--json").json
    assert (told["method"], told["expected_percent"]) == ("provision", "80")
    assert told["accounts"]["expense"]["code"] == "5601.03"
    entries = shuke("finance", "entries", "2025-01", "--json").json["entries"]["month"]
    assert [line[4] for line in entries] == ["5601.03", "2241"]
    shuke("finance", "policy", "--account", "expense=", "--expected", "auto")
    told = shuke("finance", "policy", "--json").json
    assert (told["accounts"]["expense"]["code"], told["expected_percent"]) == ("5601", None)
    refused = shuke("finance", "policy", "--expected", "120")
    assert refused.code == 1
    assert "expected_percent" in refused.err


def test_what_is_too_thin_is_said(lan, sold, shuke):
    assert "too little past" in shuke("finance", "breakage").out
    assert shuke("finance", "breakage", "--json").json["firm"] is False
    assert shuke("finance", "lapsing").code == 0
    assert shuke("finance", "deferral", "--json").json["months"][0]["month"] == "2025-01"


def test_a_shop_without_points_is_told_so(lan, shuke):
    publish(lan.merchant)
    for name in ("breakage", "deferral"):
        refused = shuke("finance", name)
        assert refused.code == 1
        assert "No points have been issued" in refused.err


def test_a_file_of_a_kind_we_do_not_write_is_refused(lan, sold, shuke, tmp_path):
    assert shuke("finance", "liability", "--out", str(tmp_path / "x.pdf")).code == 2
    assert shuke("finance", "liability", "--out", str(tmp_path / "x.hledger")).code == 1
    assert shuke("finance", "liability", "--out", str(tmp_path / "x.csv"), "--table", "by_moon").code == 2
    assert shuke("finance", "liability", "--out", str(tmp_path / "x.xlsx"), "--table", "by_store").code == 0
    assert (tmp_path / "x.xlsx").read_bytes()[:2] == b"PK"


def test_what_programmes_cost_and_what_is_behind_it(lan, sold, shuke, tmp_path):
    same = {"merchant": lan.merchant, "now": NOW, "actor": "t"}
    gifts.save_gift(code="cup", values={"name_zh": "杯", "name_en": "Mug", "points": 100, "cost_minor": 1500}, **same)
    take(lan.merchant, sold, order("c", 510, 900))
    gifts.order(member_id=sold, gift="cup", key="g", count=2, at_once=True, **same)
    card = Member.objects.get(pk=sold).card
    told = shuke("finance", "costs", "--member", card, "--lines", "5", "--json").json
    assert told["cost_minor"] == 3000
    assert [(one["kind"], one["programme"], one["pieces"]) for one in told["programmes"]] == [("gift", "cup", 2)]
    assert [line["ref"] for line in told["lines"]] == ["g"]
    assert "¥30.00" in shuke("finance", "costs", "--kind", "gift").out
    path = tmp_path / "costs.csv"
    assert shuke("finance", "costs", "--out", str(path), "--table", "lines").code == 0
    assert len(path.read_text(encoding="utf-8-sig").splitlines()) == 2
    assert shuke("finance", "costs", "--from", "2026-05-02", "--to", "2026-05-01").code == 2
    assert shuke("finance", "costs", "--member", "nobody").code == 1
