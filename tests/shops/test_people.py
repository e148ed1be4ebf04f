"""The people of the shop: who may change whom, the last owner, passwords for one use, and everything in the log."""

import multiprocessing
from datetime import timedelta

import pytest

from shuke.kit.models import AuditLine
from shuke.shops import actions, queries
from shuke.shops.actions import StaffRefused
from shuke.shops.models import ApiToken, Role, Session, Staff
from tests import cast

NOON = cast.NOON


def told(lan, **more):
    return {"merchant": lan.merchant, "reason": "because", "now": NOON, "by": lan.owner} | more


def refused(call, **arguments):
    with pytest.raises(StaffRefused) as error:
        call(**arguments)
    assert error.value.say("zh") != error.value.say("en")
    return error.value.code


def line(verb):
    return AuditLine.objects.filter(verb=verb).order_by("-id").first()


def fresh(staff):
    return Staff.objects.get(pk=staff.pk)


def signed_in(staff, key="k" * 32):
    return Session.objects.create(
        session_key=key, session_data="", expire_date=NOON + timedelta(days=9999), merchant=staff.merchant, staff=staff,
        begun_at=NOON, seen_at=NOON,
    )  # fmt: skip


def test_a_colleague_comes_in_with_a_password_for_one_use(lan):
    one, password = actions.add_staff(
        username="mei", name="小梅", role="assistant", stores=[lan.second], **told(lan, reason="begins on Monday")
    )
    assert fresh(one).check_password(password)
    assert (one.one_time_until, one.store) == (NOON + timedelta(days=3), lan.second)
    assert queries.posts(one) == [lan.second]
    assert line("staff.created").actor == "lan.owner"
    assert line("staff.created").detail == {"role": "assistant", "stores": ["JA"], "reason": "begins on Monday"}
    assert password not in str(list(AuditLine.objects.values()))


def test_a_password_that_was_given_stays_and_is_not_told_again(lan):
    one, password = actions.add_staff(
        username="mei", role="manager", password="a lantern in the rain", **told(lan, by=None, actor="cli:root")
    )
    assert (password, one.one_time_until) == ("", None)
    assert line("staff.created").actor == "cli:root"


def test_what_cannot_be_added_is_refused_with_its_reason(lan, mingde):
    def add(**more):
        return refused(actions.add_staff, **told(lan, username="mei", role="manager") | more)

    assert add(username="LAN.owner") == "username_taken"  # whoever reads a list would take the two for one
    assert add(username="mingde.owner") == "username_taken"
    for name in ("", " ", "two words", "a\nb", "x" * 61, "<b>"):
        assert add(username=name) == "username_wrong", name
    assert add(role="king") == "no_such_role"
    assert add(reason="  ") == "no_reason"
    assert add(by=lan.manager) == "not_allowed"
    assert add(by=mingde.owner) == "not_allowed"
    with pytest.raises(actions.WeakPassword):
        actions.add_staff(username="mei", role="manager", password="short", **told(lan))
    assert refused(actions.stores_named, merchant=lan.merchant, named=["Nowhere"]) == "no_such_store"
    assert refused(actions.stores_named, merchant=lan.merchant, named=[str(mingde.street.pk)]) == "no_such_store"
    assert queries.staff_by_username(lan.merchant, "mei") is None


def test_another_role_and_other_stores_are_logged_and_end_sessions(lan):
    signed_in(lan.assistant)
    one = actions.change_staff(
        username="lan.assistant", role="specialist", stores=[lan.street, lan.second], name="阿兰",
        **told(lan, reason="leads the floor"),
    )  # fmt: skip
    assert (one.role, one.name, one.store, one.revision) == ("specialist", "阿兰", lan.street, 2)
    assert queries.posts(one) == [lan.second, lan.street]
    assert not Session.objects.exists()
    detail = line("staff.changed").detail
    assert detail["role"] == ["assistant", "specialist"]
    assert detail["stores"] == [["XH"], ["JA", "XH"]]
    assert detail["reason"] == "leads the floor"
    assert "阿兰" not in str(detail)
    lines = AuditLine.objects.count()
    again = actions.change_staff(username="lan.assistant", role="specialist", **told(lan))
    assert (again.revision, AuditLine.objects.count()) == (2, lines)  # nothing was different
    alone = actions.change_staff(username="lan.assistant", stores=[lan.second], **told(lan))
    assert alone.store == lan.second
    anywhere = actions.change_staff(username="lan.assistant", stores=[], **told(lan))
    assert (anywhere.store, queries.posts(anywhere)) == (None, [])


def test_only_an_owner_changes_accounts_and_never_their_own(lan, mingde):
    for call, more in (
        (actions.change_staff, {"role": "owner"}),
        (actions.reset_password, {}),
        (actions.close_staff, {}),
        (actions.reopen_staff, {}),
    ):
        for person in (lan.manager, lan.specialist, lan.assistant, lan.auditor, mingde.owner):
            assert refused(call, **told(lan, username="lan.assistant", by=person), **more) == "not_allowed"
        assert refused(call, **told(lan, username="lan.owner"), **more) == "own_account"
        assert refused(call, **told(lan, username="mingde.owner"), **more) == "no_such_person"
    assert fresh(lan.assistant).role == "assistant"


def test_rights_are_asked_of_the_account_as_it_is_now(lan):
    """Whoever was made less, or shut out, after their page was opened changes nothing more."""
    actions.change_staff(username="lan.manager", role="owner", **told(lan))
    actions.change_staff(username="lan.owner", role="auditor", **told(lan, by=lan.manager))
    assert lan.owner.role == "owner"  # what the open page still believes
    assert refused(actions.close_staff, **told(lan, username="lan.manager")) == "not_allowed"


def test_the_last_owner_stays_one(lan):
    desk = {"by": None, "actor": "cli:root", "username": "lan.owner"}
    assert refused(actions.close_staff, **told(lan, **desk)) == "last_owner"
    assert refused(actions.change_staff, **told(lan, **desk), role="manager") == "last_owner"
    actions.change_staff(username="lan.manager", role="owner", **told(lan))
    actions.close_staff(**told(lan, username="lan.manager"))
    assert refused(actions.close_staff, **told(lan, **desk)) == "last_owner"  # a closed owner is none
    actions.reopen_staff(**told(lan, username="lan.manager"))
    actions.close_staff(**told(lan, **desk))
    assert not fresh(lan.owner).is_active


def test_closing_ends_sessions_and_tokens_at_once_and_keeps_the_rest(lan):
    signed_in(lan.manager)
    signed_in(lan.owner, "o" * 32)
    theirs, text = actions.make_token(merchant=lan.merchant, name="sheet", may_write=True, now=NOON, staff=lan.manager)
    _, other = actions.make_token(merchant=lan.merchant, name="till", may_write=True, now=NOON)
    assert queries.token_of(text) is not None
    actions.close_staff(username="lan.manager", **told(lan, reason="left"))
    assert queries.token_of(text) is None
    assert queries.token_of(other) is not None
    assert [row.staff_id for row in Session.objects.all()] == [lan.owner.pk]
    assert line("staff.closed").detail == {"reason": "left", "sessions": 1, "tokens": 1}
    assert refused(actions.close_staff, **told(lan, username="lan.manager")) == "closed_already"
    assert refused(actions.reset_password, **told(lan, username="lan.manager")) == "closed"
    assert refused(actions.change_staff, **told(lan, username="lan.manager"), role="owner") == "closed"
    with pytest.raises(StaffRefused):
        actions.make_token(merchant=lan.merchant, name="x", may_write=False, now=NOON, staff=lan.manager)
    one, password = actions.reopen_staff(username="lan.manager", **told(lan, reason="back"))
    assert (one.role, one.is_active, one.check_password(password)) == ("manager", True, True)
    assert not one.check_password(cast.PASSWORD)
    assert ApiToken.objects.get(pk=theirs.pk).revoked_at == NOON
    assert refused(actions.reopen_staff, **told(lan, username="lan.manager")) == "open_already"


def test_a_change_upon_an_older_state_overwrites_nothing(lan):
    actions.change_staff(username="lan.assistant", role="manager", revision=1, **told(lan))
    for call, more in (
        (actions.change_staff, {"role": "owner"}),
        (actions.reset_password, {}),
        (actions.close_staff, {}),
    ):
        assert refused(call, **told(lan, username="lan.assistant", revision=1), **more) == "changed_meanwhile"
    assert (fresh(lan.assistant).role, fresh(lan.assistant).is_active) == ("manager", True)


def test_ones_own_password_needs_the_present_one(lan):
    def choose(present, password):
        actions.set_own_password(staff=lan.manager, present=present, password=password, now=NOON, keep="k" * 32)

    signed_in(lan.manager)
    signed_in(lan.manager, "j" * 32)
    for present, password, code in (
        ("wrong", "a lantern in the rain", "wrong_password"),
        (cast.PASSWORD, cast.PASSWORD, "same_password"),
    ):
        assert refused(choose, present=present, password=password) == code
    with pytest.raises(actions.WeakPassword):
        choose(cast.PASSWORD, "short")
    assert Session.objects.count() == 2
    choose(cast.PASSWORD, "a lantern in the rain")
    assert fresh(lan.manager).check_password("a lantern in the rain")
    assert [row.pk for row in Session.objects.all()] == ["k" * 32]
    # Reset meanwhile: whoever knew the one before does not get it back.
    actions.reset_password(**told(lan, username="lan.manager"))
    assert refused(choose, present="a lantern in the rain", password="a second lantern") == "wrong_password"


def test_somebody_stands_where_they_work(lan, mingde):
    actions.change_staff(username="lan.assistant", stores=[lan.street, lan.second], **told(lan))
    actions.stand_at(staff=lan.assistant, store=lan.second)
    assert fresh(lan.assistant).store == lan.second
    for store in (lan.online, mingde.street):
        assert refused(actions.stand_at, staff=lan.assistant, store=store) == "not_your_post"
    actions.stand_at(staff=lan.owner, store=lan.online)  # whose are all
    assert refused(actions.stand_at, staff=lan.owner, store=mingde.street) == "not_your_post"


def test_every_role_and_permission_has_its_words(lan):
    from shuke.doors.console import words

    assert set(words.ROLES) == set(Role.values)
    assert set(words.PERMISSIONS) == set().union(*queries.ALLOWED.values())


# ---- two at once ----------------------------------------------------------------------------------------------------


def _deed(merchant_id, call, arguments, by, answers):
    from django.db import connections

    connections.close_all()
    from shuke.shops.models import Merchant

    merchant = Merchant.objects.get(pk=merchant_id)
    try:
        getattr(actions, call)(
            merchant=merchant, now=NOON, reason="race", by=Staff.objects.get(username=by) if by else None, **arguments
        )
        answers.put("done")
    except StaffRefused as refusal:
        answers.put(refusal.code)
    connections.close_all()


def at_once(merchant, work):
    from django.db import connections

    connections.close_all()
    fork = multiprocessing.get_context("fork")
    answers = fork.Queue()
    people = [fork.Process(target=_deed, args=(merchant.pk, *one, answers)) for one in work]
    for one in people:
        one.start()
    said = [answers.get(timeout=120) for _ in people]
    for one in people:
        one.join(timeout=60)
    return sorted(said)


def test_two_owners_who_close_each_other_leave_one(transactional_db):
    lan = cast.lan()
    actions.change_staff(username="lan.manager", role="owner", **told(lan))
    for _round in range(3):
        said = at_once(
            lan.merchant,
            [
                ("close_staff", {"username": "lan.owner"}, "lan.manager"),
                ("close_staff", {"username": "lan.manager"}, "lan.owner"),
            ],
        )
        assert said in (["done", "not_allowed"], ["done", "last_owner"])
        [left] = Staff.objects.filter(role="owner", is_active=True)
        gone = "lan.owner" if left.username == "lan.manager" else "lan.manager"
        actions.reopen_staff(merchant=lan.merchant, username=gone, reason="again", now=NOON)


def test_one_name_taken_twice_at_once_is_one_account(transactional_db):
    lan = cast.lan()
    one = ("add_staff", {"username": "mei", "role": "assistant"}, "lan.owner")
    assert at_once(lan.merchant, [one, one]) == ["done", "username_taken"]
    assert Staff.objects.filter(username="mei").count() == 1
