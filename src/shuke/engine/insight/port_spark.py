"""The port on a cluster: Apache Spark, or whatever speaks Spark Connect (Sail does).

Addresses: `spark://host:7077` is a stand-alone cluster; this process becomes the driver, started through Spark's own
spark-submit. `spark` alone takes the master that spark-submit or spark-defaults.conf names. `sc://host:15002` is a Spark
Connect server. Scheduling, shuffling and retrying are Spark's; here texts are turned and columns are brought and fetched.

Workers must see the snapshot's Parquet files, and `temp`, under the same paths as this machine does (a shared folder).
"""

from __future__ import annotations

import os
import re
import shutil
import sys
import threading
import uuid
import warnings
from collections.abc import Iterator, Mapping, Sequence
from contextlib import contextmanager, suppress
from pathlib import Path
from typing import Any

import numpy as np

from shuke.engine.insight.port import TABLES, Columns, Engine, EngineFailed, EngineStopped, Port

_SETTINGS = {
    "spark.sql.session.timeZone": "UTC",
    "spark.ui.showConsoleProgress": "false",
    "spark.driver.maxResultSize": "0",  # one row a member comes back, and each shop knows how many it has
}
# One driver per process, whatever asks for it: two engines that are open at once share it, and the last one stops it.
_lock = threading.Lock()
_sharing = 0


class Spark(Port):
    """One session on a cluster, to be closed (use `with`): while it is open it holds the cluster's cores."""

    def __init__(self, address: str, *, temp: Path) -> None:
        self._address = address
        self._session, self._shared = _session(address)
        self._own = temp / f"spark-{uuid.uuid4().hex}"
        self._own.mkdir(parents=True, mode=0o755)
        self._kept: list[Any] = []
        self._group, self._cancelled = f"shuke-{uuid.uuid4().hex}", False
        self._idle = threading.Event()
        self._idle.set()

    def close(self) -> None:
        shutil.rmtree(self._own, ignore_errors=True)
        for found in self._kept:  # the driver outlives this session where another one shares it
            with suppress(Exception):
                found.unpersist()
        session, self._session = self._session, None
        if session is not None:
            _leave(session, self._shared)

    def cancel(self) -> None:
        self._cancelled = True
        while not self._idle.wait(0.5):  # again and again: what has not quite begun is not interrupted
            if self._shared:  # by its group: other sessions of this driver go on
                self._session.sparkContext.cancelJobGroup(self._group)
            else:
                self._session.interruptAll()

    def table(self, name: str, columns: Mapping[str, np.ndarray]) -> None:
        """Make `columns` readable as a table: as a Parquet file beside the snapshot, which workers can read already."""
        path = self._own / f"{name}-{uuid.uuid4().hex}.parquet"
        with Engine() as local:
            local.write(name, columns, path)
        self.files(name, [path])

    def files(self, name: str, paths: Sequence[Path]) -> None:
        """Make Parquet files readable as one table; none at all is an empty table of the right columns."""
        types = TABLES[name]
        if paths:
            listed = ", ".join(f"`{column}` {kind}" for column, kind in types.items())
            found = self._session.read.schema(listed).parquet(*(str(path) for path in paths))
        else:
            listed = ", ".join(f"CAST(0 AS {kind}) AS `{column}`" for column, kind in types.items())
            found = self._session.sql(f"SELECT {listed} WHERE 1 = 0")
        found.createOrReplaceTempView(name)

    def run(self, name: str, **parameters: int | float) -> Columns:
        """Run analysis `name` on the cluster; its columns by name, in the order the text gives."""
        with self._running(name):
            rows = self._asked(name, parameters).toArrow()
            return {column: rows[column].to_numpy() for column in rows.column_names}

    def keep(self, name: str, **parameters: int | float) -> None:
        """Keep what analysis `name` gives as the table of that name. It stays on the cluster, and is computed when first read."""
        with self._running(name):
            found = self._asked(name, parameters).persist()
            self._kept.append(found)
            found.createOrReplaceTempView(name)

    def _asked(self, name: str, parameters: Mapping[str, int | float]) -> Any:
        from shuke.engine.insight.port_turn import turned

        return self._session.sql(turned(name, "spark", dict(parameters)))

    @contextmanager
    def _running(self, name: str) -> Iterator[None]:
        from pyspark.errors import PySparkException

        failures: tuple[type[Exception], ...] = (PySparkException,)
        if self._shared:
            from py4j.protocol import Py4JError  # as which some of the driver's errors come

            failures += (Py4JError,)
            self._session.sparkContext.setJobGroup(self._group, "shuke", interruptOnCancel=True)
        self._idle.clear()
        try:
            if self._cancelled:
                raise EngineStopped(name)
            yield
        except failures as error:
            if self._cancelled:
                raise EngineStopped(name) from error
            raise EngineFailed(f"The analysis {name} failed on {self._address}: {_first_line(error)}") from error
        finally:
            self._idle.set()


def _session(address: str) -> tuple[Any, bool]:
    """A session at an address, and whether it lives on this process's one driver."""
    global _sharing
    try:
        from pyspark.errors import PySparkException
        from pyspark.sql import SparkSession
    except ImportError as error:
        raise EngineFailed(
            f"The analyses are set to run on {address}, which needs Spark's Python package. "
            "Install it: pip install 'shuke[spark]'."
        ) from error
    # It says so at every start; what it means is conversion to pandas, which nothing here asks for.
    warnings.filterwarnings("ignore", "PySpark does not yet fully support pandas", FutureWarning)
    # Spark looks for `python` on the path otherwise, which may be none or another one.
    os.environ.setdefault("PYSPARK_PYTHON", sys.executable)
    try:
        if address.startswith("sc://"):
            session = SparkSession.builder.remote(address).create()
            _answers(session)
            return session, False
        with _lock:
            builder = SparkSession.builder.appName("shuke")
            if address != "spark":
                builder = builder.master(address)
            for key, value in _SETTINGS.items():
                builder = builder.config(key, value)
            session = builder.getOrCreate()
            session.sparkContext.setLogLevel("ERROR")
            _sharing += 1
            return session.newSession(), True
    except PySparkException as error:
        raise EngineFailed(
            f"Spark at {address} could not be reached: {_first_line(error)} Look at SHUKE_ANALYTICS, at the cluster, "
            "and (for spark://) at `java -version` on this machine."
        ) from error
    except Exception as error:  # the driver's own errors come as the bridge's or the network's
        raise EngineFailed(f"Spark at {address} could not be reached: {_first_line(error)}") from error


def _answers(session: Any) -> None:
    """Ask once whether anybody is there: the client itself would try for ten minutes, at the first analysis."""
    from pyspark.sql.connect.client.retries import DefaultPolicy

    usual = session.client.get_retry_policies()
    session.client.set_retry_policies([DefaultPolicy(max_retries=3)])
    try:
        session.version  # noqa: B018 # a property that asks the server
    except BaseException:
        session.stop()
        raise
    session.client.set_retry_policies(usual)


def _leave(session: Any, shared: bool) -> None:
    global _sharing
    if not shared:
        session.stop()
        return
    with _lock:
        _sharing -= 1
        if _sharing == 0:
            session.stop()


def _first_line(error: BaseException) -> str:
    told = next((line.strip() for line in str(error).splitlines() if line.strip()), type(error).__name__)
    return re.sub(r"\s+", " ", told)[:400]
