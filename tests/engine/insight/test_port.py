import subprocess
import sys
from pathlib import Path

import numpy as np
import pytest

from shuke.engine.insight import port
from tests.engine.insight.made_up import kept_rows, made_up

SRC = Path(port.__file__).parents[3]


def heads(**columns) -> dict[str, np.ndarray]:
    length = len(next(iter(columns.values())))
    kinds = {"BIGINT": np.int64, "INTEGER": np.int32}
    return {
        name: np.array(columns.get(name, [0] * length), dtype=kinds[kind])
        for name, kind in port.TABLES["heads"].items()
    }


NOBODY = {
    "member": np.array([], dtype=np.int64),
    "joined": np.array([], dtype=np.int32),
    "home_store": np.array([], dtype=np.int64),
}


@pytest.mark.parametrize("net", [1, 127, 128, 255, 256, 32_767, 32_768, 65_536, 2**31, 2**32, 2**53 + 1])
def test_sums_of_money_are_exact_whatever_bytes_they_would_fit_in(net):
    """The engine once answered -128 for 0 + 128 (see _DISTRUSTED in port.py)."""
    with port.Engine() as engine:
        engine.table("heads", heads(order_id=[1, 2], day=[100, 100], month=[3, 3], net=[0, net], counted=[1, 1]))
        engine.table("members", NOBODY)
        assert engine.run("months", as_of=200)["net_sum"].tolist() == [net]
        assert engine.run("window_sales", as_of=200, window_from=0)["net_sum"].tolist() == [net]


def test_columns_come_back_from_a_file_as_they_were_written(tmp_path):
    written = heads(order_id=[3, 1, 2], net=[-5, 2**60, 0], day=[1, 2, 3])
    with port.Engine() as engine:
        engine.write("heads", written, tmp_path / "head.parquet")
        engine.files("heads", [tmp_path / "head.parquet"])
        engine.table("members", NOBODY)
        assert engine.run("history", as_of=9) == {"orders": [3], "order_lines": [0], "first_day": [1], "last_day": [3]}
    assert [path.name for path in tmp_path.iterdir()] == ["head.parquet"]  # nothing half-written is left


def test_a_table_without_files_is_empty(tmp_path):
    with port.Engine(temp=tmp_path / "spill") as engine:
        engine.files("heads", [])
        assert engine.run("history", as_of=9)["orders"].tolist() == [0]


def test_a_failing_analysis_says_which_and_why():
    with port.Engine() as engine, pytest.raises(port.EngineFailed, match=r"The analysis history failed: .*heads"):
        engine.run("history", as_of=9)


def test_the_engine_needs_neither_django_nor_pandas():
    code = (
        "import sys; from shuke.engine.insight import rfm, pyramid, lifecycle, kpi, port, snapshot, wording; "
        "print([m for m in ('django', 'pandas', 'pyarrow', 'sqlglot') if m in sys.modules])"
    )
    out = subprocess.run(
        [sys.executable, "-c", code], capture_output=True, text=True, check=True, env={"PYTHONPATH": str(SRC)}
    )
    assert out.stdout.strip() == "[]"


@pytest.mark.parametrize("name", ["days", "order_sums", "steps"])
def test_what_an_engine_keeps_is_what_plain_loops_find(name):
    tables = made_up(3)
    assert kept_rows(tables, name) == sorted(tuple(row.values()) for row in tables[name])
