"""`shuke complaints`: written down, listed, settled with what the charter gives, opened again."""

import pytest

from shuke.members.models import Member
from tests import cast
from tests.loyalty.books import member
from tests.loyalty.till import open_till, template


@pytest.fixture
def card(db):
    merchant = cast.lan().merchant
    open_till(merchant)
    template(merchant, "sorry", issue=[{"on": "complaint"}])
    return Member.objects.get(pk=member(merchant)).card


def test_from_the_first_word_to_the_last(shuke, card):
    one = shuke("complaints", "record", card, "The jar leaked", "--channel", "phone", "--key", "k1", "--json").json
    assert (one["state"], one["replayed"]) == ("open", False)
    assert shuke("complaints", "record", card, "The jar leaked", "--channel", "phone", "--key", "k1", "--json").json["replayed"]  # fmt: skip
    assert "The jar leaked" in shuke("complaints", "list").out
    assert "The member gets a coupon for it: sorry." in shuke("complaints", "settle", one["id"], "New jar").out
    again = shuke("complaints", "settle", one["id"], "New jar")
    assert (again.code, "It is settled already" in again.err) == (1, True)
    assert "open again" in shuke("complaints", "reopen", one["id"], "It leaks").out
    assert shuke("complaints", "list", "--member", card, "--json").json[0]["reopened"] == 1
    assert "given once" in shuke("complaints", "settle", one["id"], "Money back").out
    assert shuke("complaints", "list", "--json").json == []
    assert len(shuke("complaints", "list", "--all", "--json").json) == 1
