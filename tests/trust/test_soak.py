"""`make soak` leaves nothing out, and docs/soak.md says of each harness how large it is and when it last ran."""

from tests.house.source import ROOT
from tests.trust import soak


def test_every_harness_is_in_the_soak():
    mine = {f"tests/trust/{file.name}" for file in (ROOT / "tests" / "trust").glob("test_*.py")}
    mine -= {"tests/trust/test_soak.py", "tests/trust/test_mutants.py"}
    run = [test for harness in soak.HARNESSES for test in harness.tests]
    assert mine <= set(run)
    assert all((ROOT / test).exists() for test in run)
    races = {str(file.relative_to(ROOT)) for file in (ROOT / "tests" / "loyalty").glob("test_*races.py")}
    assert races <= set(run)


def test_every_harness_has_its_line_on_the_page():
    page = (ROOT / "docs" / "soak.md").read_text(encoding="utf-8").splitlines()
    told = [line.split("|")[1].strip() for line in page if line.startswith("| ")]
    assert told[1:] == [harness.name for harness in soak.HARNESSES] + ["mutants"]
