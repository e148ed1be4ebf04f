"""Which engine answers: the one in this process, or a cluster."""

from __future__ import annotations

from pathlib import Path

from shuke.engine.insight.port import Engine, Port


def opened(address: str, *, temp: Path, memory: str = "256MB", temp_limit: str = "4GB", threads: int = 2) -> Port:
    """The engine at `address`: empty or `duckdb` for the one in this process, `spark://…`, `spark` or `sc://…` for a cluster.

    On a cluster every worker must see `temp` and the named files under the same path; the limits are then the cluster's own.
    """
    if address in ("", "duckdb"):
        return Engine(temp=temp, memory=memory, temp_limit=temp_limit, threads=threads)
    from shuke.engine.insight.port_spark import Spark

    return Spark(address, temp=temp)
