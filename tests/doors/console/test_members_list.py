"""The member list through the browser's door: who may see what, what an address means, what it costs."""

from __future__ import annotations

import csv
import io
import re
import zipfile

import pytest
from django.urls import reverse
from python_calamine import CalamineWorkbook

from shuke.flows import export_members as flow
from shuke.insight.queries.filters import Filters
from shuke.kit import clock, jobs
from shuke.kit.models import AuditLine, Job
from shuke.members.models import Member
from shuke.shops import queries as shops
from tests import cast
from tests.doors.console import people
from tests.insight.test_directory import member

LIST = "/members"


@pytest.fixture
def owner(client, lan):
    client.force_login(lan.owner)
    client.cookies["django_language"] = "en"
    return client


@pytest.fixture
def three(lan):
    return people.make(lan.merchant, 3, clock.utc_now(), [lan.street, lan.second], tiers=["gold", "silver"])


def names(response):
    return re.findall(r'<th scope="row" class="c-col-name"><a [^>]*>([^<]+)</a>', response.content.decode())


def test_somebody_not_signed_in_is_led_to_the_sign_in(client, lan):
    assert client.get(LIST).headers["Location"].startswith("/sign-in")


@pytest.mark.parametrize("role", ["owner", "manager", "specialist", "assistant", "auditor"])
def test_every_role_sees_the_list_but_only_some_may_export(client, lan, three, role):
    client.force_login(getattr(lan, role))
    response = client.get(LIST)
    assert len(names(response)) == 3
    may = role in ("owner", "manager", "specialist")
    assert (b'value="csv"' in response.content) == may
    assert (b'name="ids"' in response.content) == (role != "auditor")
    answer = client.post(reverse("console:members-export"), {"whole": "csv"})
    assert answer.status_code == (200 if may else 403)
    assert AuditLine.objects.filter(verb="members.exported").count() == (1 if may else 0)


def test_another_merchants_members_are_not_listed_found_or_exported(client, lan, mingde, three):
    client.force_login(mingde.owner)
    assert names(client.get(LIST)) == []
    assert names(client.get(LIST, {"q": three[0].nickname})) == []
    body = b"".join(
        client.post(reverse("console:members-export"), {"ids": [m.id for m in three], "form": "csv"}).streaming_content
    )
    assert len(body.decode("utf-8-sig").splitlines()) == 1


def test_filters_of_the_address_become_chips_that_take_themselves_away(owner, lan, three):
    page = owner.get(LIST, {"tier": ["gold", "silver"], "cell": "5-3", "joined": "2026-01"}).content.decode()
    assert "Recency 5 of 5, frequency 3 of 5" in page
    assert "Joined 2026-01" in page
    assert 'href="/members?tier=silver&amp;cell=5-3&amp;joined=2026-01"' in page
    assert 'href="/members?tier=gold&amp;tier=silver&amp;joined=2026-01"' in page


def test_a_filter_that_makes_no_sense_is_said_and_not_hidden(owner, lan, three):
    page = owner.get(LIST, {"rfm": "999"}).content.decode()
    assert "rfm “999”" in page


def test_htmx_gets_the_list_alone_with_a_canonical_address(owner, lan, three):
    response = owner.get(
        LIST, {"tier": "gold", "q": "", "stage": "", "sort": "-spent", "page": "1"}, headers={"HX-Request": "true"}
    )
    assert b"<html" not in response.content
    assert response["HX-Push-Url"] == "/members?tier=gold&sort=-spent"
    assert "HX-Request" in response["Vary"]
    restored = owner.get(LIST, headers={"HX-Request": "true", "HX-History-Restore-Request": "true"})
    assert b"<html" in restored.content


def test_typed_digits_stand_open_in_the_masked_phone(owner, lan, three):
    hint = three[0].phone_hint
    page = owner.get(LIST, {"q": hint[-4:]}).content.decode()
    assert three[0].name in page
    assert hint[-4:] in page
    assert "+86190" not in page


@pytest.mark.parametrize(
    ("parameters", "title"),
    [
        ({"q": "nobody"}, "Nobody is found by “nobody”"),
        ({"tier": "platinum"}, "No member fits all of these filters"),
    ],
)
def test_an_empty_list_names_the_cause_and_one_way_on(owner, lan, three, parameters, title):
    page = owner.get(LIST, parameters).content.decode()
    assert title in page
    assert "Show all members" in page


def test_a_shop_without_members_is_led_to_the_import(owner, lan):
    page = owner.get(LIST).content.decode()
    assert "There are no members yet" in page
    assert "Import orders or customers" in page


def test_chosen_columns_are_remembered(owner, lan, three):
    owner.post(reverse("console:members-columns"), {"column": ["city", "orders", "nonsense"], "list": "tier=gold"})
    page = owner.get(LIST).content.decode()
    assert "c-col-city" in page
    assert "c-col-orders" in page
    assert "c-col-points" not in page
    back = owner.post(reverse("console:members-columns"), {"usual": "1", "list": "tier=gold"})
    assert back["Location"] == "/members?tier=gold"
    assert "c-col-points" in owner.get(LIST).content.decode()


def test_the_list_costs_the_same_queries_at_one_row_and_at_three(owner, lan, three, django_assert_num_queries):
    gone = member(lan, "gone", state="merged")
    assert gone.state == "merged"  # is not listed
    owner.get(LIST)  # fills what is kept for a while: charter, choices of filters
    # session, person, merchant, stores, charter, everybody, latest snapshot, scores, rows
    with django_assert_num_queries(QUERIES):
        assert len(names(owner.get(LIST))) == 3
    Member.objects.filter(id__in=[m.id for m in three[1:]]).update(state="undone")
    with django_assert_num_queries(QUERIES):
        assert len(names(owner.get(LIST))) == 1


QUERIES = 9


def test_a_name_that_is_a_formula_leaves_as_text(owner, lan):
    member(lan, '=HYPERLINK("https://evil.test")', nickname="@SUM(1)", phone_hint="190****1234")
    response = owner.post(reverse("console:members-export"), {"whole": "csv"})
    rows = list(csv.reader(io.StringIO(b"".join(response.streaming_content).decode("utf-8-sig"))))
    assert rows[0][:3] == ["Card", "Member", "Phone"]
    assert rows[1][1:3] == ['\'=HYPERLINK("https://evil.test")', "190****1234"]
    assert "no-store" in response["Cache-Control"]


def test_an_export_takes_the_filter_or_the_ticked_and_is_audited(owner, lan, three, tmp_path):
    whole = owner.post(reverse("console:members-export"), {"whole": "xlsx", "list": "tier=gold&q=%2B8619012345678"})
    assert whole.status_code == 200
    ticked = owner.post(reverse("console:members-export"), {"form": "xlsx", "ids": [three[1].id], "list": ""})
    (tmp_path / "a.xlsx").write_bytes(b"".join(ticked.streaming_content))
    table = CalamineWorkbook.from_path(str(tmp_path / "a.xlsx")).get_sheet_by_index(0).to_python()
    assert [row[1] for row in table[1:]] == [three[1].name]
    lines = list(AuditLine.objects.filter(verb="members.exported").order_by("id"))
    assert [line.detail["rows"] for line in lines] == [0, 1]
    assert lines[0].detail["filters"] == [["q", "…"], ["tier", "gold"]]
    assert {line.actor for line in lines} == {"lan.owner"}
    nothing = owner.post(reverse("console:members-export"), {"form": "xlsx", "list": "tier=gold"})
    assert nothing["Location"] == "/members?tier=gold"


def exported(answer) -> list[list[str]]:
    return list(csv.reader(io.StringIO(b"".join(answer.streaming_content).decode("utf-8-sig"))))


def test_an_export_has_the_columns_the_order_and_the_filters_of_the_list(owner, lan, three):
    owner.post(reverse("console:members-columns"), {"column": ["city", "orders", "bond"], "list": ""})
    asked = "bought=ever&sort=orders"
    page = names(owner.get(f"{LIST}?{asked}"))
    rows = exported(owner.post(reverse("console:members-export"), {"whole": "csv", "list": asked}))
    assert rows[0] == ["Card", "Member", "Orders", "Loyalty layer", "City"]
    assert [row[1] for row in rows[1:]] == page
    assert len(page) > 1


@pytest.mark.parametrize("form", ["csv", "xlsx"])
def test_a_file_opens_in_a_spreadsheet_and_runs_nothing(owner, lan, tmp_path, form):
    risky = ["=1+1", "+86 138", "-2", "@SUM(1)", "\t=1", "＝1+1", "|calc", "%00"]
    for name in risky:
        member(lan, name)
    answer = owner.post(reverse("console:members-export"), {"whole": form})
    body = b"".join(answer.streaming_content)
    if form == "csv":
        assert body.startswith(b"\xef\xbb\xbf")
        told = [row[1] for row in list(csv.reader(io.StringIO(body.decode("utf-8-sig"))))[1:]]
        assert all(cell.startswith("'") for cell in told)
        assert sorted(cell[1:] for cell in told) == sorted(risky)
    else:
        (tmp_path / "a.xlsx").write_bytes(body)
        with zipfile.ZipFile(tmp_path / "a.xlsx") as book:
            sheet = book.read("xl/worksheets/sheet1.xml").decode()
        assert "<f>" not in sheet
        table = CalamineWorkbook.from_path(str(tmp_path / "a.xlsx")).get_sheet_by_index(0).to_python()
        assert sorted(row[1] for row in table[1:]) == sorted(risky)


def test_phones_leave_in_full_only_for_those_who_may_reveal_and_it_is_written_down(owner, lan):
    person = people.make(lan.merchant, 1, cast.NOON, [lan.street], tiers=["gold"])[0]
    masked = exported(owner.post(reverse("console:members-export"), {"whole": "csv"}))
    assert masked[1][2] == person.phone_hint
    full = exported(owner.post(reverse("console:members-export"), {"whole": "csv", "clear": "1"}))
    assert re.fullmatch(r"'\+86190\d{8}", full[1][2])
    assert full[1][2][-4:] == person.phone_hint[-4:]
    lines = AuditLine.objects.filter(verb="members.exported").order_by("id")
    assert [line.detail["phones"] for line in lines] == ["masked", "in full"]


def test_who_may_export_but_not_reveal_gets_them_masked(client, lan, monkeypatch):
    person = people.make(lan.merchant, 1, cast.NOON, [lan.street], tiers=["gold"])[0]
    monkeypatch.setitem(shops.ALLOWED, lan.specialist.role, frozenset({"export", "record"}))
    client.force_login(lan.specialist)
    client.cookies["django_language"] = "en"
    page = client.get(LIST).content.decode()
    assert "Phones stay masked." in page
    assert 'name="clear"' not in page
    rows = exported(client.post(reverse("console:members-export"), {"whole": "csv", "clear": "1"}))
    assert rows[1][2] == person.phone_hint
    asked = {"filters": Filters(), "columns": ["phone"], "headings": ["Phone"], "words": {}, "form": "csv"}
    with pytest.raises(flow.NotAllowed, match="may not see full phone numbers"):
        flow.export_members(merchant=lan.merchant, staff=lan.specialist, now=cast.NOON, clear=True, **asked)


def test_a_long_list_becomes_a_job_with_its_own_page(owner, client, lan, mingde, three, monkeypatch):
    monkeypatch.setattr(flow, "DIRECT_ROWS", 2)
    address = owner.post(reverse("console:members-export"), {"whole": "csv"})["Location"]
    assert "Waiting" in owner.get(address).content.decode()
    fragment = owner.get(address, headers={"HX-Request": "true"}).content.decode()
    assert "every 1s" in fragment
    assert jobs.run(jobs.claim(worker="test", now=clock.utc_now())) == "done"
    done = owner.get(address, headers={"HX-Request": "true"}).content.decode()
    assert "every 1s" not in done
    assert "3 rows" in done
    file = b"".join(owner.get(address, {"file": "1"}).streaming_content).decode("utf-8-sig")
    assert len(file.splitlines()) == 4
    assert Job.objects.get().progress["done"] == 3
    client.force_login(mingde.owner)
    assert client.get(address).status_code == 404


def test_ticked_or_all_matching_members_are_tagged(owner, client, lan, mingde, three):
    ticked = {"ids": [three[0].pk], "tag": "spring sale", "list": ""}
    page = owner.post(reverse("console:members-tag"), ticked, follow=True).content.decode()
    assert "1 member was tagged “spring sale”." in page
    assert [("spring sale" in m.tags) for m in Member.objects.order_by("id")] == [True, False, False]
    every = {"all": "1", "tag": "all here", "list": "tag=spring sale"}
    owner.post(reverse("console:members-tag"), every)
    assert [("all here" in m.tags) for m in Member.objects.order_by("id")] == [True, False, False]
    for wrong, said in (
        ({"tag": "", "ids": [three[1].pk]}, "Write the tag first."),
        ({"tag": "x"}, "Tick some members first."),
        ({"tag": "y" * 31, "all": "1"}, "A tag has 1 to 30 characters."),
    ):
        assert said in owner.post(reverse("console:members-tag"), wrong, follow=True).content.decode()
    client.force_login(mingde.owner)
    client.post(reverse("console:members-tag"), {"ids": [three[1].pk], "tag": "theirs"})
    client.force_login(lan.auditor)
    assert client.post(reverse("console:members-tag"), {"ids": [three[1].pk], "tag": "x"}).status_code == 403
    assert not any("theirs" in m.tags or "x" in m.tags for m in Member.objects.all())
