"""How soon `shuke --help` answers, an empty Python beside.

    .venv/bin/python bench/start.py [runs]

Median and 95th percentile over the runs, in milliseconds. The issue asks for less than 300 ms.
"""

from __future__ import annotations

import os
import statistics
import subprocess
import sys
import time
from pathlib import Path

SOURCE = str(Path(__file__).resolve().parent.parent / "src")


def milliseconds(*command: str) -> float:
    start = time.perf_counter()
    subprocess.run(command, check=True, stdout=subprocess.DEVNULL, env={**os.environ, "PYTHONPATH": SOURCE})
    return (time.perf_counter() - start) * 1e3


def main(runs: int) -> None:
    raw, ours = [], []
    for _ in range(runs):  # in turn, so that a busy machine slows both
        raw.append(milliseconds(sys.executable, "-c", "pass"))
        ours.append(milliseconds(sys.executable, "-m", "shuke", "--help"))
    for name, times in (("python -c pass", raw), ("shuke --help", ours)):
        print(
            f"{name:16} median {statistics.median(times):6.1f} ms   p95 {sorted(times)[int(runs * 0.95) - 1]:6.1f} ms"
        )
    print(f"{'ratio':16} {statistics.median(ours) / statistics.median(raw):6.2f} ×")


if __name__ == "__main__":
    main(int(sys.argv[1]) if len(sys.argv) > 1 else 20)
