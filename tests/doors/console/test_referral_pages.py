"""Referral in the console, and the page of a member's link: who sees what, what is noted, what strangers learn."""

from __future__ import annotations

import re
from datetime import timedelta

import pytest
from django.core import signing

from shuke.kit import clock
from shuke.kit.models import AuditLine
from shuke.loyalty.actions import referral
from shuke.loyalty.models import Referral, ReferralCode, ReferralReward
from shuke.members.models import Member
from tests.loyalty.books import START, order, publish
from tests.loyalty.friends import NOW, PART, PLAIN, bind, buy, settle, someone
from tests.loyalty.test_referral import phone


@pytest.fixture
def shop(lan, monkeypatch):
    """Lan's shop with referral in its charter, on a day in June."""
    lan.merchant.clock_shift = round((NOW - clock.utc_now()).total_seconds())
    lan.merchant.save()
    mug = {"zh": "马克杯", "en": "mug"}
    steps = [{"points": 100, "gift": mug, "gift_cost": 8, "honour": {"zh": "引荐人", "en": "Host"}}]
    publish(lan.merchant, PLAIN | {"referral": PART | {"steps": steps}})
    return lan


@pytest.fixture
def english(client):
    client.cookies["django_language"] = "en"
    return client


def invitation(shop, who):
    code = referral.code_for(merchant=shop.merchant, member_id=who, now=NOW)
    return f"/r/{shop.merchant.pk:x}/{code.code}"


def join(client, url, **told):
    page = client.get(url).content.decode()
    visit = re.search(r'name="visit" value="([^"]+)"', page)[1]
    return client.post(url, {"visit": visit, "name": "陈小红", "phone": "13900000001", "agree": "1"} | told)


# ---- the public page --------------------------------------------------------------------------------------------------


def test_a_stranger_sees_the_offer_and_joins(shop, english):
    ann = someone(shop.merchant, 1)
    url = invitation(shop, ann)
    page = english.get(url)
    text = page.content.decode()
    assert "会**" in text  # the name is masked
    assert "会员1" not in text
    assert "50 points" in text
    assert "script-src 'self'" in page.headers["Content-Security-Policy"]
    assert "no-store" in page.headers["Cache-Control"]
    assert join(english, url).status_code == 200
    row = Referral.objects.get()
    assert (row.referrer_id, row.how, row.newcomer.name, row.actor) == (ann, "link", "陈小红", "link")
    assert len(bytes(row.device)) == 16
    assert ReferralCode.objects.get().visits == 1  # opened twice by one browser


def test_nobody_learns_who_is_a_member(shop, english):
    ann, ben = someone(shop.merchant, 1), someone(shop.merchant, 2)
    phone(shop.merchant, ben, "+8613900000001")
    url = invitation(shop, ann)
    known = join(english, url)
    new = join(english, url, phone="13900000002")
    strip = re.compile(rb'value="[^"]{40,}"|csrf[^>]+>|X-CSRFToken[^}]+')
    assert strip.sub(b"", known.content) == strip.sub(b"", new.content)
    assert Referral.objects.count() == 1
    assert Member.objects.count() == 3


@pytest.mark.parametrize(
    ("told", "says"),
    [
        ({"name": " "}, "Fill in your name."),
        ({"phone": "12345"}, "A phone number has 11 digits"),
        ({"agree": ""}, "Please agree"),
        ({"visit": "made-up"}, "open for too long"),
    ],
)
def test_what_is_wrong_is_said_and_nothing_is_kept(shop, english, told, says):
    answer = join(english, invitation(shop, someone(shop.merchant, 1)), **told)
    assert answer.status_code == 422
    assert says in answer.content.decode()
    assert Referral.objects.count() == 0


def test_a_visit_is_forgotten_after_the_charters_days(shop, english, monkeypatch):
    url = invitation(shop, someone(shop.merchant, 1))
    real = signing.TimestampSigner.unsign
    monkeypatch.setattr(
        signing.TimestampSigner, "unsign", lambda self, value, max_age=None: real(self, value, -1 if max_age else None)
    )
    assert join(english, url).status_code == 422


def test_wrong_codes_and_crowds_are_braked(shop, english):
    base = f"/r/{shop.merchant.pk:x}/"
    from shuke.engine.referral.codes import code_of

    codes = [english.get(base + code_of(n)).status_code for n in range(12)]
    assert codes == [404] * 10 + [429] * 2
    assert english.get("/r/nonsense/ABCDE").status_code == 404
    other = english.get(base + "ABCDE", REMOTE_ADDR="10.0.0.9")
    assert other.status_code == 404
    url = invitation(shop, someone(shop.merchant, 1))
    for n in range(20):
        AuditLine.objects.create(
            merchant_id=shop.merchant.pk, verb="referral.link_joined", address="10.0.0.8", actor="link",
            at=clock.utc_now() - timedelta(seconds=n),
        )  # fmt: skip
    page = english.get(url, REMOTE_ADDR="10.0.0.8").content.decode()
    visit = re.search(r'name="visit" value="([^"]+)"', page)[1]
    told = {"visit": visit, "name": "陈", "phone": "13900000009", "agree": "1"}
    assert english.post(url, told, REMOTE_ADDR="10.0.0.8").status_code == 429
    assert Referral.objects.count() == 0


def test_a_renewed_code_invites_nobody(shop, english):
    ann = someone(shop.merchant, 1)
    url = invitation(shop, ann)
    referral.renew_code(merchant=shop.merchant, member_id=ann, now=NOW, actor="lan.owner")
    assert english.get(url).status_code == 404


# ---- the console ------------------------------------------------------------------------------------------------------


@pytest.fixture
def told(shop):
    """Ann brought Ben, who bought and was rewarded, and Cid, who shares her phone."""
    ann, ben, cid = (someone(shop.merchant, n) for n in (1, 2, 3))
    rows = bind(shop.merchant, ben, ann), bind(shop.merchant, cid, ann, actor="lan.manager")
    for who in (ann, cid):
        phone(shop.merchant, who, "+8613900000001")
    for n, who in enumerate((ben, cid)):
        buy(shop.merchant, who, order(f"o{n}", 30, 150 + n))
    settle(shop.merchant)
    return shop, (ann, ben, cid), rows


def test_the_overview_says_what_waits_and_what_it_was_worth(told, english):
    shop, (ann, _ben, _cid), (_good, held) = told
    english.force_login(shop.manager)
    page = english.get("/referrals").content.decode()
    assert f"/referrals/{held.pk}" in page
    assert "Has the same phone as 1 other." in page
    assert "2025-01" in page
    assert f"/referrals/tree/{ann}" in page
    assert "Host" in page
    only = english.get("/referrals?state=rewarded").content.decode()
    assert "friends in a few days" not in only


def test_a_case_is_decided_once_with_a_reason_and_not_by_who_entered_it(told, english):
    shop, _people, (_good, held) = told
    english.force_login(shop.manager)
    url = f"/referrals/{held.pk}/decide"
    english.post(url, {"say": "approve", "reason": "sisters"})
    held.refresh_from_db()
    assert held.decision == ""  # the manager had entered it
    english.force_login(shop.owner)
    english.post(url, {"say": "approve", "reason": ""})
    held.refresh_from_db()
    assert held.decision == ""
    english.post(url, {"say": "approve", "reason": "sisters"})
    held.refresh_from_db()
    assert (held.state, held.decided_by, held.decided_because) == ("rewarded", "lan.owner", "sisters")
    assert "sisters" in english.get(f"/referrals/{held.pk}").content.decode()


def test_an_assistant_and_an_auditor_do_not_decide(told, client):
    shop, _people, (_good, held) = told
    for staff in (shop.assistant, shop.auditor):
        client.force_login(staff)
        assert client.post(f"/referrals/{held.pk}/decide", {"say": "approve", "reason": "x"}).status_code == 403


def test_the_tree_has_everybody_with_what_they_bought(told, english):
    shop, (ann, _ben, _cid), _rows = told
    english.force_login(shop.owner)
    page = english.get(f"/referrals/tree/{ann}?depth=12").content.decode()
    assert "会员2" in page
    assert "¥301.00" in page


def test_a_members_page_shows_link_and_friends_and_hands_over_the_gift(told, english):
    shop, (ann, _ben, _cid), (good, _held) = told
    english.force_login(shop.assistant)
    page = english.get(f"/members/{ann}/referral").content.decode()
    code = ReferralCode.objects.get(member_id=ann)
    assert f"/r/{shop.merchant.pk:x}/{code.code}" in page
    assert "<svg" in page
    gift = ReferralReward.objects.get(referral=good, kind="gift")
    english.post(f"/members/{ann}/referral", {"do": "gift", "reward": gift.pk})
    gift.refresh_from_db()
    assert gift.handed_by == "lan.assistant"


def test_an_assistant_notes_who_brought_somebody(shop, english):
    ann, ben = someone(shop.merchant, 1), someone(shop.merchant, 2, joined=(NOW - timedelta(days=1) - START).days)
    english.force_login(shop.assistant)
    card = Member.objects.get(pk=ann).card
    english.post(f"/members/{ben}/referral", {"do": "bind", "code": card})
    assert Referral.objects.get().referrer_id == ann
    assert english.post(f"/members/{ben}/referral", {"do": "renew"}).status_code == 403


def test_pages_say_so_where_the_charter_gives_nothing(lan, english):
    ann = someone(lan.merchant, 1)
    english.force_login(lan.owner)
    assert "gives nothing" in english.get("/referrals").content.decode()
    assert "gives nothing" in english.get(f"/members/{ann}/referral").content.decode()
    assert ReferralCode.objects.count() == 0
