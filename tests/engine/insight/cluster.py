"""A real Spark cluster on this machine: a master and two workers, each a process of its own, started and stopped by a test."""

from __future__ import annotations

import importlib.util
import os
import shutil
import signal
import socket
import subprocess
import time
from collections.abc import Iterator
from contextlib import contextmanager, suppress
from pathlib import Path

LOCAL = "127.0.0.1"
# Small jobs on a small machine: the quick compiler only, few partitions, no pages.
CONF = """
spark.ui.enabled false
spark.driver.bindAddress 127.0.0.1
spark.driver.host 127.0.0.1
spark.driver.memory 512m
spark.executor.memory 512m
spark.sql.shuffle.partitions 2
spark.sql.codegen.wholeStage false
spark.driver.extraJavaOptions -XX:TieredStopAtLevel=1 -XX:+UseSerialGC
spark.executor.extraJavaOptions -XX:TieredStopAtLevel=1 -XX:+UseSerialGC
"""


def missing() -> str:
    """What a cluster lacks here, in words; empty if nothing."""
    if importlib.util.find_spec("pyspark") is None or importlib.util.find_spec("pyarrow") is None:
        return "pyspark is not installed (make test-spark installs it)"
    if shutil.which("java") is None and not os.environ.get("JAVA_HOME"):
        return "there is no Java (apt-get install default-jre-headless)"
    return ""


class Cluster:
    """Processes of Spark's own, in groups of their own; `stop` ends exactly these."""

    def __init__(self, folder: Path) -> None:
        found = importlib.util.find_spec("pyspark")
        assert found is not None
        assert found.origin is not None
        self.home, self.folder = Path(found.origin).parent, folder
        conf = folder / "conf"
        conf.mkdir()
        (conf / "spark-defaults.conf").write_text(CONF)
        self.environment = {
            "SPARK_HOME": str(self.home),
            "SPARK_CONF_DIR": str(conf),
            "SPARK_LOCAL_IP": LOCAL,
            "SPARK_LOCAL_DIRS": str(folder / "scratch"),
            "SPARK_DAEMON_JAVA_OPTS": "-XX:TieredStopAtLevel=1 -XX:+UseSerialGC",
            "SPARK_DAEMON_MEMORY": "640m",
        }
        self._running: list[subprocess.Popen] = []
        self.port = _free_port()
        self.address = f"spark://{LOCAL}:{self.port}"
        self._start(
            "master",
            "spark-class",
            "org.apache.spark.deploy.master.Master",
            "--host",
            LOCAL,
            "--port",
            str(self.port),
            "--webui-port",
            "0",
        )
        for number in (1, 2):
            self._start(
                f"worker{number}", "spark-class", "org.apache.spark.deploy.worker.Worker", self.address, "--host", LOCAL, "--cores", "1", "--memory", "600m",
                "--webui-port", "0", "--work-dir", str(folder / f"worker{number}"),
            )  # fmt: skip
        self._wait_for(self.port, "master")

    def connect_server(self) -> str:
        """A Spark Connect server that computes on this cluster; its address."""
        port = _free_port()
        self._start(
            "connect", "spark-submit", "--master", self.address, "--class",
            "org.apache.spark.sql.connect.service.SparkConnectServer", "--conf", f"spark.connect.grpc.binding.port={port}",
            "--conf", f"spark.connect.grpc.binding.address={LOCAL}", "spark-internal",
        )  # fmt: skip
        self._wait_for(port, "connect")
        return f"sc://{LOCAL}:{port}"

    def stop(self) -> None:
        for process in reversed(self._running):
            with suppress(ProcessLookupError):
                os.killpg(process.pid, signal.SIGTERM)
        for process in self._running:
            try:
                process.wait(10)
            except subprocess.TimeoutExpired:
                with suppress(ProcessLookupError):
                    os.killpg(process.pid, signal.SIGKILL)
                process.wait()

    def _start(self, name: str, program: str, *arguments: str) -> None:
        with (self.folder / f"{name}.log").open("wb") as log:
            self._running.append(
                subprocess.Popen(
                    [str(self.home / "bin" / program), *arguments],
                    env=os.environ | self.environment,
                    cwd=self.folder,
                    stdout=log,
                    stderr=subprocess.STDOUT,
                    start_new_session=True,
                )
            )

    def _wait_for(self, port: int, name: str) -> None:
        until = time.monotonic() + 120
        while True:
            try:
                socket.create_connection((LOCAL, port), 1).close()
                return
            except OSError:
                if time.monotonic() > until or self._running[-1].poll() is not None:
                    raise RuntimeError((self.folder / f"{name}.log").read_text()[-3000:]) from None
                time.sleep(0.2)


def _free_port() -> int:
    with socket.socket() as listener:
        listener.bind((LOCAL, 0))
        return listener.getsockname()[1]


@contextmanager
def running(folder: Path) -> Iterator[Cluster]:
    cluster = Cluster(folder)
    before = {name: os.environ.get(name) for name in cluster.environment}
    os.environ.update(cluster.environment)
    try:
        yield cluster
    finally:
        cluster.stop()
        for name, value in before.items():
            if value is None:
                del os.environ[name]
            else:
                os.environ[name] = value
