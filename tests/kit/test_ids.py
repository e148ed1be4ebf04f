"""Ids: unique and ascending, whoever makes them."""

import json
import multiprocessing
import subprocess
import sys

import pytest

from shuke.kit import ids
from shuke.kit.ids import IdMaker, NoFreeProcessNumber
from tests.house.source import ROOT


def test_ids_ascend_and_never_repeat(tmp_path):
    maker = IdMaker(tmp_path)
    made = [*maker.take(10_000), *maker.take(1), *maker.take(10_000)]
    assert made == sorted(set(made))
    assert all(0 < number < 1 << 63 for number in made)


def test_a_clock_that_steps_back_gives_no_id_twice(tmp_path, monkeypatch):
    maker = IdMaker(tmp_path)
    first = list(maker.take(5))
    monkeypatch.setattr(ids.time, "time_ns", lambda: 1_750_000_000_000_000_000)
    assert min(maker.take(5)) > max(first)


def test_processes_and_machines_make_different_ids(tmp_path):
    makers = [IdMaker(tmp_path), IdMaker(tmp_path), IdMaker(tmp_path, machine=3)]
    made = [number for maker in makers for number in maker.take(1000)]
    assert len(set(made)) == 3000


def _made_by_a_fork(maker, answers):
    answers.put(list(maker.take(500)))


def test_a_forked_process_takes_a_number_of_its_own(tmp_path):
    maker = IdMaker(tmp_path)
    before = list(maker.take(500))
    context = multiprocessing.get_context("fork")
    answers = context.Queue()
    child = context.Process(target=_made_by_a_fork, args=(maker, answers))
    child.start()
    forked = answers.get(timeout=20)
    child.join()
    assert len({*before, *forked, *maker.take(500)}) == 1500


def test_the_next_holder_of_a_number_starts_where_the_last_one_ended(tmp_path):
    """A bulk import runs ahead of the clock; a process that takes its number a moment later must not repeat it."""
    code = "import sys, json; from pathlib import Path; from shuke.kit.ids import IdMaker; m = IdMaker(Path(sys.argv[1])); "
    code += "print(json.dumps(list(m.take(200_000))[-3:])); m.settle()"
    command = [sys.executable, "-c", code, str(tmp_path)]
    first, second = (
        json.loads(
            subprocess.run(
                command, capture_output=True, text=True, check=True, cwd=ROOT, env={"PYTHONPATH": "src"}
            ).stdout
        )
        for _ in range(2)
    )
    assert second[0] > first[-1]


def test_the_65th_process_is_refused_with_a_way_out(tmp_path):
    makers = [IdMaker(tmp_path) for _ in range(64)]
    for maker in makers:
        maker.take(1)
    with pytest.raises(NoFreeProcessNumber, match="SHUKE_MACHINE"):
        IdMaker(tmp_path).take(1)


def test_a_machine_number_out_of_range_is_refused(tmp_path):
    with pytest.raises(ValueError, match="0 to 15"):
        IdMaker(tmp_path, machine=16)
