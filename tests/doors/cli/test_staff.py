"""The people of the shop, at the terminal."""

import re

import pytest

from shuke.kit.models import AuditLine
from shuke.shops import queries
from shuke.shops.models import ApiToken, Merchant, Staff
from tests import cast
from tests.loyalty.books import member
from tests.shops.test_second_factor import with_factor

WHY = ("--reason", "because")


def test_a_colleague_is_let_in_changed_shut_out_and_let_in_again(lan, shuke):
    told = shuke("staff", "add", "mei", "--name", "小梅", "--role", "assistant", "--store", "JA", *WHY)
    assert told.code == 0
    assert re.search(r"^[a-z0-9]{4}(-[a-z0-9]{4}){3}$", told.out, re.M)
    row = next(one for one in shuke("staff", "list", "--json").json if one["user"] == "mei")
    assert (row["role"], row["open"], row["stores"][0]["name"]) == ("assistant", True, "静安店")
    assert row["one_time_until"] is not None
    assert shuke("staff", "role", "mei", "manager", *WHY, "--json").json["role"] == "manager"
    assert "徐汇店" in shuke("staff", "stores", "mei", "pos:XH", *WHY).out
    assert "all stores" in shuke("staff", "stores", "mei", *WHY).out
    password = shuke("staff", "password", "mei", *WHY, "--json").json["password"]
    assert Staff.objects.get(username="mei").check_password(password)
    assert shuke("staff", "close", "mei", *WHY).code == 0
    assert shuke("staff", "close", "mei", *WHY).code == 1
    again = shuke("staff", "reopen", "mei", *WHY, "--json").json
    assert (again["open"], again["role"], bool(again["password"])) == (True, "manager", True)
    lines = AuditLine.objects.filter(object=f"staff {Staff.objects.get(username='mei').pk}").order_by("id")
    assert [line.verb for line in lines] == [
        "staff.created", "staff.changed", "staff.changed", "staff.changed", "staff.password_reset", "staff.closed",
        "staff.reopened",
    ]  # fmt: skip
    assert all(line.actor.startswith("cli:") and line.detail["reason"] == "because" for line in lines)


def test_a_password_can_be_given_and_stays(lan, shuke):
    told = shuke(
        "staff", "add", "kai", "--role", "manager", *WHY, "--password-stdin", "--json", input="a lantern in the rain\n"
    )
    assert (told.json["password"], told.json["one_time_until"]) == (None, None)
    assert Staff.objects.get(username="kai").check_password("a lantern in the rain")
    assert shuke("staff", "add", "jo", "--role", "manager", *WHY, "--password-stdin", input="").code == 2
    assert shuke("staff", "add", "jo", "--role", "manager", *WHY, "--password-stdin", input="short\n").code == 1
    assert queries.staff_by_username(lan.merchant, "jo") is None


def test_the_way_out_for_an_only_owner_whose_phone_is_gone(lan, shuke):
    with_factor(lan.owner)
    row = next(one for one in shuke("staff", "list", "--json").json if one["user"] == "lan.owner")
    assert row["second_factor_since"] is not None
    assert "second factor" in shuke("staff", "list").out
    assert "with the password alone" in shuke("staff", "factor", "lan.owner", *WHY).out
    assert shuke("staff", "factor", "lan.owner", *WHY).code == 1
    line = AuditLine.objects.get(verb="staff.factor_taken")
    assert (line.actor.startswith("cli:"), line.detail["reason"]) == (True, "because")


def test_of_whom_the_shop_asks_a_second_factor(lan, shuke):
    assert shuke("staff", "require", "office", *WHY, "--json").json == {"asked": "office", "changed": True}
    assert shuke("staff", "require", "office", *WHY, "--json").json == {"asked": "office", "changed": False}
    assert Merchant.objects.get(pk=lan.merchant.pk).factor_asked == "office"
    assert shuke("staff", "require", "some", *WHY).code == 2
    assert "nobody here signs in" in shuke("staff", "factor", "nobody", *WHY).err.lower()


@pytest.mark.parametrize(
    ("call", "code", "said"),
    [
        (("close", "lan.owner", *WHY), 1, "is the last owner"),
        (("role", "lan.owner", "manager", *WHY), 1, "is the last owner"),
        (("role", "lan.manager", "king", *WHY), 2, "king"),
        (("role", "lan.manager", "owner"), 2, "--reason"),
        (("role", "lan.manager", "owner", "--reason", " "), 1, "Say why"),
        (("stores", "lan.manager", "Nowhere", *WHY), 1, "There are: pos:JA, pos:XH"),
        (("add", "lan.manager", "--role", "owner", *WHY), 1, "already signs in as"),
        (("add", "two words", "--role", "owner", *WHY), 1, "is no user name"),
        (("close", "nobody", *WHY), 1, "Nobody here signs in as “nobody”"),
    ],
)
def test_what_is_refused_says_why(lan, shuke, call, code, said):
    lines = AuditLine.objects.count()
    told = shuke("staff", *call)
    assert told.code == code
    assert said in told.err
    assert AuditLine.objects.count() == lines


def test_a_token_has_somebody_who_answers_for_it(lan, shuke):
    made = shuke("tokens", "make", "sheet", "--staff", "lan.manager", "--json").json
    assert made["staff"] == "lan.manager"
    assert shuke("tokens", "make", "sheet", "--staff", "nobody").code == 1
    assert "lan.manager" in shuke("tokens", "list").out
    shuke("staff", "close", "lan.manager", *WHY)
    assert ApiToken.objects.get(pk=made["id"]).revoked_at is not None
    assert shuke("tokens", "make", "again", "--staff", "lan.manager").code == 1


def test_the_list_of_another_shop_is_not_shown(lan, mingde, shuke):
    assert "mingde" not in shuke("staff", "list", "--merchant", lan.merchant.name).out
    assert shuke("staff", "close", "mingde.owner", *WHY, "--merchant", lan.merchant.name).code == 1
    assert cast.PASSWORD


def test_which_member_somebody_is(lan, shuke):
    member(lan.merchant, 1)
    assert shuke("staff", "card", "lan.manager", "00000001", *WHY, "--json").json["member"] == "00000001"
    assert shuke("staff", "card", "lan.manager", "00000001", *WHY).code == 0
    assert shuke("staff", "card", "nobody", "00000001", *WHY).code == 1
    assert shuke("staff", "card", "lan.manager", "77", *WHY).code == 1
    assert "no member card" in shuke("staff", "card", "lan.manager", *WHY).out
    lines = AuditLine.objects.filter(verb="staff.card").order_by("id")
    assert [line.detail["member"] is None for line in lines] == [False, True]
