"""Two people in the console on one thing: each hears what the other did, and nothing is lost."""

import html
import re
from datetime import timedelta

import pytest

from shuke.engine.charter import telling
from shuke.loyalty.actions import gifts
from shuke.loyalty.models import CharterDraft, CouponTemplate, Gift, PublishedCharter
from shuke.loyalty.queries import charters
from shuke.members.models import Member
from shuke.shops.actions import change_staff
from shuke.shops.queries import now, today
from tests import cast
from tests.doors.console.test_people_pages import browser, page
from tests.loyalty.books import member, publish


@pytest.fixture
def two(lan):
    """Two owners, each in their own browser."""
    publish(lan.merchant)
    change_staff(merchant=lan.merchant, username="lan.manager", role="owner", reason="x", now=cast.NOON)
    return browser("lan.owner"), browser("lan.manager")


def form(answer, action=""):
    """The fields of the page's form as a browser would send them."""
    body = answer.content.decode().split("<main")[1]
    told = {}
    for tag in re.findall(r"<input [^>]+>", body):
        name, value = re.search(r' name="([^"]+)"', tag), re.search(r' value="([^"]*)"', tag)
        if name and not (re.search(r'type="(checkbox|radio)"', tag) and " checked" not in tag):
            told.setdefault(name.group(1), html.unescape(value.group(1)) if value else "")
    for name, options in re.findall(r'<select [^>]*name="([^"]+)"[^>]*>(.*?)</select>', body, re.S):
        chosen = re.search(r'<option value="([^"]*)" selected', options) or re.search(
            r'<option value="([^"]*)"', options
        )
        told[name] = chosen.group(1) if chosen else ""
    for name, text in re.findall(r'<textarea [^>]*name="([^"]+)"[^>]*>(.*?)</textarea>', body, re.S):
        told[name] = html.unescape(text).strip()
    told.pop("csrfmiddlewaretoken", None)
    return told


# ---- charters -------------------------------------------------------------------------------------------------------


def begin(client, lan):
    """A draft that differs from the version in force."""
    answer = client.post("/charter/drafts", {"from": "version:1"})
    draft = CharterDraft.objects.order_by("-id").first()
    assert answer.status_code == 302
    raw = telling.read_text(draft.text)
    raw["name"] = {"zh": f"章程 {draft.pk}", "en": f"Charter {draft.pk}"}
    CharterDraft.objects.filter(pk=draft.pk).update(text=telling.write_text(raw))
    return draft


def sent(client, draft, lan, days=2):
    told = form(client.get(f"/charter/drafts/{draft.pk}/publish"))
    day = today(lan.merchant) + timedelta(days=days)
    return told | {"day": day.isoformat(), "sure": "yes", "note": "spring"}


def test_one_draft_published_twice_is_published_once(two, lan):
    first, second = two
    draft = begin(first, lan)
    mine, theirs = sent(first, draft, lan), sent(second, draft, lan, days=3)
    url = f"/charter/drafts/{draft.pk}/publish"
    assert "Version 2 comes into force" in page(first.post(url, mine, follow=True))
    said = page(second.post(url, theirs, follow=True))
    assert "lan.owner published" in said
    assert "as version 2" in said
    assert PublishedCharter.objects.count() == 2
    for answer in (
        second.get(f"/charter/drafts/{draft.pk}", follow=True),
        second.post(f"/charter/drafts/{draft.pk}", {"part": "basics", "revision": 1, "title": "x"}, follow=True),
        second.post(f"/charter/drafts/{draft.pk}/discard", {"revision": 1}, follow=True),
        second.get(f"/charter/drafts/{draft.pk}/simulate", follow=True),
    ):
        assert answer.status_code == 200
        assert "as version 2" in page(answer)


def test_publishing_upon_a_version_one_has_not_seen_is_refused_and_shown_anew(two, lan):
    first, second = two
    mine, theirs = begin(first, lan), begin(second, lan)
    told = sent(second, theirs, lan, days=5)  # sees version 1
    first.post(f"/charter/drafts/{mine.pk}/publish", sent(first, mine, lan))
    answer = second.post(f"/charter/drafts/{theirs.pk}/publish", told)
    assert answer.status_code == 422
    assert "lan.owner published version 2 after you had looked" in page(answer)
    assert PublishedCharter.objects.count() == 2
    again = form(answer) | {"day": told["day"], "sure": "yes"}  # the new page has seen it
    assert "Version 3 comes into force" in page(second.post(f"/charter/drafts/{theirs.pk}/publish", again, follow=True))


def withdraw_form(client, version):
    body = client.get("/charter").content.decode()
    found = re.search(rf'/charter/versions/{version}/withdraw".*?name="row" value="(\d+)"', body, re.S)
    return {"row": found.group(1)}


def test_withdrawing_what_another_withdrew_or_published_anew(two, lan):
    first, second = two
    draft = begin(first, lan)
    first.post(f"/charter/drafts/{draft.pk}/publish", sent(first, draft, lan))
    url = "/charter/versions/2/withdraw"
    mine, theirs = withdraw_form(first, 2), withdraw_form(second, 2)
    assert "Version 2 is withdrawn" in page(second.post(url, theirs, follow=True))
    assert "withdrawn already" in page(first.post(url, mine, follow=True))
    # Its number is free again, and another's version has it now.
    other = begin(second, lan)
    assert "Version 2 comes" in page(
        second.post(f"/charter/drafts/{other.pk}/publish", sent(second, other, lan), follow=True)
    )
    assert "is another one by now: lan.manager published it" in page(first.post(url, mine, follow=True))
    assert PublishedCharter.objects.filter(version=2).exists()
    assert charters.in_force(lan.merchant, now(lan.merchant)).version == 1


def test_a_version_in_force_is_not_withdrawn_by_a_page_from_before(two, lan, monkeypatch):
    first, second = two
    draft = begin(first, lan)
    first.post(f"/charter/drafts/{draft.pk}/publish", sent(first, draft, lan))
    told = withdraw_form(second, 2)
    PublishedCharter.objects.filter(version=2).update(effective_from=now(lan.merchant) - timedelta(seconds=1))
    assert "is in force since" in page(second.post("/charter/versions/2/withdraw", told, follow=True))
    assert PublishedCharter.objects.count() == 2


# ---- coupons and gifts ----------------------------------------------------------------------------------------------


def test_two_on_one_coupon_template(two, lan):
    first, second = two
    made = form(first.get("/coupons/new"))
    assert made["upon"] == "0"
    from shuke.engine.charter.selling import Coupon
    from shuke.loyalty.actions import coupons

    plain = {"key": "spring", "name": {"zh": "春券", "en": "Spring"}, "kind": "amount", "amount": "10"}
    coupons.save_template(
        merchant=lan.merchant, template=Coupon.model_validate(plain), now=now(lan.merchant), actor="lan.owner"
    )
    mine, theirs = (form(c.get("/coupons/templates/spring/edit")) for c in two)
    assert mine["upon"] == "1"
    name = next(key for key in mine if "name" in key and mine[key] == "Spring")
    assert first.post("/coupons/templates/spring/edit", mine | {name: "Spring sale"}).status_code == 302
    answer = second.post("/coupons/templates/spring/edit", theirs | {name: "Spring fair"})
    assert answer.status_code == 422
    assert "lan.owner saved version 2 of spring after you" in page(answer)
    assert CouponTemplate.objects.filter(key="spring").count() == 2
    again = form(answer)
    assert again[name] == "Spring fair"  # what was typed is still there
    assert second.post("/coupons/templates/spring/edit", again).status_code == 302
    assert CouponTemplate.objects.get(key="spring", version=3).document["name"]["en"] == "Spring fair"
    # A new coupon by a key that another has taken meanwhile does not become a version of it.
    with pytest.raises(coupons.CouponRefused) as refused:
        coupons.save_template(
            merchant=lan.merchant, template=Coupon.model_validate(plain), now=now(lan.merchant), actor="x", upon=0
        )
    assert refused.value.code == "key_taken"


def test_two_on_one_gift(two, lan):
    first, second = two
    values = {"name_zh": "杯", "name_en": "Mug", "points": 300, "stock": 5}
    row = gifts.save_gift(merchant=lan.merchant, code="mug", values=values, now=cast.NOON, actor="t")
    url = f"/rewards/gifts/{row.pk}"
    mine, theirs = form(first.get(url)), form(second.get(url))
    assert first.post(url, mine | {"points": "250"}).status_code == 302
    answer = second.post(url, theirs | {"name_en": "Large mug"})
    assert answer.status_code == 422
    assert "Somebody else saved mug after you had opened it" in page(answer)
    row.refresh_from_db()
    assert (row.points, row.name_en) == (250, "Mug")
    again = form(answer)
    assert (again["name_en"], again["points"]) == ("Large mug", "300")
    assert second.post(url, again).status_code == 302
    # Pieces that come and go are no change of what the form says, and are never put back.
    mine = form(first.get(url))
    second.post(f"{url}/stock", {"amount": "7"})
    assert first.post(url, mine | {"name_zh": "大杯"}).status_code == 302
    row.refresh_from_db()
    assert (row.stock, row.name_zh) == (12, "大杯")


def test_saving_a_gift_never_writes_its_stock(lan, monkeypatch):
    """Between reading and writing a till takes one: the write must not put it back."""
    values = {"name_zh": "杯", "name_en": "Mug", "points": 300, "stock": 5}
    row = gifts.save_gift(merchant=lan.merchant, code="mug", values=values, now=cast.NOON, actor="t")
    from shuke.loyalty.actions import gift_shelf

    check = gift_shelf._check

    def meanwhile(one):
        if one.stock is not None:
            Gift.objects.filter(pk=row.pk).update(stock=4)
        check(one)

    monkeypatch.setattr(gift_shelf, "_check", meanwhile)
    gifts.save_gift(merchant=lan.merchant, code="mug", values={"points": 250}, now=cast.NOON, actor="t")
    row.refresh_from_db()
    assert (row.points, row.stock) == (250, 4)


# ---- members --------------------------------------------------------------------------------------------------------


def test_two_on_one_profile_keep_what_each_changed(two, lan):
    first, second = two
    who = member(lan.merchant, 1)
    Member.objects.filter(pk=who).update(
        city="上海", nickname="兰", income_band="5-10", birth_year=1990, birth_month=5, birth_day=6
    )
    url = f"/members/{who}/edit"
    mine, theirs = form(first.get(url)), form(second.get(url))
    assert (
        first.post(
            url, mine | {"city": "北京", "tags": "VIP", "day0_kind": "wedding", "day0_month": "9", "day0_day": "9"}
        ).status_code
        == 302
    )
    answer = second.post(url, theirs | {"nickname": "兰兰"})
    assert answer.status_code == 302, page(answer)
    one = Member.objects.get(pk=who)
    assert (one.city, one.nickname, one.tags, one.income_band) == ("北京", "兰兰", ["VIP"], "5-10")
    assert form(first.get(url))["day0_month"] == "9"
    # Both changed the same: said, nothing overwritten, and saving again is a decision.
    mine, theirs = form(first.get(url)), form(second.get(url))
    first.post(url, mine | {"city": "杭州"})
    answer = second.post(url, theirs | {"city": "广州", "occupation": "teacher"})
    assert answer.status_code == 422
    assert "it is “杭州” now" in page(answer)
    one.refresh_from_db()
    assert (one.city, one.occupation) == ("杭州", "")
    assert second.post(url, form(answer)).status_code == 302
    one.refresh_from_db()
    assert (one.city, one.occupation) == ("广州", "teacher")
    # Both wrote the same: no quarrel. An odd hidden field is as if there were none.
    mine, theirs = form(first.get(url)), form(second.get(url))
    first.post(url, mine | {"city": "苏州"})
    assert second.post(url, theirs | {"city": "苏州"}).status_code == 302
    for odd in ("", "[]", "{", '{"city": {"a": 1}}'):
        assert second.post(url, form(second.get(url)) | {"shown": odd}).status_code in (302, 422)
