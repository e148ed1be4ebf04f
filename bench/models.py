"""BG/NBD and MBG/NBD on a million customers beside the package lifetimes, on ten million, and the making of their inputs.

    .venv/bin/python bench/models.py [--customers 1000000] [--many 10000000] [--runs 3] [--lifetimes PYTHON]

Customers are drawn from a BG/NBD over two years, whole days; each task runs in a process of its own, so that CPU seconds and peak
memory are its own (best of the runs). lifetimes is fitted in a virtual environment of its own, made anew through pip unless --lifetimes names
a Python that has it; it is no part of this project. The log-likelihood of what each found is computed by one and the same code.
"""

from __future__ import annotations

import argparse
import json
import resource
import subprocess
import sys
import tempfile
import time
from pathlib import Path

import numpy as np

HERE = Path(__file__).resolve().parent
DAYS = 730
TRUE = {"r": 0.6, "alpha": 8.0, "a": 0.8, "b": 2.5}  # weeks

# Runs in the other environment: only NumPy and lifetimes are there.
THEIRS = """
import json, resource, sys, time
import numpy as np
from lifetimes import BetaGeoFitter, ModifiedBetaGeoFitter
told = np.load(sys.argv[1])
x, t_x, T = told["x"], told["t_x"], told["T"]
model = {"bg_nbd": BetaGeoFitter, "mbg_nbd": ModifiedBetaGeoFitter}[sys.argv[2]]()
begun = time.process_time()
model.fit(x, t_x, T)
cpu = time.process_time() - begun
print(json.dumps({"cpu": cpu, "mb": resource.getrusage(resource.RUSAGE_SELF).ru_maxrss / 1024, "params": [float(model.params_[n]) for n in ("r", "alpha", "a", "b")]}))
"""


def drawn(path: Path, customers: int, seed: int = 11) -> None:
    """x, t_x, T in weeks, whole days; at most one purchase a day."""
    dice = np.random.default_rng(seed)
    age = dice.integers(1, DAYS, customers).astype(np.float64)
    rate = dice.gamma(TRUE["r"], 1 / TRUE["alpha"], customers) / 7
    leave = dice.beta(TRUE["a"], TRUE["b"], customers)
    x, last, at = np.zeros(customers), np.zeros(customers), np.zeros(customers)
    here = np.arange(customers)
    while here.size:
        at[here] += dice.exponential(1 / np.maximum(rate[here], 1e-12))
        here = here[at[here] <= age[here]]
        day = np.ceil(at[here])
        new = day > last[here]
        x[here[new]] += 1
        last[here[new]] = day[new]
        here = here[dice.random(here.size) >= leave[here]]
    np.savez(path, x=x, t_x=np.minimum(last, age) / 7, T=age / 7)


def ours(path: Path, model: str) -> dict:
    from shuke.engine.insight.clv import fit, rows

    told = np.load(path)
    x, t_x, T = told["x"], told["t_x"], told["T"]
    begun = time.process_time()
    found = fit.fit(rows.group(x, t_x, T), model, prior=False)
    cpu = time.process_time() - begun
    return {
        "cpu": cpu,
        "mb": peak(),
        "params": list(found.params),
        "ll": found.log_likelihood,
        "code": found.verdict.code,
        "rows": found.rows,
    }


def likelihood(path: Path, model: str, params: list[float]) -> float:
    """Of other parameters, by our code."""
    from shuke.engine.insight.clv import fit, rows

    told = np.load(path)
    surface = fit.surface_of(rows.group(told["x"], told["t_x"], told["T"]), model, 1)
    return float(surface(np.log(np.array(params)))[0])


def inputs(folder: Path, orders: int) -> dict:
    """From order heads on disk to x, t_x, T: by the night's analysis, and from plain arrays of orders."""
    import duckdb

    from shuke.engine.insight import kpi
    from shuke.engine.insight.clv import history
    from shuke.engine.insight.port import Engine

    sys.path.insert(0, str(HERE))
    import insight

    if not (folder / "heads.parquet").exists():
        insight.made_history(folder, orders * 5 // 2)
        insight.roll_up(folder)
    with duckdb.connect() as connection:
        rows = connection.execute(f"SELECT member, day, net FROM read_parquet('{folder}/heads.parquet')").fetchnumpy()
    plain = [np.ma.getdata(rows[name]) for name in ("member", "day", "net")]
    today = kpi.day_number(kpi.date.fromisoformat(insight.AS_OF["made"]))
    begun = time.process_time()
    with Engine(memory="400MB", temp=folder / "spill") as engine:
        engine.files("heads", [folder / "heads.parquet"])
        engine.files("members", [folder / "members.parquet"])
        seen = engine.run("visits", as_of=today)
        one = history.summary(seen["who"], seen["on_day"], seen["net_sum"], end=today)
    by_night = time.process_time() - begun
    begun = time.process_time()
    other = history.summary(*plain, end=today)
    by_rows = time.process_time() - begun
    same = bool((one.x == other.x).all() and (one.t_x == other.t_x).all() and (one.T == other.T).all())
    return {
        "orders": int(plain[0].size),
        "customers": int(one.x.size),
        "night": by_night,
        "rows": by_rows,
        "same": same,
        "mb": peak(),
    }


def peak() -> float:
    """Of this process alone; getrusage would tell the parent's peak across fork and exec."""
    status = Path("/proc/self/status")
    if status.exists():
        return int(status.read_text().split("VmHWM:")[1].split()[0]) / 1024
    return resource.getrusage(resource.RUSAGE_SELF).ru_maxrss / 1024


def child(*arguments: str, runs: int = 1) -> dict:
    """The best of some runs of a task in a process of its own."""
    told = [
        json.loads(
            subprocess.run([sys.executable, __file__, *arguments], check=True, capture_output=True, text=True).stdout
        )
        for _ in range(runs)
    ]
    return min(told, key=lambda one: one.get("cpu", one.get("night", 0.0)))


def environment(home: Path) -> str | None:
    """A Python that has lifetimes; None where it cannot be installed."""
    try:
        subprocess.run([sys.executable, "-m", "venv", str(home / "venv")], check=True, capture_output=True)
        python = str(home / "venv" / "bin" / "python")
        subprocess.run(
            [python, "-m", "pip", "install", "--quiet", "lifetimes==0.11.3"], check=True, capture_output=True
        )
    except (OSError, subprocess.CalledProcessError):
        return None
    return python


def main() -> int:
    parser = argparse.ArgumentParser(description=__doc__, formatter_class=argparse.RawDescriptionHelpFormatter)
    parser.add_argument("--customers", type=int, default=1_000_000)
    parser.add_argument("--many", type=int, default=10_000_000)
    parser.add_argument("--orders", type=int, default=1_000_000)
    parser.add_argument("--runs", type=int, default=3)
    parser.add_argument("--lifetimes", metavar="PYTHON")
    parser.add_argument("--task", nargs="+", help=argparse.SUPPRESS)
    told = parser.parse_args()
    if told.task:
        kind, path, *rest = told.task
        print(json.dumps(ours(Path(path), rest[0]) if kind == "ours" else inputs(Path(path), int(rest[0]))))
        return 0
    fair = True
    with tempfile.TemporaryDirectory(prefix="shuke-models-") as scratch:
        home = Path(scratch)
        made = child("--task", "inputs", str(home), str(told.orders), runs=told.runs)
        print(
            f"inputs of {made['customers']:,} customers from {made['orders']:,} orders: {made['night']:.2f} CPU s from the night's columns, "
            f"{made['rows']:.2f} from plain arrays; the two {'agree' if made['same'] else 'DISAGREE'}; {made['mb']:.0f} MB"
        )
        python = told.lifetimes or environment(home)
        if python is None:
            print("lifetimes LEFT OUT: it could not be installed here.")
        drawn(home / "some.npz", told.customers)
        for model in ("bg_nbd", "mbg_nbd"):
            mine = child("--task", "ours", str(home / "some.npz"), model, runs=told.runs)
            print(
                f"{model}, {told.customers:,} customers ({mine['rows']:,} different): {mine['cpu']:.2f} CPU s, {mine['mb']:.0f} MB, {mine['code']}, LL {mine['ll']:.4f}"
            )
            if python is None:
                continue
            out = subprocess.run([python, "-c", THEIRS, str(home / "some.npz"), model], capture_output=True, text=True)
            if out.returncode:
                print(f"  lifetimes did not get through: {out.stderr.strip().splitlines()[-1]}")
                continue
            theirs = json.loads(out.stdout.strip().splitlines()[-1])
            ll = likelihood(home / "some.npz", model, theirs["params"])
            fair = fair and mine["ll"] > ll - 0.01
            print(
                f"  lifetimes: {theirs['cpu']:.2f} CPU s, {theirs['mb']:.0f} MB, LL {ll:.4f}; ours {mine['cpu'] / theirs['cpu']:.3f} of its CPU "
                f"(asked: 0.125), log-likelihood {mine['ll'] - ll:+.4f}"
            )
        drawn(home / "many.npz", told.many, seed=12)
        for model in ("bg_nbd", "mbg_nbd"):
            mine = child("--task", "ours", str(home / "many.npz"), model)
            print(
                f"{model}, {told.many:,} customers ({mine['rows']:,} different): {mine['cpu']:.2f} CPU s, {mine['mb']:.0f} MB, {mine['code']} (asked: 6 CPU s, 1,500 MB)"
            )
    return 0 if fair and made["same"] else 1


if __name__ == "__main__":
    sys.exit(main())
