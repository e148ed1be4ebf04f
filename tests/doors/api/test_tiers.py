"""A tier given over the wire, as a floor and by invitation; paid memberships begun and ended; each once."""

from datetime import timedelta

import pytest

from shuke.loyalty import queries
from shuke.loyalty.models import ManualTier
from tests.doors.api.test_points import Till
from tests.loyalty.books import NOW, member, publish
from tests.loyalty.test_rich_charter import RICH

TODAY = NOW.date()
SILVER = {**RICH["tiers"][1], "reach": {"any": [RICH["tiers"][1]["reach"], {"measure": "invited"}]}}
ASKED = RICH | {"tiers": [RICH["tiers"][0], SILVER, RICH["tiers"][2]]}
LATER = str(TODAY + timedelta(days=90))


@pytest.fixture
def shop(lan, monkeypatch):
    for place in ("tiers", "points"):
        monkeypatch.setattr(f"shuke.doors.api.{place}.shop_now", lambda merchant: NOW)
    publish(lan.merchant, ASKED)
    member(lan.merchant)
    return lan.merchant


@pytest.fixture
def till(shop):
    return Till(shop)


def test_a_floor_until_a_day_is_given_once(till, shop):
    told = {"tier": "gold", "reason": "moved here", "until": LATER, "key": "t1"}
    status, first = till("00000001/tier", **told)
    assert (status, first["tier"], first["cause"], first["replayed"]) == (200, "gold", "manual", False)
    assert first["floor_until"] > LATER  # the moment after the last day
    assert till("00000001/tier", **told) == (200, first | {"replayed": True})
    assert ManualTier.objects.count() == 1
    status, said = till("00000001/tier", **told | {"reason": "another"})
    assert (status, said["code"]) == (422, "key_reused")
    assert queries.verify(shop).findings == []


def test_an_invitation_where_the_charter_knows_one(till, shop):
    given = {"reason": "opening night", "invite": True}
    status, said = till("00000001/tier", {"Accept-Language": "zh"}, tier="gold", key="i1", **given)
    assert (status, said["code"], said["error"]) == (
        409, "not_invitable", "现行章程不能凭邀请达到 gold，可凭邀请达到的有：silver。",
    )  # fmt: skip
    status, said = till("00000001/tier", {"Idempotency-Key": "i2"}, tier="silver", **given)
    assert (status, said["tier"], said["floor_until"]) == (200, "silver", None)
    assert ManualTier.objects.get().cause == "invited"


@pytest.mark.parametrize(
    ("wrong", "status", "code"),
    [
        ({"tier": "platinum"}, 422, "no_such_tier"),
        ({"until": str(TODAY)}, 400, "day_is_over"),
        ({"until": "9999-12-31"}, 400, "day_is_over"),
        ({"key": ""}, 400, "no_key"),
    ],
)
def test_what_cannot_be_is_refused_and_nothing_is_given(till, wrong, status, code):
    answer, said = till("00000001/tier", **{"tier": "gold", "reason": "x", "key": "k"} | wrong)
    assert (answer, said["code"], bool(said["error"])) == (status, code, True)
    assert not ManualTier.objects.exists()


def test_a_reason_is_asked_for_and_only_writers_may(till, shop):
    assert till("00000001/tier", tier="gold", key="k")[0] == 400
    assert Till(shop, may_write=False)("00000001/tier", tier="gold", reason="x", key="k")[0] == 403
    assert till("99999999/tier", tier="gold", reason="x", key="k")[0] == 404


def test_a_paid_membership_begins_and_ends_once(till, shop):
    status, begun = till("00000001/memberships", membership="plus", key="m1")
    assert (status, begun["tier"], [one["key"] for one in begun["memberships"]]) == (200, "gold", ["plus"])
    assert till("00000001/memberships", membership="plus", key="m1")[1] == begun | {"replayed": True}
    assert till("00000001/memberships", membership="star", key="m2")[1]["code"] == "no_such_membership"
    status, ended = till("00000001/memberships/end", of="m1", key="m3")
    assert (status, ended["tier"], ended["memberships"]) == (200, "member", [])
    assert till("00000001/memberships/end", of="m1", key="m3")[1] == ended | {"replayed": True}
    assert till("00000001/memberships/end", of="m1", key="m4")[1]["code"] == "no_such_membership"
    assert till("00000001/memberships", membership="plus", key="m3")[1]["code"] == "key_reused"
