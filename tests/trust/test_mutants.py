"""The tests are tested: faults planted in the ledger must be noticed (T7). `make soak` plants them all."""

import os

import pytest

from tests import tables
from tests.trust.mutants import MUTANTS, QUICK, ROOT, verdict

# The faults are the same whatever keeps the books: once is enough.
pytestmark = pytest.mark.skipif(bool(os.environ.get("DATABASE_URL")), reason="planted on SQLite")
BY_NAME = {mutant.name: mutant for mutant in MUTANTS}


def test_there_are_at_least_thirty_and_each_can_be_planted():
    assert len(BY_NAME) == len(MUTANTS) >= 30
    for mutant in MUTANTS:
        text = (ROOT / "src" / "shuke" / mutant.path).read_text(encoding="utf-8")
        assert text.count(mutant.old) == 1, mutant.name


@pytest.mark.django_db
@pytest.mark.parametrize("name", QUICK)
def test_a_planted_fault_is_noticed(name, tmp_path):
    tables.copy(tmp_path / "tables.sqlite3")
    assert verdict(BY_NAME[name], tmp_path / "tables.sqlite3") == "caught"
