"""A page of docs/algorithms whose tables nobody executes becomes untrue: every page is read, or told row by row, by a test."""

import re

import pytest

from tests.house.source import ROOT

PAGES = sorted(path.stem for path in (ROOT / "docs" / "algorithms").glob("*.md"))
# About people and files, not about figures: their rows are stories, each in a test of its own.
STORIES = {"charter": "engine/charter/test_document.py", "import-layouts": "connect/importers"}


@pytest.fixture(scope="module")
def texts() -> list[str]:
    return [path.read_text(encoding="utf-8") for path in (ROOT / "tests").rglob("test_*.py")]


@pytest.mark.parametrize("name", PAGES)
def test_a_test_stands_behind_every_page(name, texts):
    if name in STORIES:
        assert (ROOT / "tests" / STORIES[name]).exists()
        return
    reads = re.compile(rf'\btable\("{name}"|\b{name}\.md')
    assert any(reads.search(text) for text in texts), "give it a worked table, and read that in a test (worked.table)"
