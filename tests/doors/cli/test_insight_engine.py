"""`shuke insight engine`: where the analyses run, and when that should change."""

import sys

import pytest

from shuke.engine.insight.port_estimate import Machine
from shuke.insight.queries import analytics
from tests.insight.till import member, sell

pytestmark = pytest.mark.django_db


def test_it_says_where_the_analyses_run_and_that_the_engine_answers(lan, shuke):
    sell(lan, member(lan, "梅"), "2026-03-01")
    told = shuke("insight", "engine", "--ask", "--json").json
    assert (told["engine"], told["hand_over"], told["answers"]) == ("duckdb", False, True)
    assert told["size"] == {"orders": 1, "lines": 1, "members": 1, "fresh": True}
    assert "This machine suits the history." in shuke("insight", "engine").out


def test_a_history_too_large_for_the_machine_is_told_with_reasons_and_the_doctor_looks_too(lan, shuke, monkeypatch):
    sell(lan, member(lan, "梅"), "2026-03-01")
    tiny = Machine(cores=1, memory=0, free_disk=100, window=0, spill=1 << 30)
    monkeypatch.setattr(analytics, "Machine", lambda **_asked: tiny)
    said = shuke("insight", "engine").out
    assert "more than half of the free disk" in said
    assert "longer than" in said
    finding = next(f for f in shuke("doctor", "--json").json["findings"] if f["what"] == "analyses")
    assert finding["state"] == "look"
    assert "SHUKE_ANALYTICS" in finding["detail"]


def test_a_cluster_without_its_package_is_told_before_the_night(lan, shuke, monkeypatch, settings):
    settings.SHUKE_ANALYTICS = "spark://nowhere:7077"
    monkeypatch.setitem(sys.modules, "pyspark", None)
    monkeypatch.setitem(sys.modules, "pyspark.errors", None)
    answer = shuke("insight", "engine", "--ask")
    assert answer.code == 3
    assert "pip install" in answer.out + answer.err
