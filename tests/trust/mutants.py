"""Planted faults, to test the tests (T7): each is put into a copy of the source, and the tests named with it must fail.

    python -m tests.trust.mutants            all of them, one line each; exit code 1 if one lives
    python -m tests.trust.mutants lifo       those whose name begins so

A text that is no longer in the source is an error: a fault that cannot be planted proves nothing.
"""

from __future__ import annotations

import os
import shutil
import signal
import subprocess
import sys
import tempfile
import time
from pathlib import Path
from typing import NamedTuple

ROOT = Path(__file__).resolve().parents[2]
HANGS = 120  # seconds; the slowest of these tests takes a quarter of it. PostgreSQL's server and tables have to be made first
BOOK = ("tests/trust/test_exercise_book.py",)
MODEL = ("tests/trust/test_model.py",)
STORM = ("tests/trust/test_storms.py",)
LAWS = ("tests/engine/ledger",)
EARN = ("tests/engine/charter",)
SETTLE = ("tests/loyalty/test_settling.py",)
ASKS = ("tests/loyalty/test_requests.py",)
VERIFY = ("tests/loyalty/test_verify.py",)
NIGHT = ("tests/loyalty/test_lapsing.py",)
SHARE = ("tests/loyalty/test_sharing.py",)


class Mutant(NamedTuple):
    """`old` stands once in `path` (under src/shuke) and becomes `new`; `tests` must notice."""

    name: str
    path: str
    old: str
    new: str
    tests: tuple[str, ...]
    postgres: bool = False  # the fault is in what only PostgreSQL does


MUTANTS = (
    Mutant("lifo", "engine/ledger/books.py", "return self.expires_at or FAR, self.earned_at, self.key",
           "return (FAR - (self.expires_at or FAR), self.earned_at, self.key)", BOOK),
    Mutant("expiry-off-by-one", "engine/ledger/run.py", "lot.expires_at <= at and lot.remaining > lot.held", "lot.expires_at < at and lot.remaining > lot.held", BOOK),
    Mutant("expired-can-be-spent", "engine/ledger/books.py", "and (lot.expires_at is None or lot.expires_at > now)", "", LAWS + ASKS),
    Mutant("pending-can-be-spent", "engine/ledger/books.py", "if lot.remaining > lot.held and lot.available_at <= now and", "if lot.remaining > lot.held and", BOOK),
    Mutant("held-can-be-spent", "engine/ledger/books.py", "return self.remaining - self.held", "return self.remaining", BOOK),
    Mutant("claw-back-forgets-lapsed", "engine/ledger/sales.py", "lapsed = min(rest, self._lapsed(own))", "lapsed = 0", BOOK),
    Mutant("claw-back-spares-debt", "engine/ledger/run.py", "self.books.debt += short", "self.books.debt += 0", BOOK),
    Mutant("debt-is-not-repaid", "engine/ledger/run.py", "x = min(self.books.debt, lot.free)", "x = min(0, lot.free)", BOOK),
    Mutant("debt-is-repaid-twice", "engine/ledger/spends.py", "owed = min(share, self.books.debt)", "owed = share", BOOK),
    Mutant("return-to-a-new-lot", "engine/ledger/spends.py", "lot.remaining += amount\n        effect.uses.append((lot.key, kind, -amount))",
           "lot.remaining += amount - 1\n        effect.uses.append((lot.key, kind, 1 - amount))", BOOK),
    Mutant("returned-points-live-for-ever", "engine/ledger/spends.py", "if lot.expires_at is not None and lot.expires_at <= at:\n            self._after_expiry", "if False:\n            self._after_expiry", BOOK),
    Mutant("grace-lot-lost", "engine/ledger/spends.py", "again.granted += share\n            again.remaining += share", "again.granted += 0", BOOK),
    Mutant("hold-never-times-out", "engine/ledger/fold.py", "if held.times_out_at <= due:", "if False:", BOOK),
    Mutant("late-release-keeps-expired", "engine/ledger/spends.py",
           "if lot.expires_at is not None and lot.expires_at <= at and lot.free > 0:", "if False:", LAWS),
    Mutant("capture-takes-all", "engine/ledger/spends.py", "self._spend(effect, c.event, lots, c.amount)", "self._spend(effect, c.event, lots, sum(n for _, n in lots))", BOOK),
    Mutant("refund-counts-once", "engine/ledger/sales.py", "self.refunded += r.amount", "self.refunded = r.amount", BOOK),
    Mutant("refund-rounds-per-event", "engine/ledger/sales.py", "lost, shrunk = sale.points - left.points, sale.growth - growth", "lost, shrunk = r.amount // 100, sale.growth - growth", BOOK),
    Mutant("wrong-time-zone", "engine/charter/terms.py", "return day_of(at, self.zone)", "return at.date()", BOOK),
    Mutant("month-end-forgotten", "engine/charter/terms.py", 'rule.to or ("month" if rule.to_month_end else "day")', 'rule.to or "day"', BOOK),
    Mutant("arrival-decides", "engine/ledger/events.py", 'return event.at, getattr(event, "nth", 0), _RANK[type(event)], event.event', "return (0,)", LAWS),
    Mutant("same-moment-by-name", "engine/ledger/events.py", 'getattr(event, "nth", 0), _RANK', "_RANK", SHARE),
    Mutant("float-rounding", "engine/charter/earn.py", "if basket.net <= 0:", "if basket.net < 0:", EARN + BOOK),
    Mutant("largest-remainder-last", "kit/money.py", "(-(abs(total) * weights[i] % whole), i)", "(abs(total) * weights[i] % whole, i)", ("tests/kit/test_money.py", *BOOK)),
    Mutant("first-purchase-for-ever", "engine/ledger/sales.py", "standing.purchases += 1", "standing.purchases += 0", LAWS + EARN + SETTLE),
    Mutant("falls-to-the-bottom", "engine/ledger/grades.py", "fits = max(fits, rank - 1)", "fits = max(fits, 0)", LAWS + EARN),
    Mutant("no-lock", "loyalty/queries/books.py", '(" FOR NO KEY UPDATE OF w" if lock and bulk.is_postgres() else "")', '""', STORM, postgres=True),
    Mutant("no-refusal-memory", "loyalty/actions/posting.py", 'self.post(Sheet.of(head), Effect(f"refused:{request.key}", "refused", at, 0), request=request)', "pass", ASKS + SHARE),
    Mutant("key-without-hash", "loyalty/actions/requests.py", "if payload_hash(one) == before.payload:", "if True:", ASKS + MODEL),
    Mutant("replay-does-it-again", "loyalty/actions/requests.py", "elif one.key not in seen:", "if one.key not in seen:", ASKS),
    Mutant("running-number-stands-still", "loyalty/actions/posting.py", "sheet.seq += 1", "sheet.seq += 2", VERIFY + SETTLE),
    Mutant("running-balance-off", "loyalty/actions/posting.py", "after = sheet.balance\n", "after = sheet.balance - amount\n", VERIFY + SETTLE),
    Mutant("late-order-goes-forward", "loyalty/actions/settling.py", "type(e) is ev.Purchase and e.at > head.settled_to", "type(e) is ev.Purchase", SETTLE),
    Mutant("difference-forgets-uses", "loyalty/actions/settling.py", "target.get(what, 0) - uses.get(what, 0)", "0 * target.get(what, 0) * uses.get(what, 0)", SETTLE + MODEL),
    Mutant("history-is-not-mended", "loyalty/actions/settling.py", "_replace_history(batch, member, fold, booked.moves[member])", "pass", SETTLE),
    Mutant("transfer-refreshes-expiry", "loyalty/actions/transfers.py", "ev.Parcel(n, lots[key].earned_at, lots[key].expires_at,", "ev.Parcel(n, lots[key].earned_at, None,", SHARE + MODEL),
    Mutant("transfer-keeps-the-points", "engine/ledger/spends.py", 'self._take(effect, lot, x, "transfer", "transferred")', "pass", SHARE),
    Mutant("second-person-is-oneself", "loyalty/actions/corrections.py", "if own and agree:", "if False:", SHARE),
    Mutant("seal-covers-nothing", "loyalty/queries/chain.py", 'digest.update(told.encode())', "pass", VERIFY),
    Mutant("night-takes-held-points", "loyalty/actions/lapsing.py", " AND w.held = 0", "", NIGHT),
    Mutant("night-forgets-reviews", "loyalty/actions/lapsing.py", "w.next_review_at > %s", "%s IS NOT NULL", NIGHT),
    Mutant("night-numbers-once", "loyalty/actions/lapsing.py", "w.seq + x.nth", "w.seq + 1", NIGHT),
    Mutant("quiet-too-long", "loyalty/queries/books.py", "dues = (head.next_expiry_at, head.next_review_at, versions.next_after(head.settled_to or LONG_AGO))", "dues = (head.next_expiry_at,)", SETTLE + MODEL + ("tests/loyalty",)),
)  # fmt: skip

# What CI plants on every change: quick ones, one of each kind.
QUICK = (
    "lifo",
    "refund-rounds-per-event",
    "wrong-time-zone",
    "key-without-hash",
    "running-balance-off",
    "late-order-goes-forward",
)


def planted(mutant: Mutant, folder: Path) -> Path:
    """A copy of the source with the fault in it; the folder to put on the path."""
    source = folder / "src"
    # What is compiled stays compiled.
    shutil.copytree(ROOT / "src", source, ignore=shutil.ignore_patterns("*.egg-info"))
    file = source / "shuke" / mutant.path
    for compiled in (file.parent / "__pycache__").glob(f"{file.stem}.*"):
        compiled.unlink()
    text = file.read_text(encoding="utf-8")
    if text.count(mutant.old) != 1:
        raise LookupError(f"{mutant.name}: its text stands {text.count(mutant.old)} times in {mutant.path}, not once.")
    file.write_text(text.replace(mutant.old, mutant.new), encoding="utf-8")
    return source


def verdict(mutant: Mutant, tables: Path | None = None) -> str:
    """`tables`: a file by tests/tables.py. "caught": one of its tests fails with the fault in the source; "hangs": they would run for ever; else
    "LIVES"."""
    with tempfile.TemporaryDirectory(prefix="shuke-mutant-") as folder:
        source = planted(mutant, Path(folder))
        command = [".ci/postgres"] if mutant.postgres else []
        command += [
            sys.executable,
            "-m",
            "pytest",
            "-q",
            "-x",
            "-p",
            "no:cacheprovider",
            "-o",
            f"pythonpath={source} .",
        ]
        env = os.environ | {
            "PYTHONPATH": f"{source}{os.pathsep}{ROOT}",
            "PYTHONDONTWRITEBYTECODE": "1",
            "SHUKE_NO_SHRINKING": "1",
        }
        env.pop("SHUKE_SOAK", None)  # at the size of CI
        # Whoever asks may be a worker of xdist; this run is none, and would look for its tables under another name.
        env.pop("PYTEST_XDIST_WORKER", None)
        if tables:
            env["SHUKE_TEST_TABLES"] = str(tables)
        # Into a file: tills that a storm forked may hold a pipe open for longer than we want to read it.
        with open(Path(folder) / "told", "w+", encoding="utf-8") as told:
            run = subprocess.Popen(
                [*command, *mutant.tests], cwd=ROOT, env=env, stdout=told, stderr=told, start_new_session=True
            )
            try:
                code = run.wait(timeout=HANGS + 360 * mutant.postgres)
            except subprocess.TimeoutExpired:
                os.killpg(run.pid, signal.SIGKILL)  # with the tills that a storm forked; the session is its own
                run.wait()
                return "hangs"
            told.seek(0)
            text = told.read()
    if code not in (0, 1):  # 1: a test failed; anything else is our own mistake
        raise RuntimeError(f"{mutant.name}: the tests could not be run.\n{text[-3000:]}")
    return "caught" if code == 1 else "LIVES"


def main(names: list[str]) -> int:
    lived = []
    chosen = [m for m in MUTANTS if not names or any(m.name.startswith(n) for n in names)]
    with tempfile.TemporaryDirectory(prefix="shuke-tables-") as folder:
        tables = Path(folder) / "tables.sqlite3"
        subprocess.run([sys.executable, "-m", "tests.tables", str(tables)], cwd=ROOT, check=True)
        for mutant in chosen:
            start = time.perf_counter()
            found = verdict(mutant, tables)
            print(f"{found:<6}  {mutant.name}  {time.perf_counter() - start:.0f} s", flush=True)
            lived += [mutant.name] if found == "LIVES" else []
    print(f"{len(chosen) - len(lived)} of {len(chosen)} planted faults were noticed.")
    return 1 if lived else 0


if __name__ == "__main__":
    raise SystemExit(main(sys.argv[1:]))
