"""`make bench`: every measurement of this folder, one after the other, each in a process of its own.

    .venv/bin/python -m bench [NAME …]

A measurement is a script here that prints its figures with the raw limit beside them; its first line says what it is.
Ratios are what matters: absolute figures are of the machine that is named first.
"""

from __future__ import annotations

import ast
import os
import platform
import sqlite3
import subprocess
import sys
import time
from pathlib import Path

HERE = Path(__file__).resolve().parent


def scripts() -> list[Path]:
    return sorted(path for path in HERE.glob("*.py") if not path.stem.startswith("_"))


def machine() -> str:
    """Processor, cores, memory, versions: what the figures below are figures of."""
    cpu = next(
        (line.split(":")[1].strip() for line in _lines("/proc/cpuinfo") if line.startswith("model name")),
        platform.machine(),
    )
    memory = next((int(line.split()[1]) / 1e6 for line in _lines("/proc/meminfo") if line.startswith("MemTotal")), 0.0)
    return (
        f"{cpu}, {os.cpu_count()} cores, {memory:.0f} GB, {platform.system()} {platform.release()}, "
        f"Python {platform.python_version()}, SQLite {sqlite3.sqlite_version}"
    )


def _lines(path: str) -> list[str]:
    try:
        return Path(path).read_text().splitlines()
    except OSError:
        return []


def main(names: list[str]) -> int:
    known = {path.stem: path for path in scripts()}
    if unknown := [name for name in names if name not in known]:
        print(f"There is no measurement called {', '.join(unknown)}. There are: {', '.join(known)}.", file=sys.stderr)
        return 2
    print(machine(), flush=True)
    failed = []
    for name in names or known:
        about = (ast.get_docstring(ast.parse(known[name].read_text())) or "").splitlines()[0]
        print(f"\n=== {name}: {about}", flush=True)
        start = time.monotonic()
        done = subprocess.run([sys.executable, str(known[name])], cwd=HERE.parent)
        print(f"=== {name}: {time.monotonic() - start:.0f} s, exit {done.returncode}", flush=True)
        if done.returncode:
            failed.append(name)
    if failed:
        print(f"\nNot through: {', '.join(failed)}", file=sys.stderr)
    return 1 if failed else 0


if __name__ == "__main__":
    sys.exit(main(sys.argv[1:]))
