"""The harnesses beyond CI's size and with other chances, one after another: what `make soak` runs, once on each engine.

    python -m tests.trust.soak                       all of them on SQLite
    .ci/postgres python -m tests.trust.soak          all of them on PostgreSQL
    python -m tests.trust.soak storms night          those whose name begins so

SHUKE_SOAK says how large, in per cent of the sizes in docs/soak.md (10 if nobody says); SHUKE_SEED what chance begins with (the day's
number if nobody says). Both are printed: whoever sets them so sees the same again. One harness that fails does not keep the others from
running; the exit code is then 1.
"""

from __future__ import annotations

import os
import resource
import subprocess
import sys
import tempfile
import time
from pathlib import Path
from typing import NamedTuple

from tests.house.source import ROOT

SQLITE, POSTGRES = "sqlite", "postgresql"


class Harness(NamedTuple):
    name: str
    tests: tuple[str, ...]
    on: tuple[str, ...] = (SQLITE, POSTGRES)


HARNESSES = (
    Harness("book", ("tests/trust/test_exercise_book.py",), (SQLITE,)),  # it has no database
    Harness("clock", ("tests/trust/test_clock.py",)),
    Harness("model", ("tests/trust/test_model.py",)),
    Harness("rich", ("tests/loyalty/test_rich_model.py",)),
    Harness("replay", ("tests/flows/test_replay.py",)),
    Harness("lapsing", ("tests/loyalty/test_lapsing.py",)),
    Harness("day", ("tests/trust/test_day.py",)),
    Harness("storms", ("tests/trust/test_storms.py",)),
    Harness("again", ("tests/trust/test_sent_again.py",)),
    Harness("everything", ("tests/trust/test_everything_at_once.py",)),
    Harness("races", tuple(f"tests/loyalty/test_{of}races.py"
                           for of in ("", "benefit_", "coupon_", "referral_", "stock_", "stored_"))),
    Harness("night", ("tests/trust/test_night_killed.py",)),
    Harness("settlement", ("tests/trust/test_settlement.py",)),
    Harness("disk", ("tests/trust/test_failing_disk.py",), (SQLITE,)),
    Harness("connections", ("tests/trust/test_lost_connections.py",), (POSTGRES,)),
    Harness("server", ("tests/trust/test_killed_server.py",)),
    Harness("bank", ("tests/trust/test_bank.py",)),
)  # fmt: skip


def run(harness: Harness, env: dict[str, str], told: Path) -> bool:
    command = [sys.executable, "-m", "pytest", "-p", "no:cacheprovider", f"--hypothesis-seed={env['SHUKE_SEED']}"]
    command += ["--reuse-db"] if "DATABASE_URL" in env else []  # the server is this run's own, its tables are made once
    with told.open("wb") as log:
        return not subprocess.run([*command, *harness.tests], cwd=ROOT, env=env, stdout=log, stderr=log).returncode


def main(names: list[str]) -> int:
    engine = POSTGRES if "DATABASE_URL" in os.environ else SQLITE
    seed = os.environ.get("SHUKE_SEED") or str(int(time.time() // 86_400))
    env = os.environ | {"SHUKE_SOAK": os.environ.get("SHUKE_SOAK") or "10", "SHUKE_SEED": seed}
    chosen = [h for h in HARNESSES if engine in h.on and (not names or any(h.name.startswith(n) for n in names))]
    print(f"SHUKE_SOAK={env['SHUKE_SOAK']} SHUKE_SEED={seed} on {engine}", flush=True)
    failed = []
    with tempfile.TemporaryDirectory(prefix="shuke-soak-") as folder:
        if engine == SQLITE:
            tables = Path(folder) / "tables.sqlite3"
            subprocess.run([sys.executable, "-m", "tests.tables", str(tables)], cwd=ROOT, check=True)
            env["SHUKE_TEST_TABLES"] = str(tables)
        for harness in chosen:
            before, told = resource.getrusage(resource.RUSAGE_CHILDREN).ru_utime, Path(folder) / harness.name
            well = run(harness, env, told)
            spent = resource.getrusage(resource.RUSAGE_CHILDREN).ru_utime - before
            print(f"{'ok    ' if well else 'FAILED'}  {harness.name:<12} {spent:6.0f} s of CPU", flush=True)
            if not well:
                failed.append(harness.name)
                print("\n".join(told.read_text(errors="replace").splitlines()[-60:]), flush=True)
    print(f"{len(chosen) - len(failed)} of {len(chosen)} found nothing.")
    return 1 if failed else 0


if __name__ == "__main__":
    raise SystemExit(main(sys.argv[1:]))
