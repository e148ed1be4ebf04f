"""A second factor: whose codes fit when, each once; recovery codes; who may take it away; of whom the shop asks it."""

import base64
import hmac
import multiprocessing
import struct
from datetime import UTC, datetime, timedelta
from urllib.parse import parse_qs, urlsplit

import pytest

from shuke.kit import crypto
from shuke.kit.models import AuditLine
from shuke.shops import actions, queries
from shuke.shops.models import RecoveryCode, Role, SecondFactor, Session, Staff
from tests import cast
from tests.shops.test_people import fresh, line, refused, signed_in, told

AT = datetime(2026, 6, 1, 4, 0, 10, tzinfo=UTC)


def phone(letters: str, at: datetime) -> str:
    """What an app shows: RFC 6238 and 4226, written out."""
    secret, step = base64.b32decode(letters), int(at.timestamp()) // 30
    digest = hmac.digest(secret, struct.pack(">Q", step), "sha1")
    place = digest[-1] & 15
    return f"{(struct.unpack('>I', digest[place : place + 4])[0] & 0x7FFFFFFF) % 10**6:06d}"


def scanned(staff) -> str:
    actions.begin_factor(staff=staff)
    address, letters = actions.coming_factor(staff=staff)
    assert parse_qs(urlsplit(address).query)["secret"] == [letters]
    return letters


def confirm(staff, letters, at=AT, **more):
    arguments = {"password": cast.PASSWORD, "code": phone(letters, at), "keep": "", "at": at, "now": at} | more
    return actions.confirm_factor(staff=staff, **arguments)


def with_factor(staff, at=AT) -> tuple[str, list[str]]:
    letters = scanned(staff)
    return letters, confirm(staff, letters, at)


def fits(staff, code, at):
    return actions.fits(staff=staff, code=code, at=at)


def test_the_paper_of_the_standard(lan):
    """RFC 6238, appendix B, SHA-1, its last six digits."""
    letters = base64.b32encode(b"12345678901234567890").decode()
    given = {59: "287082", 1111111109: "081804", 1234567890: "005924", 20000000000: "353130"}
    assert {second: phone(letters, datetime.fromtimestamp(second, UTC)) for second in given} == given


def test_nothing_changes_before_a_code_was_typed(lan):
    scanned(lan.owner)
    assert fresh(lan.owner).factor_since is None
    assert fits(lan.owner, "000000", AT) == ""
    assert RecoveryCode.objects.count() == 0


def test_from_then_on_codes_fit_in_their_half_minute_and_beside_it_each_once(lan):
    letters, codes = with_factor(lan.owner)
    assert (len(codes), len(set(codes)), fresh(lan.owner).factor_since) == (10, 10, AT)
    assert fits(lan.owner, phone(letters, AT), AT) == "", "the one that confirmed is spent"
    later = AT + timedelta(minutes=5)
    for offset, answer in ((-60, ""), (60, ""), (-30, "phone"), (-30, ""), (0, "phone"), (30, "phone"), (0, "")):
        assert fits(lan.owner, phone(letters, later + timedelta(seconds=offset)), later) == answer, offset
    wide = phone(letters, later + timedelta(minutes=5)).translate(str.maketrans("0123456789", "０１２３４５６７８９"))
    assert fits(lan.owner, f" {wide[:3]} {wide[3:]} ", later + timedelta(minutes=5)) == "phone"


@pytest.mark.parametrize(
    "code", ["", " ", "12345", "1234567", "abcdef", "½¾⅓⅔⅛⅜", "1" * 5000, "\u0661\u0662\u0663\u0664\u0665\u0666"]
)
def test_what_is_no_code_fits_nothing(lan, code):
    with_factor(lan.owner)
    assert fits(lan.owner, code, AT + timedelta(minutes=5)) == ""


def test_a_recovery_code_is_good_once_and_for_its_owner(lan):
    _letters, codes = with_factor(lan.owner)
    with_factor(lan.manager)
    assert fits(lan.manager, codes[3], AT) == ""
    assert [fits(lan.owner, f" {codes[3].upper().replace('-', ' - ')} ", AT), fits(lan.owner, codes[3], AT)] == [
        "recovery",
        "",
    ]
    assert queries.recovery_codes_left(lan.owner) == 9


def test_new_recovery_codes_take_the_place_of_the_old(lan):
    letters, codes = with_factor(lan.owner)
    later = AT + timedelta(minutes=1)
    arguments = {"staff": lan.owner, "at": later, "now": later}
    assert refused(actions.new_recovery_codes, code="000000", **arguments) == "wrong_code"
    new = actions.new_recovery_codes(code=phone(letters, later), **arguments)
    assert not set(new) & set(codes)
    assert [fits(lan.owner, codes[0], later), fits(lan.owner, new[0], later)] == ["", "recovery"]


def test_a_copy_of_the_database_signs_in_nobody(lan):
    letters, codes = with_factor(lan.owner)
    row = SecondFactor.objects.get()
    kept = b"".join([bytes(row.secret), *(bytes(one.digest) for one in RecoveryCode.objects.all())])
    assert base64.b32decode(letters) not in kept
    assert not any(code.replace("-", "").encode() in kept for code in codes)
    SecondFactor.objects.filter(pk=row.pk).update(staff=lan.manager)  # moved to somebody else, it opens nothing
    Staff.objects.filter(pk=lan.manager.pk).update(factor_since=AT)
    with pytest.raises(crypto.CannotUnseal):
        fits(lan.manager, phone(letters, AT), AT)


def test_it_needs_the_password_the_code_and_a_beginning(lan):
    letters = scanned(lan.owner)
    arguments = {"staff": lan.owner, "keep": "", "at": AT, "now": AT}
    assert refused(actions.confirm_factor, password="guess", code=phone(letters, AT), **arguments) == "wrong_password"
    assert refused(actions.confirm_factor, password=cast.PASSWORD, code="000000", **arguments) == "wrong_code"
    confirm(lan.owner, letters)
    assert refused(actions.confirm_factor, password=cast.PASSWORD, code=phone(letters, AT), **arguments) == "not_begun"


def test_another_phone_asks_for_the_one_before_or_a_recovery_code(lan):
    first, codes = with_factor(lan.owner)
    second, later = scanned(lan.owner), AT + timedelta(minutes=1)
    assert fits(lan.owner, phone(first, later), later) == "phone", "the old one holds meanwhile"
    with pytest.raises(actions.StaffRefused) as error:
        confirm(lan.owner, second, later)
    assert error.value.code == "wrong_code"
    with pytest.raises(actions.StaffRefused):
        confirm(lan.owner, second, later, present=codes[0], code="000000")
    assert queries.recovery_codes_left(lan.owner) == 10, "nothing is spent where nothing was done"
    confirm(lan.owner, second, later, present=codes[0])
    much = later + timedelta(minutes=1)
    assert [fits(lan.owner, phone(first, much), much), fits(lan.owner, phone(second, much), much)] == ["", "phone"]
    assert fits(lan.owner, codes[1], much) == ""
    assert line("staff.factor_replaced").actor == "lan.owner"


def test_other_browsers_are_signed_out(lan):
    here = signed_in(lan.owner, "h" * 32)
    signed_in(lan.owner, "t" * 32)
    letters = scanned(lan.owner)
    confirm(lan.owner, letters, keep=here.pk)
    assert list(Session.objects.values_list("pk", flat=True)) == [here.pk]
    assert line("staff.factor_on").detail == {"sessions": 1}


def test_one_drops_ones_own_unless_the_shop_asks_for_it(lan):
    letters, _codes = with_factor(lan.assistant)
    later = AT + timedelta(minutes=1)
    arguments = {
        "staff": lan.assistant,
        "password": cast.PASSWORD,
        "code": phone(letters, later),
        "at": later,
        "now": later,
    }
    rule = {"merchant": lan.merchant, "reason": "because", "now": AT, "by": lan.owner}
    actions.ask_for_factor(asked="all", **rule)
    assert refused(actions.drop_own_factor, **arguments) == "factor_asked"
    actions.ask_for_factor(asked="office", **rule)
    assert refused(actions.drop_own_factor, **arguments | {"code": "000000"}) == "wrong_code"
    assert refused(actions.drop_own_factor, **arguments | {"password": "guess"}) == "wrong_password"
    actions.drop_own_factor(**arguments)
    assert (fresh(lan.assistant).factor_since, RecoveryCode.objects.count(), SecondFactor.objects.count()) == (
        None,
        0,
        0,
    )
    assert refused(actions.drop_own_factor, **arguments) == "no_factor"


def test_an_owner_takes_it_away_when_the_phone_is_lost(lan):
    with_factor(lan.manager)
    signed_in(lan.manager)
    assert refused(actions.take_factor, username="lan.owner", **told(lan)) == "own_account"
    assert refused(actions.take_factor, username="lan.manager", **told(lan, by=lan.manager)) == "not_allowed"
    assert refused(actions.take_factor, username="lan.manager", **told(lan, reason=" ")) == "no_reason"
    assert refused(actions.take_factor, username="lan.manager", revision=99, **told(lan)) == "changed_meanwhile"
    one = actions.take_factor(username="lan.manager", **told(lan, reason="lost it on the train"))
    assert (one.factor_since, fresh(one).factor_since, SecondFactor.objects.count(), Session.objects.count()) == (
        None,
        None,
        0,
        0,
    )
    assert line("staff.factor_taken").detail == {"reason": "lost it on the train", "sessions": 1}
    assert refused(actions.take_factor, username="lan.manager", **told(lan)) == "no_factor"


def test_of_whom_the_shop_asks_it(lan):
    rule = {"merchant": lan.merchant, "reason": "because", "now": AT, "by": lan.owner}
    assert [queries.factor_asked_of(one) for one in (lan.owner, lan.assistant)] == [False, False]
    assert actions.ask_for_factor(asked="office", **rule)
    assert not actions.ask_for_factor(asked="office", **rule)
    everybody = {one.role: queries.factor_asked_of(fresh(one)) for one in lan[4:]}
    assert [role for role, asked in everybody.items() if not asked] == [Role.ASSISTANT]
    actions.ask_for_factor(asked="all", **rule)
    assert all(queries.factor_asked_of(fresh(one)) for one in lan[4:])
    assert line("shop.factor_asked").detail == {"asked": ["office", "all"], "reason": "because"}
    assert refused(actions.ask_for_factor, asked="some", **rule) == "no_such_rule"
    assert refused(actions.ask_for_factor, asked="nobody", **rule | {"reason": ""}) == "no_reason"
    assert refused(actions.ask_for_factor, asked="nobody", **rule | {"by": lan.manager}) == "not_allowed"
    assert AuditLine.objects.filter(verb="shop.factor_asked").count() == 2


def test_the_next_master_key_makes_what_is_new_and_opens_what_is_old(lan, settings):
    letters, codes = with_factor(lan.owner)
    settings.SHUKE_MASTER_KEY += "," + "5" * 64
    later = AT + timedelta(minutes=1)
    assert [fits(lan.owner, phone(letters, later), later), fits(lan.owner, codes[0], later)] == ["phone", "recovery"]
    actions.begin_factor(staff=lan.owner)
    assert SecondFactor.objects.get().key_number == 2
    later += timedelta(minutes=1)
    assert fits(lan.owner, phone(letters, later), later) == "phone", "sealed anew together with the one to come"


def _tries(pk, code, at, answers):
    from django.db import connections

    answers.put(actions.fits(staff=Staff.objects.get(pk=pk), code=code, at=at))
    connections.close_all()


def test_of_four_at_once_with_one_code_one_gets_in(transactional_db):
    from django.db import connections

    lan = cast.lan()
    letters, codes = with_factor(lan.owner)
    later = AT + timedelta(minutes=1)
    fork = multiprocessing.get_context("fork")
    for code, by in ((phone(letters, later), "phone"), (codes[0], "recovery")):
        connections.close_all()
        answers = fork.Queue()
        tries = [fork.Process(target=_tries, args=(lan.owner.pk, code, later, answers)) for _ in range(4)]
        for one in tries:
            one.start()
        said = sorted(answers.get(timeout=120) for _ in tries)
        for one in tries:
            one.join(timeout=60)
        assert said == ["", "", "", by]
