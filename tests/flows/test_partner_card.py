"""Co-branded cards: a partner's spend file earns for whom its tokens say, and for nobody else; and all the ways back."""

import csv
from datetime import date, timedelta
from pathlib import Path
from types import SimpleNamespace

import pytest
from django.db import IntegrityError, transaction

from shuke.engine.partner_cards.terms import Terms, rules_of
from shuke.flows import partner_card as flow
from shuke.kit.tabular import TabularError
from shuke.loyalty import queries
from shuke.loyalty.actions import Ask, ask
from shuke.loyalty.actions import partner_cards as cards
from shuke.loyalty.actions.partner_cards import CardRefused
from shuke.loyalty.models import CardFile, CardLine, CardMove, CardStatement, Lot, PartnerCard
from shuke.loyalty.queries import as_of, card_statements
from shuke.loyalty.queries import partner_cards as stored
from shuke.members.models import Member, MemberState, TimelineLine
from tests.connect.importers.making import xlsx_file
from tests.loyalty.books import member, publish
from tests.loyalty.partners import NOW, PLAIN

HASHES = [f"{n:x}" * 32 for n in range(1, 6)]
HEADER = ("卡标识", "交易金额", "交易日期", "流水号", "MCC", "原流水号")
SINCE = date(2025, 1, 1)
DAY = timedelta(days=1)
TERMS = Terms(SINCE, points=1, per_minor=1000, price_micro=800_000)
PAN = "4111111111111111"


def programme(merchant, key="bank", terms=TERMS, **more):
    told = {"key": key, "name": "银行联名卡", "issuer": "某银行", "token_kind": "hash"} | more
    made = cards.save_programme(merchant=merchant, now=NOW, actor="owner", **told)
    if terms:
        cards.set_terms(merchant=merchant, programme=key, terms=terms, now=NOW, actor="owner")
    return made


def bind(merchant, who, token, since=SINCE, key="bank", now=NOW):
    return cards.bind(merchant=merchant, programme=key, member_id=who, token=token, since=since, now=now, actor="till")


def write(path, rows, header=HEADER):
    with open(path, "w", encoding="utf-8", newline="") as file:
        csv.writer(file).writerows([header, *rows])
    return path


def take(merchant, path, now=NOW, key="bank"):
    return flow.take_file(merchant=merchant, programme=key, path=path, name=path.name, now=now, actor="owner")


def undo(merchant, file, now=NOW):
    return cards.undo_file(merchant=merchant, file_id=file.pk, now=now, actor="owner")


def held(merchant, who, now=NOW):
    return queries.balance(merchant, who, now).available


def fine(merchant):
    assert queries.verify(merchant).findings == []


@pytest.fixture
def bank(lan):
    publish(lan.merchant, PLAIN)
    programme(lan.merchant)
    people = [member(lan.merchant, n) for n in (1, 2)]
    for who, token in zip(people, HASHES, strict=False):
        bind(lan.merchant, who, token)
    return lan.merchant, *people


ROWS = [
    (HASHES[0], "128.50", "2025-01-10", "R1"),
    (HASHES[0].upper(), "9.99", "2025-01-11", "R2"),
    (HASHES[1], "1,000", "2025/01/12 13:05:00", "R3"),
    (HASHES[3], "50", "2025-01-12", "R4"),
    (HASHES[0], "-28.50", "2025-01-13", "R1"),
    (PAN, "30", "2025-01-12", "R6"),
    (HASHES[0], "30", "2024-12-31", "R7"),
    (HASHES[0], "30", "2026-01-01", "R8"),
    ("n/a?", "30", "2025-01-12", "R9"),
    (HASHES[0], "thirty", "2025-01-12", "R10"),
    (HASHES[0], "30", "yesterday", "R11"),
    (HASHES[0], "-7", "2025-01-12", "R12", "", "R99"),
]
CODES = ["clear_number", "no_agreement", "in_future", "bad_token", "bad_money", "not_a_date", "no_original"]
WHOLE = stored.Tally(earned=2, nothing=1, reversed=1, unmatched=1, rejected=7, points=112, taken=2)


def test_every_row_earns_takes_back_waits_or_says_why_not(bank, tmp_path):
    merchant, ann, bo = bank
    path = write(tmp_path / "jan.csv", ROWS)
    seen = flow.preview(merchant, "bank", path, path.name, NOW)
    assert (seen.tally, seen.members) == (WHOLE, 2)
    assert not CardFile.objects.exists()
    told = take(merchant, path)
    assert told.tally == WHOLE
    assert (held(merchant, ann), held(merchant, bo)) == (10, 100)
    assert [line.code for line in stored.rejects(told.file)] == CODES
    lines = {(line.kind, line.member_id): line.body for line in TimelineLine.objects.filter(kind__startswith="points.card")}  # fmt: skip
    assert lines["points.card_partner", ann] == {"name": "银行联名卡", "points": 12}
    assert lines["points.card_returned", ann] == {"name": "银行联名卡", "points": 2}
    fine(merchant)


def test_rejected_rows_come_back_with_row_column_and_reason_and_can_be_sent_again(bank, tmp_path):
    merchant, ann, _ = bank
    told = take(merchant, write(tmp_path / "jan.csv", ROWS))
    flow.write_rejects(tmp_path / "back.csv", told.file, "zh")
    rows = list(csv.reader((tmp_path / "back.csv").open(encoding="utf-8-sig")))
    assert rows[0] == [*HEADER, "shuke:row", "shuke:column", "shuke:reason"]
    money = next(row for row in rows if "thirty" in row)
    assert money[6:] == ["11", "交易金额", "“thirty”不是金额。"]
    money[1] = "30"
    with (tmp_path / "back.csv").open("w", encoding="utf-8", newline="") as file:
        csv.writer(file).writerows([rows[0], money])
    assert take(merchant, tmp_path / "back.csv").tally == stored.Tally(earned=1, points=3)
    assert held(merchant, ann) == 13


def test_the_same_file_twice_changes_nothing_and_neither_do_its_rows_in_another(bank, tmp_path):
    merchant, ann, bo = bank
    first = take(merchant, write(tmp_path / "jan.csv", ROWS))
    again = take(merchant, tmp_path / "jan.csv")
    assert (again.file.pk, again.replayed, again.tally) == (first.file.pk, True, first.tally)
    rows = [*reversed(ROWS[:5]), (HASHES[1], "20", "2025-01-13", "R12"), (HASHES[1], "999", "2025-01-12", "R3")]
    more = take(merchant, write(tmp_path / "more.csv", rows))
    assert more.tally == stored.Tally(earned=1, same=5, rejected=1, points=2)
    assert [line.code for line in stored.rejects(more.file)] == ["other_before"]
    assert (held(merchant, ann), held(merchant, bo)) == (10, 102)


def test_without_references_two_equal_coffees_are_two(bank, tmp_path):
    merchant, ann, _ = bank
    coffee, back = (HASHES[0], "10", "2025-01-10", ""), (HASHES[0], "-10", "2025-01-11", "")
    assert take(merchant, write(tmp_path / "a.csv", [coffee, coffee])).tally.points == 2
    more = take(merchant, write(tmp_path / "b.csv", [back, coffee, coffee, coffee])).tally
    assert more == stored.Tally(earned=1, same=2, reversed=1, points=1, taken=1)
    assert held(merchant, ann) == 2


def test_what_comes_back_later_is_taken_back_and_owed_where_it_was_spent(bank, tmp_path):
    merchant, _, bo = bank
    take(merchant, write(tmp_path / "jan.csv", ROWS))
    ask(merchant=merchant, asks=[Ask("tea", "burn", bo, 80)], now=NOW + DAY, actor="till")
    later = NOW + 2 * DAY
    back = write(tmp_path / "feb.csv", [(HASHES[1], "-600", "2025-01-20", "V1", "", "R3")])
    assert take(merchant, back, now=later).tally == stored.Tally(reversed=1, taken=60)
    assert (held(merchant, bo, later), queries.balance(merchant, bo, later).debt) == (0, 40)
    too_much = write(tmp_path / "mar.csv", [(HASHES[1], "-600", "2025-01-21", "V2", "", "R3")])
    assert stored.lines(take(merchant, too_much, now=later).file)[0].code == "too_much"
    fine(merchant)


def test_taking_a_file_back_takes_what_it_gave_and_it_can_come_again(bank, tmp_path):
    merchant, ann, bo = bank
    file = take(merchant, write(tmp_path / "jan.csv", ROWS)).file
    ask(merchant=merchant, asks=[Ask("tea", "burn", bo, 30)], now=NOW + DAY, actor="till")
    later = NOW + 2 * DAY
    assert undo(merchant, file, later) == 5
    assert held(merchant, ann, later) == 0
    assert queries.balance(merchant, bo, later).debt == 30  # spent meanwhile: owed, as after a refund
    with pytest.raises(CardRefused, match="already"):
        undo(merchant, file, later)
    again = take(merchant, tmp_path / "jan.csv", now=later)
    assert (again.replayed, again.file.pk != file.pk, again.tally) == (False, True, WHOLE)
    assert (held(merchant, ann, later), held(merchant, bo, later)) == (10, 70)
    fine(merchant)


def test_undoing_a_file_of_returns_gives_again_and_files_are_undone_latest_first(bank, tmp_path):
    merchant, _, bo = bank
    spent = take(merchant, write(tmp_path / "jan.csv", ROWS[2:3])).file
    back = take(merchant, write(tmp_path / "feb.csv", [(HASHES[1], "-600", "2025-01-20", "V1", "", "R3")])).file
    assert held(merchant, bo) == 40
    with pytest.raises(CardRefused) as told:
        undo(merchant, spent)
    assert (told.value.code, str(back.pk) in told.value.say("zh")) == ("reversed_by", True)
    undo(merchant, back)
    assert held(merchant, bo) == 100
    undo(merchant, spent)
    assert held(merchant, bo) == 0
    assert sum(CardMove.objects.values_list("points", flat=True)) == 0
    fine(merchant)


def test_the_month_s_limit_and_categories(lan, tmp_path):
    merchant = lan.merchant
    publish(merchant, PLAIN)
    programme(merchant, terms=TERMS._replace(month_most=20, rules=rules_of("5411=2; 6011=0")))
    ann = member(merchant, 1)
    bind(merchant, ann, HASHES[0])
    rows = [
        (HASHES[0], "50", "2025-01-10", "R1", "5411"), (HASHES[0], "90", "2025-01-10", "R2", "6011"),
        (HASHES[0], "70", "2025-01-10", "R3", "5999"), (HASHES[0], "90", "2025-01-10", "R4", "5999"),
    ]  # fmt: skip
    assert take(merchant, write(tmp_path / "a.csv", rows)).tally == stored.Tally(earned=3, nothing=1, points=20)
    # 26 were due, 20 given: of what comes back only what then is missing goes.
    back = [(HASHES[0], "-50", "2025-01-11", "V1", "", "R1")]
    assert take(merchant, write(tmp_path / "b.csv", back)).tally == stored.Tally(reversed=1, taken=4)
    assert held(merchant, ann) == 16
    fine(merchant)


def test_what_waits_is_matched_later(bank, tmp_path):
    merchant, ann, bo = bank
    rows = [(HASHES[3], "50", "2025-01-12", "R4"), (HASHES[3], "70", "2025-01-14", "R5"), (HASHES[4], "95", "2025-01-14", "R6")]  # fmt: skip
    take(merchant, write(tmp_path / "a.csv", rows))
    take(merchant, write(tmp_path / "b.csv", [(HASHES[3], "-30", "2025-01-15", "V", "", "R5")]))
    first, second = stored.waiting(merchant)
    assert (first.rows, first.amount_minor, first.shown, second.rows) == (1, 9500, "5555", 2)
    card, count = cards.match(merchant=merchant, line_id=second.number, member_id=bo, now=NOW, actor="owner")
    assert (count, card.since, held(merchant, bo)) == (2, date(2025, 1, 12), 9)
    # Bound at the counter: what waited since that day earns at once.
    bind(merchant, ann, HASHES[4], since=date(2025, 1, 14))
    assert (held(merchant, ann), stored.waiting(merchant)) == (9, [])
    with pytest.raises(CardRefused, match="waits"):
        cards.match(merchant=merchant, line_id=second.number, member_id=bo, now=NOW, actor="owner")
    assert take(merchant, write(tmp_path / "c.csv", reversed(rows))).tally == stored.Tally(same=3)
    fine(merchant)


def test_masked_numbers_that_fit_two_members_wait_until_somebody_says(lan, tmp_path):
    merchant = lan.merchant
    publish(merchant, PLAIN)
    programme(merchant, key="tel", token_kind="masked")
    ann, bo = (member(merchant, n) for n in (1, 2))
    bind(merchant, ann, "6222 02** **** 1234", key="tel")
    path = write(tmp_path / "a.csv", [("622202******1234", "10", "2025-01-10", "R1")])
    assert take(merchant, path, key="tel").tally.points == 1
    bind(merchant, bo, "622202xxxxxx1234", key="tel")
    path = write(tmp_path / "b.csv", [("622202******1234", "10", "2025-01-11", "R2")])
    assert take(merchant, path, key="tel").tally.unmatched == 1
    (waiting,) = stored.waiting(merchant)
    assert waiting.members == [ann, bo]
    cards.match(merchant=merchant, line_id=waiting.number, member_id=bo, now=NOW, actor="owner")
    assert (held(merchant, ann), held(merchant, bo)) == (1, 1)
    card = PartnerCard.objects.get(member_id=bo)
    cards.unbind(merchant=merchant, member_id=bo, card_id=card.pk, on=date(2025, 1, 12), now=NOW, actor="till")
    path = write(tmp_path / "c.csv", [("622202******1234", "10", "2025-01-13", "R3")])
    assert take(merchant, path, key="tel").tally.points == 1
    assert held(merchant, ann) == 2
    fine(merchant)


def test_a_run_that_was_killed_goes_on(bank, tmp_path, monkeypatch):
    merchant, ann, _ = bank
    rows = [(HASHES[0], "10", "2025-01-10", f"R{n}") for n in range(25)]
    path = write(tmp_path / "jan.csv", rows)
    monkeypatch.setattr(flow, "AT_ONCE", 10)
    real, calls = cards.take_rows, []

    def dies(**told):
        calls.append(1)
        if len(calls) == 2:
            raise KeyboardInterrupt
        return real(**told)

    monkeypatch.setattr(cards, "take_rows", dies)
    with pytest.raises(KeyboardInterrupt):
        take(merchant, path)
    half = CardFile.objects.get()
    assert (held(merchant, ann), half.state) == (10, "running")
    with pytest.raises(
        CardRefused, match="send the very same file"
    ):  # it came from a terminal, not through the console
        flow.take_kept(merchant=merchant, file_id=half.pk, now=NOW, actor="owner")
    assert take(merchant, path).tally.earned == 25
    assert held(merchant, ann) == 25


def test_a_file_put_aside_is_looked_at_and_taken_or_forgotten(bank, tmp_path, settings):
    merchant, ann, _ = bank
    settings.SHUKE_HOME = tmp_path
    told = {"merchant": merchant, "programme": "bank", "name": f"{PAN}.csv", "now": NOW, "actor": "owner"}
    path = write(tmp_path / "jan.csv", ROWS)
    file = flow.keep(path=path, **told)
    assert flow.keep(path=path, **told).pk == file.pk
    assert (file.state, flow.rows_kept(file), flow.preview_kept(file, NOW).tally) == ("waiting", 12, WHOLE)
    assert [p.name for p in tmp_path.rglob("card-*")] == [Path(file.kept).name]
    assert PAN not in (tmp_path / file.kept).read_text() + file.name
    flow.discard(merchant=merchant, file_id=file.pk)
    assert (CardFile.objects.count(), list(tmp_path.rglob("card-*"))) == (0, [])
    file = flow.keep(path=path, **told)
    assert flow.take_kept(merchant=merchant, file_id=file.pk, now=NOW, actor="owner").tally == WHOLE
    assert (held(merchant, ann), list(tmp_path.rglob("card-*"))) == (10, [])
    assert flow.take_kept(merchant=merchant, file_id=file.pk, now=NOW, actor="owner").replayed
    for call in (lambda: flow.discard(merchant=merchant, file_id=file.pk), lambda: flow.discard(merchant=merchant, file_id=5)):  # fmt: skip
        with pytest.raises(CardRefused):
            call()


def test_the_worker_takes_a_large_file(bank, tmp_path, settings):
    merchant, ann, _ = bank
    settings.SHUKE_HOME = tmp_path
    file = flow.keep(merchant=merchant, programme="bank", path=write(tmp_path / "a.csv", ROWS), name="a", now=NOW, actor="o")  # fmt: skip
    flow.take_later(file=file, actor="owner", now=NOW)
    flow.run_take(SimpleNamespace(merchant_id=merchant.pk, arguments={"file_id": file.pk, "actor": "owner"}))
    file.refresh_from_db()
    assert (file.state, held(merchant, ann, NOW + 400 * DAY) >= 0) == ("done", True)


def test_columns_of_a_workbook_with_unusual_headers_are_told_once(bank, tmp_path):
    merchant, *_ = bank
    rows = (["某银行 2025 年 1 月"], [], ["K", "Betrag", "Tag", "kind"], [HASHES[0], 12850, 20250110, "消费"], [HASHES[0], 2850, 20250111, "退货"], [HASHES[1], 1, 20250111, "?"])  # fmt: skip
    xlsx_file(tmp_path / "a.xlsx", rows)
    with pytest.raises(CardRefused) as told:
        take(merchant, tmp_path / "a.xlsx")
    assert (told.value.code, told.value.layout.missing) == ("no_columns", ("token", "amount", "spent_on"))
    assert flow.sample(merchant, tmp_path / "a.xlsx", told.value.layout)[0][1] == "12850"
    told = {"token": "k", "amount": "betrag", "spent_on": "Tag", "kind": "kind"}
    cards.remember_columns(merchant=merchant, programme="bank", columns=told, now=NOW, actor="owner")
    programme(merchant, in_minor=True, terms=None)
    done = take(merchant, tmp_path / "a.xlsx")
    assert done.tally == stored.Tally(earned=1, reversed=1, rejected=1, points=12, taken=2)
    assert flow.rejects(done.file, "en")[1][4:6] == ["6", "kind"]
    (tmp_path / "b.csv").write_text("nothing")
    with pytest.raises(TabularError):
        take(merchant, tmp_path / "b.csv")


def test_what_the_partner_owes_is_closed_once_and_the_same_bytes_for_ever(bank, tmp_path):
    merchant, *_ = bank
    take(merchant, write(tmp_path / "jan.csv", ROWS))
    later = NOW + 30 * DAY
    told = {"merchant": merchant, "programme": "bank", "actor": "owner"}
    first = cards.close(until=NOW + DAY, now=later, **told)
    assert (first.statement.due_minor, first.statement.document["carry_micro"]) == (88, 0)
    assert [(x["kind"], x["points"], x["minor"]) for x in first.statement.document["lines"]] == [("given", 112, 90), ("reversed", -2, -2)]  # fmt: skip
    files = card_statements.files(first.statement)
    assert list(files) == ["bank-001.json", "bank-001.csv"]
    assert b"5555" not in files["bank-001.csv"]
    assert b"1111" in files["bank-001.csv"]
    undo(merchant, CardFile.objects.get(), later)
    assert card_statements.files(first.statement) == files
    again = cards.close(until=NOW + DAY, now=later + DAY, **told)
    assert (again.replayed, again.statement.pk) == (True, first.statement.pk)
    second = cards.close(until=later + DAY, now=later + DAY, **told)
    assert (second.statement.number, second.statement.due_minor) == (2, -88)
    for code, until in (("not_over", later + 9 * DAY), ("closed_later", NOW + 2 * DAY)):
        with pytest.raises(CardRefused) as refused:
            cards.close(until=until, now=later + DAY, **told)
        assert refused.value.code == code
    fine(merchant)
    for change in (
        lambda: CardStatement.objects.filter(number=1).update(due_minor=0),
        lambda: CardMove.objects.filter(statement=first.statement).update(points=1),
        lambda: CardMove.objects.first().delete(),
        lambda: CardMove.objects.filter(statement=first.statement).update(statement=second.statement),
    ):
        with pytest.raises(IntegrityError), transaction.atomic():
            change()


def test_verify_finds_what_was_meddled_with(bank, tmp_path):
    merchant, *_ = bank
    file = take(merchant, write(tmp_path / "jan.csv", ROWS)).file
    CardLine.objects.filter(file=file, state="earned").update(points=7)
    assert {f.invariant for f in queries.verify(merchant).findings} == {"I16"}


def test_lots_know_who_pays_for_them(bank, tmp_path):
    merchant, *_ = bank
    own = programme(merchant, key="own", terms=TERMS._replace(price_micro=0))
    take(merchant, write(tmp_path / "jan.csv", ROWS))
    bind(merchant, Member.objects.get(card="00000001").pk, HASHES[2], key="own")
    take(merchant, write(tmp_path / "own.csv", [(HASHES[2], "50", "2025-01-10", "R1")]), key="own")
    bank_pays = stored.programme(merchant, "bank").pk
    assert set(Lot.objects.values_list("funder", flat=True)) == {bank_pays, None}
    assert own.pk != bank_pays
    parts = {part.key: part.points for part in as_of.as_of(merchant, NOW + DAY).by_funder}
    assert parts == {bank_pays: 110, None: 5}


def test_terms_are_for_what_comes_and_begin_with_a_month(bank, tmp_path):
    merchant, *_ = bank
    take(merchant, write(tmp_path / "jan.csv", ROWS[:1]))
    for code, terms in (
        ("terms_late", TERMS._replace(starts=date(2025, 1, 1))),
        ("terms_month", TERMS._replace(starts=date(2025, 2, 2))),
        ("terms_invalid", TERMS._replace(starts=date(2025, 2, 1), points=0)),
    ):
        with pytest.raises(CardRefused) as told:
            cards.set_terms(merchant=merchant, programme="bank", terms=terms, now=NOW, actor="o")
        assert told.value.code == code
    for points in (5, 3):
        cards.set_terms(merchant=merchant, programme="bank", terms=TERMS._replace(starts=date(2025, 1, 1) + 31 * DAY, points=points), now=NOW, actor="o")  # fmt: skip
    assert [t.points for t in stored.terms(stored.programme(merchant, "bank"))] == [1, 3]
    with pytest.raises(CardRefused, match="cannot end"):
        programme(merchant, terms=None, ends_on=date(2025, 1, 10))
    programme(merchant, terms=None, ends_on=date(2025, 1, 12))
    assert take(merchant, write(tmp_path / "b.csv", [(HASHES[0], "30", "2025-01-12", "R8")])).tally.rejected == 1


def test_refusals(bank, lan):
    merchant, ann, bo = bank
    gone = member(merchant, 9, state=MemberState.FORGOTTEN)
    cases = [
        ("clear_number", lambda: bind(merchant, ann, "6222 0202 0011 2233 445")),
        ("bad_token", lambda: bind(merchant, ann, "short")),
        ("token_taken", lambda: bind(merchant, bo, HASHES[0])),
        ("no_such_member", lambda: bind(merchant, gone, HASHES[3])),
        ("no_such_programme", lambda: bind(merchant, bo, HASHES[0], key="none")),
        ("no_such_programme", lambda: take(merchant, Path("x"), key="none")),
        ("changed", lambda: programme(merchant, token_kind="masked", terms=None)),
        ("programme_invalid", lambda: programme(merchant, key="x y", terms=None)),
        ("programme_invalid", lambda: programme(merchant, key="x", name=" ", terms=None)),
        ("programme_invalid", lambda: programme(merchant, key="x", columns={"pan": "a"}, terms=None)),
        ("no_such_file", lambda: undo(merchant, SimpleNamespace(pk=5))),
        ("no_such_card", lambda: cards.unbind(merchant=merchant, member_id=bo, card_id=5, on=SINCE, now=NOW, actor="o")),
    ]  # fmt: skip
    for code, call in cases:
        with pytest.raises(CardRefused) as told:
            call()
        assert told.value.code == code
        assert "{" not in told.value.say("zh") + told.value.say("en")
    assert bind(merchant, ann, HASHES[0]).pk == PartnerCard.objects.get(member_id=ann).pk


def test_without_a_charter_nothing_is_begun(lan, tmp_path):
    programme(lan.merchant)
    with pytest.raises(CardRefused, match="charter"):
        take(lan.merchant, write(tmp_path / "a.csv", ROWS))
    assert not CardFile.objects.exists()


def test_a_file_that_was_looked_at_and_not_taken_is_forgotten_after_a_week(bank, tmp_path, settings):
    settings.SHUKE_HOME = tmp_path / "home"
    merchant, told = bank[0], {"programme": "bank", "actor": "owner"}
    old = flow.keep(merchant=merchant, path=write(tmp_path / "a.csv", ROWS), name="a", now=NOW, **told)
    new = flow.keep(merchant=merchant, path=write(tmp_path / "b.csv", ROWS[:2]), name="b", now=NOW + 5 * DAY, **told)
    assert flow.forget_waiting(merchant=merchant, now=NOW + 7 * DAY) == 0
    assert flow.forget_waiting(merchant=merchant, now=NOW + 8 * DAY) == 1
    assert not (tmp_path / "home" / old.kept).exists()
    assert CardFile.objects.get().pk == new.pk
    assert flow.preview_kept(new, NOW + 8 * DAY).tally.earned == 1
    take(merchant, write(tmp_path / "b.csv", ROWS[:2]))
    assert flow.forget_waiting(merchant=merchant, now=NOW + 90 * DAY) == 0
