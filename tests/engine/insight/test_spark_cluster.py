"""Every analysis on a real cluster, cell by cell as on the engine in this process: a master and two workers, each a process.

Run by `make test-spark`, which installs what it needs, and by `make test` where pyspark and Java are there already.
"""

from datetime import timedelta

import pytest

from shuke.engine.insight import kpi, port, port_choice, snapshot
from tests.engine.insight import cluster as clusters
from tests.engine.insight.made_up import DAY, columns, made_up, on_our_engine, rows_of, same

pytestmark = [pytest.mark.spark, pytest.mark.skipif(bool(clusters.missing()), reason=clusters.missing())]
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


def test_a_stand_alone_cluster_gives_the_same_cells_for_every_analysis_and_for_a_whole_night(
    cluster, tables, snapshot_files, tmp_path
):
    names = port.names()
    ours = on_our_engine(tables, names)
    with port_choice.opened(cluster.address, temp=tmp_path) as engine:
        fill(engine, tables, snapshot_files)
        for name in names:
            same(name, ours[name], rows_of(engine, name))
        there = snapshot.take(engine, as_of=AS_OF - timedelta(days=1))
        executors = engine._session.sparkContext._jsc.sc().getExecutorMemoryStatus().size() - 1
    assert executors == 2
    with port_choice.opened("", temp=tmp_path) as engine:
        fill(engine, tables, snapshot_files)
        here = snapshot.take(engine, as_of=AS_OF - timedelta(days=1))
    assert there.figures == here.figures
    assert there.published.rfm == here.published.rfm
    for mine, theirs in zip(here.members, there.members, strict=True):
        assert mine.tolist() == pytest.approx(theirs.tolist(), rel=1e-9, nan_ok=True)
    assert list(tmp_path.glob("spark-*")) == []  # nothing of the session is left


def test_spark_connect_gives_the_same_cells(cluster, tables, snapshot_files, tmp_path):
    names = ["member_totals", "gaps"]
    with port_choice.opened(cluster.connect_server(), temp=tmp_path) as engine:
        fill(engine, tables, snapshot_files)
        for name, rows in on_our_engine(tables, names).items():
            same(name, rows, rows_of(engine, name))


def test_an_address_nobody_answers_at_is_told_in_words(tmp_path):
    with pytest.raises(port.EngineFailed, match=r"sc://127\.0\.0\.1:1 could not be reached"):
        port_choice.opened("sc://127.0.0.1:1", temp=tmp_path)
