"""What a sync costs on this disk, and a disk whose sync takes longer.

A posting that is durable waits for one sync. A disk behind a cache answers it in less than 0.1 ms; a consumer SSD without protection
against power loss takes 0.45 to 3.5 ms (smalldatum.blogspot.com, 2026-01-07; Percona, 2018-07-18: Samsung 960 and 990 Pro).
"""

from __future__ import annotations

import os
import shutil
import statistics
import subprocess
import time
from pathlib import Path

_SLOWER = """
#define _GNU_SOURCE
#include <dlfcn.h>
#include <stdlib.h>
#include <unistd.h>
static int slow(const char *name, int file) {
  int (*real)(int) = (int (*)(int)) dlsym(RTLD_NEXT, name);
  usleep(atoi(getenv("BENCH_SYNC_US")));
  return real(file);
}
int fdatasync(int file) { return slow("fdatasync", file); }
int fsync(int file) { return slow("fsync", file); }
"""


def sync_us(folder: str) -> float:
    """Median of 200 syncs of 4 KiB written in place, in microseconds."""
    taken = []
    with open(Path(folder) / "sync", "w+b", buffering=0) as file:
        file.write(bytes(1 << 20))
        os.fdatasync(file.fileno())
        for n in range(200):
            os.pwrite(file.fileno(), os.urandom(4096), n % 256 * 4096)
            begun = time.perf_counter()
            os.fdatasync(file.fileno())
            taken.append(time.perf_counter() - begun)
    return statistics.median(taken) * 1e6


def slower(folder: str, more_us: int) -> dict[str, str] | None:
    """The environment in which every sync takes so much longer; None where there is no C compiler."""
    compiler = shutil.which("cc") or shutil.which("gcc")
    if compiler is None:
        return None
    source, library = Path(folder) / "slower.c", Path(folder) / "slower.so"
    source.write_text(_SLOWER)
    subprocess.run([compiler, "-shared", "-fPIC", "-O1", "-o", library, source, "-ldl"], check=True)
    return {"LD_PRELOAD": str(library), "BENCH_SYNC_US": str(more_us)}
