"""Everything the command line says, in the language of the terminal: Click's words, ours, and the rooms' refusals."""

from __future__ import annotations

import ast
import re
import subprocess
import sys
from collections.abc import Iterator
from contextlib import ExitStack
from pathlib import Path

import click
import pytest

from shuke.doors.cli import click_words, refusals
from shuke.doors.cli.main import COMMANDS
from tests import tables
from tests.doors.cli import program
from tests.doors.cli.program import Program
from tests.doors.cli.test_program import environment
from tests.house.source import ROOT

PLACEHOLDER = re.compile(r"\{(\w+)|%\((\w+)\)")
ENGLISH = re.compile(
    r"[A-Za-z]{2,} (?:[a-z]{2,} ){2,}[a-z]{2,}"
)  # four words in a row are a sentence nobody translated


def texts_of_click() -> set[str]:
    """Every text that the installed Click looks up in its catalogue."""
    found = set()
    for name in click_words.MODULES:
        tree = ast.parse((Path(click.__file__).parent / f"{name}.py").read_text())
        for node in ast.walk(tree):
            if isinstance(node, ast.Call) and getattr(node.func, "id", "") in ("_", "ngettext"):
                found |= {a.value for a in node.args if isinstance(a, ast.Constant) and isinstance(a.value, str)}
    return found


def test_every_text_of_the_installed_click_has_its_chinese():
    assert texts_of_click() - click_words.WORDS.keys() - click_words.OURS_ALONE == set()


def test_the_chinese_asks_for_no_figure_that_click_does_not_give():
    for english, chinese in click_words.WORDS.items():
        assert set(PLACEHOLDER.findall(chinese)) <= set(PLACEHOLDER.findall(english)), english


def without_language(home: Path) -> dict[str, str]:
    named = ("SHUKE_LANGUAGE", "LC_ALL", "LC_MESSAGES", "LANG")
    return {k: v for k, v in environment(home).items() if k not in named}


def said(home: Path, *arguments: str, **terminal: str) -> subprocess.CompletedProcess[str]:
    return subprocess.run(
        [sys.executable, "-m", "shuke", *arguments],
        env=without_language(home) | terminal, capture_output=True, text=True, timeout=120, encoding="utf-8",
    )  # fmt: skip


@pytest.fixture(scope="module")
def home(tmp_path_factory) -> Path:
    home = tmp_path_factory.mktemp("shop")
    tables.put(home / "shuke.sqlite3")
    made = said(home, "init", "--name", "兰记", LANG="en_US.UTF-8")
    assert made.returncode == 0, made.stderr
    return home


@pytest.fixture(scope="module")
def terminals(home) -> Iterator[list[Program]]:
    """Two in Chinese, one by its locale and one against it, and one in English against its locale."""
    told = [
        {"LANG": "zh_CN.UTF-8"},
        {"SHUKE_LANGUAGE": "zh", "LANG": "en_US.UTF-8"},
        {"SHUKE_LANGUAGE": "en", "LANG": "zh_CN.UTF-8"},
    ]
    with ExitStack() as until_the_end:
        yield [until_the_end.enter_context(program.started(without_language(home) | terminal)) for terminal in told]


MISTAKES = {
    "an option there is none of": (["import", "--nope"], 2, "没有 --nope 这个选项", "No such option"),
    "a command there is none of": (["improt"], 2, "没有 improt 这个命令", "No such command"),
    "nothing behind an option": (["import", "--as"], 2, "选项 --as 需要一个值", "requires an argument"),
    "an argument that is missing": (["members", "show"], 2, "缺少参数", "Missing argument"),
    "a word for a number": (["import", "--resume", "x"], 2, "不是有效的数字", "not a valid integer"),
    "a number out of range": (["import", "x", "--max-unpacked", "0"], 2, "不在范围", "not in the range"),
    "a choice there is none of": (["import", "x", "--kind", "y"], 2, "不在可选范围内", "is not one of"),
    "neither files nor an import": (["import"], 2, "请写明", "Say which files"),
    "half a mapping": (["import", "x", "--map", "phone"], 2, "--map", "--map wants"),
    "a file there is none of": (["import", "no.csv"], 1, "找不到文件 no.csv", "There is no file no.csv"),
    "a layout there is none of": (
        ["import", "no.csv", "--as", "ebay"],
        1,
        "没有名为“ebay”的格式",
        "There is no layout",
    ),
    "an import there is none of": (["import", "--undo", "7"], 1, "没有编号为 7 的导入", "There is no import 7"),
    "nothing to go on with": (["import", "--resume", "7"], 1, "导入 7 不存在", "Import 7 does not exist"),
    "another merchant": (["stats", "--merchant", "明德"], 1, "没有名为“明德”的商家", "No merchant is called"),
    "a charter there is none of": (["charter", "validate", "no.yaml"], 3, "no.yaml", "There is no file"),
}


@pytest.mark.parametrize("mistake", MISTAKES)
def test_a_mistake_is_answered_in_the_language_of_the_terminal(terminals, mistake):
    arguments, code, chinese, english = MISTAKES[mistake]
    *in_chinese, in_english = terminals
    for shuke in in_chinese:
        answer = shuke(*arguments)
        assert (answer.returncode, chinese in answer.stderr) == (code, True), answer.stderr
        assert not ENGLISH.search(answer.stderr), answer.stderr
        assert "Traceback" not in answer.stderr
    answer = in_english(*arguments)
    assert (answer.returncode, english in answer.stderr) == (code, True), answer.stderr


@pytest.mark.parametrize("name", ["", *COMMANDS])
def test_help_is_in_chinese_down_to_the_last_line_and_loads_nothing_heavy(name):
    arguments = [name, "--help"] if name else ["--help"]
    answer = said(Path("/nowhere"), *arguments, LC_ALL="zh_CN.UTF-8")
    assert answer.returncode == 0
    assert "用法：" in answer.stdout
    assert "选项:" in answer.stdout
    assert "显示此帮助。" in answer.stdout
    for leftover in ("Usage", "Options", "[OPTIONS]", "COMMAND", "INTEGER", "TEXT", "Show this message", "[default"):
        assert leftover not in answer.stdout
    env = environment(Path("/nowhere")) | {"PYTHONPROFILEIMPORTTIME": "1"}
    told = subprocess.run([sys.executable, "-m", "shuke", *arguments], env=env, capture_output=True, text=True)
    loaded = set(re.findall(r"\|\s+(\w+)", told.stderr))
    assert loaded & {"django", "rich", "numpy", "scipy", "duckdb", "pydantic", "yaml"} == set()


def test_a_usage_error_is_json_for_programs(home):
    answer = said(home, "import", "--json", "--nope", LANG="zh_CN.UTF-8")
    assert answer.returncode == 2
    assert '"exit": 2' in answer.stdout
    assert "没有 --nope 这个选项" in answer.stdout


# ---- refusals of the rooms ----------------------------------------------------------------------------------------


def raised(*places: str) -> dict[str, str]:
    """Sentences of exceptions raised in these modules, with {} for each figure, and where."""
    found = {}
    for place in places:
        base = ROOT / "src/shuke" / place
        for path in sorted(base.rglob("*.py")) if base.is_dir() else [base]:
            for node in ast.walk(ast.parse(path.read_text())):
                if isinstance(node, ast.Call) and ast.unparse(node.func).rpartition(".")[2][:1].isupper():
                    for text in filter(None, map(template, node.args)):
                        if re.search(r"[a-z] .*\.$", text) and "Problem" not in ast.unparse(node.func):
                            found[text] = f"{path.name}:{node.lineno}"
    return found


def template(node: ast.expr) -> str:
    if isinstance(node, ast.Constant):
        return node.value if isinstance(node.value, str) else ""
    if isinstance(node, ast.JoinedStr):
        return "".join(v.value if isinstance(v, ast.Constant) else "{}" for v in node.values)
    return ""


def test_every_refusal_of_imports_has_its_chinese():
    said_there = raised("flows/imports", "flows/undo_import.py", "connect/importers/sources.py", "orders", "shops")
    assert len(said_there) > 8
    assert {text: place for text, place in said_there.items() if text not in refusals.SENTENCES} == {}


ROOMS = {
    "loyalty": (["loyalty", "flows/coupons.py", "flows/checkout"], 9),
    "members": (["members", "flows/merge_members.py", "flows/join.py"], 16),
    "insight": (
        [
            f"engine/insight/{name}.py"
            for name in ("files", "clv/rows", "clv/history", "clv/fit", "clv/bgbb", "clv/spend")
        ],
        15,
    ),
    "charter": (["engine/charter", "flows/publish_charter.py", "flows/simulate_charter.py"], 1),
}


@pytest.mark.parametrize("room", ROOMS)
def test_every_refusal_of_a_room_has_its_chinese(room):
    places, least = ROOMS[room]
    said_there = raised(*places)
    assert len(said_there) >= least
    assert {text: place for text, place in said_there.items() if text not in refusals.SENTENCES} == {}


@pytest.mark.django_db
def test_what_the_night_has_not_made_yet_is_refused_in_one_sentence_by_every_command(shuke, lan):
    for words in (
        "kpi",
        "rfm",
        "value",
        "value-test",
        "profit",
        "goods",
        "growth",
        "cohorts",
        "profiles",
        "word-of-mouth",
    ):
        told = shuke("insight", words)
        assert (told.code, told.err) == (
            1,
            "There are no figures yet: they are made at night. Run `shuke night` to have them now.\n",
        )
    assert "还没有指标" in refusals.in_chinese(told.err.strip())


def test_the_chinese_has_as_many_figures_as_the_english():
    for english, chinese in refusals.SENTENCES.items():
        figures = [str(i) for i in range(english.count("{}"))]
        assert all(figure in chinese.format(*figures) for figure in figures), english


def test_a_sentence_inside_a_sentence_is_translated_too():
    english = "3 orders of import 7 were changed after it (A, B …). Undo the later import 9 first."
    assert refusals.in_chinese(english) == "导入 7 的 3 笔订单此后有变动（A, B 等）。请先撤销之后的导入 9。"
    assert refusals.in_chinese("Nobody has said this.") == "Nobody has said this."
