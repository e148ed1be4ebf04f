"""Telling an engine to stop, from another thread: a page's time is up, or nobody waits any more."""

import threading

import pytest

from shuke.engine.insight import port

ENDLESS = "SELECT COUNT(*) FROM range(10000000) a, range(10000000) b WHERE a.range % 7 = b.range % 5"


def test_what_runs_ends_when_it_is_cancelled_and_nothing_runs_afterwards(monkeypatch):
    monkeypatch.setattr(port, "text_of", lambda _name: ENDLESS)
    with port.Engine() as engine:
        timer = threading.Timer(0.1, engine.cancel)
        timer.start()
        with pytest.raises(port.EngineStopped, match="cohorts was stopped"):
            engine.run("cohorts")
        timer.join()
        with pytest.raises(port.EngineStopped):
            engine.keep("days")
