"""docs/algorithms/replay.md is true: its list is replayed under its charter, and every row of its tables is looked up."""

import json
import re
import subprocess
import sys
from datetime import UTC, datetime, timedelta
from zoneinfo import ZoneInfo

import pytest

from shuke.engine.charter import document
from shuke.engine.charter.terms import Terms, Versions
from shuke.engine.replay import lines as reading
from shuke.engine.replay.fields import FAULTS, FIELDS, LinesInvalid
from shuke.engine.replay.reasons import SAY
from shuke.engine.replay.report import report
from shuke.engine.replay.run import Replay
from tests.house.source import ROOT

PAGE = (ROOT / "docs" / "algorithms" / "replay.md").read_text(encoding="utf-8")
ZONE = ZoneInfo("Asia/Shanghai")


def block(kind: str) -> str:
    return re.search(rf"```{kind}\n(.*?)```", PAGE, re.S)[1]


def entries_of(part: object) -> set[str]:
    """Everything a JSON answer says, as “name value”."""
    if isinstance(part, dict):
        found = set()
        for name, value in part.items():
            if not isinstance(value, dict | list):
                found.add(f"{name} {value}")
            elif isinstance(value, list):
                found |= {f"{name} {one}" for one in value if not isinstance(one, dict | list)}
            found |= entries_of(value)
        return found
    return set().union(*map(entries_of, part)) if isinstance(part, list) else set()


@pytest.fixture(scope="module")
def files(tmp_path_factory):
    folder = tmp_path_factory.mktemp("replay")
    (folder / "charter.yaml").write_text(block("yaml"), encoding="utf-8")
    (folder / "events.jsonl").write_text(block("jsonl"), encoding="utf-8")
    return folder


def shuke(*arguments: str) -> subprocess.CompletedProcess:
    return subprocess.run(
        [sys.executable, "-m", "shuke", "charter", "replay", *arguments], capture_output=True, text=True, timeout=300
    )  # fmt: skip


@pytest.fixture(scope="module")
def told(files):
    said = shuke(str(files / "charter.yaml"), str(files / "events.jsonl"), "--until", "2026-06-30", "--json")
    assert said.returncode == 0, said.stderr
    return json.loads(said.stdout)


def table(after: str) -> list[list[str]]:
    text = PAGE[PAGE.index(after) :]
    rows = re.search(r"\n\|.*?\n\|[-|]+\n((?:\|.*\n)+)", text)[1].strip().splitlines()
    return [[cell.strip() for cell in row.strip("|").split("|")] for row in rows]


def test_every_line_gives_what_the_table_says(told):
    for line, points, because in table("What each gave"):
        one = told["events"][int(line) - 1]
        if points == "–":
            assert one["applied"] == []
            if one["event"] != "join":
                assert because.partition(":")[0] == one["inapplicable"][0]["code"]
            continue
        assert sum(a["points"] for a in one["applied"]) == int(points), line
        if one["event"] == "order":
            why = {w["rule"]: w["points"] for w in one["applied"][0]["why"]}
            for rule, figure in re.findall(r"(base|care|welcome|rounding|big) (-?[\d.]+)", because):
                assert why[rule] == figure, (line, rule)
    third = told["events"][2]
    assert ("big", "capped") in [(one["rule"], one["code"]) for one in third["skipped"]]
    assert ("welcome", "not_first") in [(one["rule"], one["code"]) for one in third["inapplicable"]]
    assert third["skipped"][0]["say"] == {"zh": SAY["capped"][1], "en": SAY["capped"][0]}


def test_what_the_clock_did_is_as_the_table_says(told):
    ann = told["members"]["ann"]
    dates = {row[0] for row in table("And between the events")}
    clock = {(e["at"][:10], e["kind"], e["points"]) for e in told["by_the_clock"]}
    assert clock == {("2026-02-11", "timeout", 0), ("2026-04-30", "expire", -300), ("2026-05-31", "expire", -150)}
    assert {"2026-02-11", "2026-05-01", "2026-06-01"} <= dates  # the shop's midnight is the day before in UTC
    moves = [(m["at"][:10], m["after"], m["cause"]) for m in ann["tier_history"]]
    assert moves[1:] == [("2026-01-20", "gold", "reached"), ("2026-04-19", "member", "review")]
    figures = re.search(r"At the end: available (\d+), pending (\d+), held (\d+), debt (\d+); tier (\w+)", PAGE)
    assert [int(x) for x in figures.groups()[:4]] == [ann[k] for k in ("available", "pending", "held", "debt")]
    assert ann["tier"] == figures[5]


def test_the_books_of_a_throw_away_database_print_the_same(files, told, tmp_path, monkeypatch):
    monkeypatch.setenv("SHUKE_HOME", str(tmp_path))
    said = shuke(
        str(files / "charter.yaml"), str(files / "events.jsonl"), "--until", "2026-06-30", "--through-books", "--json"
    )
    assert said.returncode == 0, said.stderr
    assert json.loads(said.stdout) == told
    assert list(tmp_path.iterdir()) == []  # the shop's own home was never touched


def test_it_opens_no_database_and_starts_no_django(files):
    program = (
        "import sys; sys.argv = ['shuke', 'charter', 'replay', *sys.argv[1:], '--json']\n"
        "from shuke.doors.cli.main import cli\n"
        "try: cli(prog_name='shuke')\n"
        "except SystemExit as end: assert not end.code, end.code\n"
        "print([m for m in sys.modules if m.split('.')[0] in ('django', 'sqlite3', 'psycopg')], file=sys.stderr)"
    )
    said = subprocess.run(
        [sys.executable, "-c", program, str(files / "charter.yaml"), str(files / "events.jsonl")],
        capture_output=True, text=True, timeout=300,
    )  # fmt: skip
    assert said.stderr.strip() == "[]"


def replayed(part: str, until: str) -> dict:
    """What is printed of one part of the page, to the end of a day."""
    charter = document.read(block(f"yaml {part}"))
    lines = reading.read(block(f"jsonl {part}").splitlines(), ZONE, charter.currency)
    engine = Replay(Versions([(lines[0].at - timedelta(days=1), Terms(charter, ZONE, 1))]))
    end = datetime.fromisoformat(until).replace(tzinfo=ZONE) + timedelta(days=1)
    return report(lines, engine.run(lines, end.astimezone(UTC)), engine)


@pytest.fixture(scope="module")
def at_the_counter():
    return replayed("counter", "2026-05-31")


@pytest.fixture(scope="module")
def in_the_house():
    return replayed("house", "2026-04-10")


@pytest.fixture(scope="module")
def goods_back():
    return replayed("goods", "2026-03-31")


@pytest.mark.parametrize(
    ("where", "after"),
    [
        ("goods_back", "What each gave (`--until 2026-03-31`)"),
        ("at_the_counter", "What each gave (`--until 2026-05-31`)"),
        ("in_the_house", "What each gave (`--until 2026-04-10`)"),
    ],
)
def test_every_line_gives_what_its_table_says(where, after, request):
    by_line = {one["line"]: one for one in request.getfixturevalue(where)["events"]}
    for line, points, said in table(after):
        one = by_line[int(line)]
        if points == "–":
            assert all(not a.get("points") for a in one["applied"]), line
        else:
            mine = [a for a in one["applied"] if "points" in a and (one["event"] != "transfer" or "member" not in a)]
            assert sum(a["points"] for a in mine) == int(points.replace("−", "-")), line
        code = said.partition(":")[0]
        if code in SAY and not one["applied"] and "priced" not in one:
            assert (one["inapplicable"] or one["skipped"])[0]["code"] == code, line
        told_ = re.findall(r"`([^`]+)`", said)
        there = entries_of(one)
        # A bare word is a name or a code: of a coupon, of a template, of a reason.
        assert {t for t in told_ if " " in t} <= there, (line, said, there)
        assert {t for t in told_ if " " not in t} <= {t.partition(" ")[2] for t in there}, (line, said, there)


def test_at_the_counter_the_clock_and_the_end_are_as_told(at_the_counter):
    told_ = at_the_counter
    clock = [(e["at"][:10], e["member"], e["points"]) for e in told_["by_the_clock"]]
    assert clock == [
        ("2026-03-14", "ann", 40), ("2026-04-30", "ann", -310), ("2026-04-30", "bo", -15),
        ("2026-05-06", "bo", -60), ("2026-05-12", "ann", -15), ("2026-05-13", "ann", -40), ("2026-05-14", "bo", -5),
    ]  # fmt: skip
    ann, bo = told_["members"]["ann"], told_["members"]["bo"]
    assert (ann["available"], ann["tier"], bo["available"], bo["tier"]) == (0, "gold", 5, "member")
    assert (ann["stored_value"]["available_minor"], ann["stored_value"]["bonus_minor"]) == (3600, 600)
    assert [(c["id"], c["state"]) for c in ann["coupons"]] == [("c1", "void"), ("c2", "redeemed")]
    assert [(c["id"], c["state"]) for c in bo["coupons"]] == [("referral-1", "expired")]
    assert [(m["after"], m["cause"]) for m in bo["tier_history"]] == [
        ("member", "joined"), ("gold", "manual"), ("member", "floor_end"),
    ]  # fmt: skip
    assert [(g["gift"], g["state"]) for g in ann["gifts"]] == [
        ("mug", "returned"),
        ("mug", "done"),
        ("mug", "cancelled"),
    ]
    assert bo["brought_by"]["state"] == "rewarded"


def test_in_the_house_the_clock_and_the_end_are_as_told(in_the_house):
    clock = [
        (e["at"][:10], e["member"], e["event"], e.get("coupons", e.get("code"))) for e in in_the_house["by_the_clock"]
    ]
    assert clock == [  # the shop's midnight is the day before in UTC
        ("2026-03-16", "ann", "coupon:birthday", ["birthday-1"]),
        ("2026-04-01", "ann", "coupon:win_back", "member_has_enough"),
    ]
    members, cards = in_the_house["members"], in_the_house["gift_cards"]
    assert {name: end["available"] for name, end in members.items()} == {"ann": 580, "bo": 0, "cy": 89}
    assert members["bo"]["stored_value"]["available_minor"] == 10_000
    assert [b["state"] for b in members["bo"]["benefits"]] == ["undone", "done"]
    assert members["ann"]["family"] == ["ann", "cy"]
    assert {name: (c["state"], c["available_minor"]) for name, c in cards.items()} == {
        "CARD-A": ("active", 3500), "CARD-B": ("redeemed", 0), "CARD-C": ("void", 0),
    }  # fmt: skip


def test_events_of_the_table_are_the_events_there_are():
    named = set(re.findall(r"^\| ((?:`\w+`,? ?)+)", PAGE[PAGE.index("| event |") :], re.M))
    told_ = {name for row in named for name in re.findall(r"`(\w+)`", row)}
    assert told_ == set(FIELDS)


def test_every_kind_of_event_has_an_example():
    examples = [
        json.loads(row) for part in ("jsonl", "jsonl counter", "jsonl house") for row in block(part).splitlines()
    ]
    assert {one["event"] for one in examples} == set(FIELDS)


def test_every_fault_names_what_to_do_in_both_languages():
    for code, (english, chinese) in FAULTS.items():
        assert english != chinese, code
        assert len(english) > 20, code


@pytest.mark.parametrize(
    ("line", "code"),
    [
        ("no json", "not_json"),
        ("[1]", "not_json"),
        ('{"event": "join", "member": "a"}', "no_event"),
        ('{"at": "2026-01-01", "event": "dance"}', "no_such_event"),
        ('{"at": "2026-01-01", "event": "draw", "member": "a", "draw": "w", "id": "d"}', "not_offered"),
        ('{"at": "2026-01-01", "event": "draw_offer", "draw": "w", "seed": "12", "terms": {}}', "bad_field"),
        ('{"at": "2026-01-01", "event": "gift_offer", "gift": "m", "points": 1, "kind": "coupon"}', "missing_field"),
        ('{"at": "2026-01-01", "event": "top_up", "member": "a", "amount": 0, "id": "v"}', "bad_field"),
        ('{"at": "2026-01-02", "event": "referral", "member": "a", "by": "b"}', "unknown_member"),
        ('{"at": "2026-02-01", "event": "order", "member": "a", "order": "1", "tenders": {}}', "tenders_need_lines"),
        ('{"at": "2026-02-01", "event": "order", "member": "a", "order": "1"}', "missing_field"),
        ('{"at": "2026-02-01", "event": "order", "member": "a", "order": "1", "tenders": {"cash": 1}, "lines": [{"amount": 4}]}', "bad_field"),
        ('{"at": "2026-02-01", "event": "order", "member": "a", "order": "1", "paid": 4}\n{"at": "2026-02-02", "event": "return", "order": "1", "lines": [{"line": 1}]}', "no_such_line"),
        ('{"at": "2026-02-01", "event": "order", "member": "a", "order": "1", "paid": 4}\n{"at": "2026-02-02", "event": "return", "order": "1", "amount": 1, "whole": true}', "amount_twice"),
        ('{"at": "2026-02-01", "event": "price", "member": "a", "basket": {"member": {}}}', "member_told_twice"),
        ('{"at": "2026-02-01", "event": "coupon_claim", "member": "a", "id": "c"}', "template_or_code"),
        ('{"at": "2026-02-01", "event": "partner_card", "member": "a", "partner": "bank", "card": "1"}', "not_offered"),
        ('{"at": "2026-02-01", "event": "partner", "partner": "银行", "points": 1, "per": 10}', "bad_field"),
        ('{"at": "2026-02-01", "event": "partner", "partner": "bank", "points": 1, "per": 0}', "bad_field"),
        ('{"at": "2026-02-01", "event": "coupon_codes", "template": "t", "codes": ["abc"]}', "bad_field"),
        ('{"at": "2026-02-01", "event": "coupon_redeem", "member": "a", "id": "c", "basket": {}}', "coupon_or_code"),
        ('{"at": "2026-02-01", "event": "price", "basket": {}, "codes": ["SPRING20"]}', "codes_need_member"),
        ('{"at": "2026-02-01", "event": "price", "member": "a", "basket": {}, "codes": ["20260101123456"]}', "bad_field"),
        ('{"at": "2026-02-01", "event": "card_make", "cards": ["CARD-A", "card a"], "amount": 5}', "offered_twice"),
        ('{"at": "2026-02-01", "event": "family", "family": "f", "members": ["a", "b"]}', "unknown_member"),
        ('{"at": "0001-01-01", "event": "clock"}', "bad_field"),
        ('{"at": "2026-01-01", "event": "join"}', "missing_field"),
        ('{"at": "2026-01-01", "event": "join", "member": "b", "colour": 1}', "unknown_field"),
        ('{"at": "soon", "event": "join", "member": "b"}', "bad_field"),
        ('{"at": "2026-02-01", "event": "order", "member": "a", "order": "1", "paid": -5}', "bad_field"),
        ('{"at": "2026-02-01", "event": "order", "member": "a", "order": "1", "paid": 1.005}', "bad_field"),
        ('{"at": "2026-02-01", "event": "redeem", "member": "a", "id": "x", "points": 1.5}', "bad_field"),
        ('{"at": "2026-02-01", "event": "redeem", "member": "b", "id": "x", "points": 1}', "unknown_member"),
        ('{"at": "2026-01-01", "event": "clock"}\n{"at": "2025-01-01", "event": "redeem", "member": "a", "id": "x", "points": 1}', "unknown_member"),
        ('{"at": "2026-02-01", "event": "return", "order": "9"}', "unknown_order"),
        ('{"at": "2026-03-01", "event": "join", "member": "a"}', "member_twice"),
        ('{"at": "2026-02-01", "event": "order", "member": "a", "order": "1", "paid": 5, "lines": [{"amount": 4, "product": "p"}]}', "lines_differ"),
        ('{"at": "2026-02-01", "event": "order", "member": "a", "order": "1", "paid": 5, "lines": [{"amount": 5, "category": "c"}]}', "missing_field"),
        (
            '{"at": "2026-02-01", "event": "adjust", "member": "a", "id": "x", "points": 1}\n{"at": "2026-02-01", "event": "adjust", "member": "a", "id": "x", "points": 1}',
            "id_twice",
        ),
    ],
)  # fmt: skip
def test_a_faulty_list_is_refused_by_line_and_code(line, code):
    text = ['{"at": "2026-01-01", "event": "join", "member": "a"}', "// a remark", *line.split("\n")]
    with pytest.raises(LinesInvalid) as refused:
        reading.read(text, ZONE, "CNY")
    assert code in {f.code for f in refused.value.faults}
    for fault in refused.value.faults:
        assert fault.line >= 1
        assert fault.say("en") != fault.say("zh")
        assert fault.field or code in ("not_json", "no_event", "no_such_event"), fault


def test_a_refund_larger_than_the_order_takes_nothing():
    charter = document.read(block("yaml"))
    text = [
        '{"at": "2026-01-01", "event": "join", "member": "a"}',
        '{"at": "2026-01-02", "event": "order", "member": "a", "order": "1", "paid": 50}',
        '{"at": "2026-01-03", "event": "return", "order": "1", "amount": 50.01}',
        '{"at": "2026-01-04", "event": "return", "order": "1", "amount": 30}',
        '{"at": "2026-01-05", "event": "return", "order": "1", "amount": 30}',
        '{"at": "2026-01-06", "event": "return", "order": "1"}',
        '{"at": "2026-01-07", "event": "return", "order": "1"}',
    ]
    lines = reading.read(text, ZONE, "CNY")
    engine = Replay(Versions([(lines[0].at, Terms(charter, ZONE, 1))]))
    told = report(lines, engine.run(lines), engine)["events"]
    codes = [e["inapplicable"][0]["code"] if e["event"] == "return" and e["inapplicable"] else "" for e in told[2:]]
    assert codes == ["more_than_paid", "", "more_than_paid", "", "more_than_paid"]


def test_a_fault_tells_money_as_the_list_does():
    order = '{"at": "2026-02-01", "event": "order", "member": "a", "order": "1", "paid": 5, "lines": [{"amount": 4, "product": "p"}]}'
    with pytest.raises(LinesInvalid) as refused:
        reading.read(['{"at": "2026-01-01", "event": "join", "member": "a"}', order], ZONE, "CNY")
    assert (
        refused.value.faults[0].say("en")
        == "Line 2: the lines add up to ¥4.00, but ¥5.00 was paid for goods; mend one of them."
    )
