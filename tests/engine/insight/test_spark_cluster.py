"""Every analysis on a real cluster, cell by cell as on the engine in this process: a master and two workers, each a process.

Run by `make test-spark`, which installs what it needs, and by `make test` where pyspark and Java are there already.
"""

import os
import threading
from datetime import timedelta

import pytest

from shuke.engine.insight import kpi, port, port_choice, port_turn, snapshot
from tests.engine.insight import cluster as clusters
from tests.engine.insight.made_up import DAY, columns, made_up, on_our_engine, rows_of, same

pytestmark = [pytest.mark.spark, pytest.mark.skipif(bool(clusters.missing()), reason=clusters.missing())]
ENDLESS = "SELECT COUNT(*) AS n FROM range(10000000) a CROSS JOIN range(10000000) b WHERE a.id % 7 = b.id % 5"
AS_OF = kpi.day_of_number(DAY)


@pytest.fixture(scope="module")
def cluster(tmp_path_factory):
    with clusters.running(tmp_path_factory.mktemp("cluster")) as started:
        yield started


@pytest.fixture(scope="module")
def tables():
    return made_up(7)


@pytest.fixture(scope="module")
def snapshot_files(tables, tmp_path_factory):
    """The heads as the columnar snapshot holds them: one Parquet file a month."""
    folder, paths = tmp_path_factory.mktemp("snapshot"), []
    with port.Engine() as local:
        for month in sorted({row["month"] for row in tables["heads"]}):
            paths.append(folder / f"head-{month}.parquet")
            rows = [row for row in tables["heads"] if row["month"] == month]
            local.write("heads", columns("heads", rows), paths[-1])
    return paths


def fill(engine: port.Port, tables, heads) -> None:
    engine.files("heads", heads)
    for table, rows in tables.items():
        if table != "heads":
            engine.table(table, columns(table, rows))


def gives_the_same(address: str, tables, snapshot_files, temp) -> int:
    """Compare every analysis and a whole night; how many executors did it, where that can be asked."""
    names = port.names()
    ours = on_our_engine(tables, names)
    with port_choice.opened(address, temp=temp) as engine:
        fill(engine, tables, snapshot_files)
        for name in names:
            same(name, ours[name], rows_of(engine, name))
        there = snapshot.take(engine, as_of=AS_OF - timedelta(days=1))
        driver = None if address.startswith("sc:") else engine._session.sparkContext._jsc.sc()
        executors = driver.getExecutorMemoryStatus().size() - 1 if driver else 0
    with port_choice.opened("", temp=temp) as engine:
        fill(engine, tables, snapshot_files)
        here = snapshot.take(engine, as_of=AS_OF - timedelta(days=1))
    assert there.figures == here.figures
    assert there.published.rfm == here.published.rfm
    for mine, theirs in zip(here.members, there.members, strict=True):
        assert mine.tolist() == pytest.approx(theirs.tolist(), rel=1e-9, nan_ok=True)
    return executors


def stops_when_cancelled(address: str, temp) -> None:
    """An analysis without end is stopped, and what else is open at that address goes on."""
    with pytest.MonkeyPatch.context() as patched:
        patched.setattr(
            port_turn, "turned", lambda name, _dialect, _parameters: ENDLESS if name == "endless" else "SELECT 1 AS one"
        )
        with port_choice.opened(address, temp=temp) as engine, port_choice.opened(address, temp=temp) as beside:
            timer = threading.Timer(5, engine.cancel)
            timer.start()
            with pytest.raises(port.EngineStopped):
                engine.run("endless")
            timer.join()
            assert beside.run("another")["one"].tolist() == [1]


def test_a_stand_alone_cluster_gives_the_same_cells_for_every_analysis_and_for_a_whole_night(
    cluster, tables, snapshot_files, tmp_path
):
    executors = gives_the_same(cluster.address, tables, snapshot_files, tmp_path)
    assert executors == 2
    stops_when_cancelled(cluster.address, tmp_path)
    assert list(tmp_path.glob("spark-*")) == []  # nothing of the session is left


def test_spark_connect_gives_the_same_cells(cluster, tables, snapshot_files, tmp_path):
    names = ["member_totals", "gaps"]
    address = cluster.connect_server()
    with port_choice.opened(address, temp=tmp_path) as engine:
        fill(engine, tables, snapshot_files)
        for name, rows in on_our_engine(tables, names).items():
            same(name, rows, rows_of(engine, name))
    stops_when_cancelled(address, tmp_path)


def test_a_server_named_in_the_environment_gives_the_same_cells_and_the_same_night(tables, snapshot_files, tmp_path):
    """Of whatever speaks Spark Connect: SHUKE_TEST_CONNECT=sc://… (Sail, a managed Spark)."""
    address = os.environ.get("SHUKE_TEST_CONNECT")
    if not address:
        pytest.skip("SHUKE_TEST_CONNECT names no server")
    gives_the_same(address, tables, snapshot_files, tmp_path)
    stops_when_cancelled(address, tmp_path)


def test_an_address_nobody_answers_at_is_told_in_words(tmp_path):
    with pytest.raises(port.EngineFailed, match=r"sc://127\.0\.0\.1:1 could not be reached"):
        port_choice.opened("sc://127.0.0.1:1", temp=tmp_path)
