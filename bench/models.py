"""BG/NBD and MBG/NBD on a million customers beside lifetimes and pymc-marketing, on ten million, and the making of their inputs.

    .venv/bin/python bench/models.py [--customers 1000000] [--many 10000000] [--runs 3] [--lifetimes PYTHON] [--pymc PYTHON]

Customers are drawn from a BG/NBD over two years, whole days; each task runs in a process of its own and on one thread, so that CPU
seconds and peak memory are its own (best of the runs). The peers are fitted in virtual environments of their own, made anew through pip
unless an option names a Python that has them (pymc-marketing weighs 0.8 GB); they are no part of this project.

Who finds the better optimum is told by one function that belongs to none of the three: the likelihood of the papers, written out in
SciPy below, summed over every customer. pymc-marketing's MAP is the maximum of likelihood times prior: its priors are made flat
(HalfFlat on r, alpha, a, b), or it would be sent elsewhere on purpose; with its own priors the time is told too.
"""

from __future__ import annotations

import argparse
import json
import os
import resource
import subprocess
import sys
import tempfile
import time
from pathlib import Path
from typing import NamedTuple

import numpy as np

HERE = Path(__file__).resolve().parent
DAYS = 730
TRUE = {"r": 0.6, "alpha": 8.0, "a": 0.8, "b": 2.5}  # weeks

ONE_THREAD = dict.fromkeys(("OMP_NUM_THREADS", "OPENBLAS_NUM_THREADS", "MKL_NUM_THREADS", "NUMBA_NUM_THREADS"), "1")

# What runs in the others' environments: only the peer and what it brings is there. Imports are not counted, building is.
LIFETIMES = """
import json, sys, time
import numpy as np
from lifetimes import BetaGeoFitter, ModifiedBetaGeoFitter
told = np.load(sys.argv[1])
model = {"bg_nbd": BetaGeoFitter, "mbg_nbd": ModifiedBetaGeoFitter}[sys.argv[2]]()
begun = time.process_time()
model.fit(told["x"], told["t_x"], told["T"])
cpu = time.process_time() - begun
params = [float(model.params_[n]) for n in ("r", "alpha", "a", "b")]
"""
PYMC = """
import json, sys, time, warnings
warnings.filterwarnings("ignore")
import numpy as np, pandas as pd
from pymc_extras.prior import Prior
from pymc_marketing import clv
told = np.load(sys.argv[1])
frame = pd.DataFrame({"customer_id": np.arange(told["x"].size), "frequency": told["x"], "recency": told["t_x"], "T": told["T"]})
kind = {"bg_nbd": clv.BetaGeoModel, "mbg_nbd": clv.ModifiedBetaGeoModel}[sys.argv[2]]
priors = None if sys.argv[3:] == ["own"] else {n: Prior("HalfFlat") for n in ("r", "alpha", "a", "b")}
begun = time.process_time()
model = kind(data=frame, model_config=priors)
model.fit(method="map", progressbar=False)
cpu = time.process_time() - begun
params = [float(model.fit_result[n].values.ravel()[0]) for n in ("r", "alpha", "a", "b")]
"""
TOLD = """
peak = int(open("/proc/self/status").read().split("VmHWM:")[1].split()[0]) / 1024
print(json.dumps({"cpu": cpu, "mb": peak, "params": params}))
"""


class Peer(NamedTuple):
    """Somebody else's fit: what to install, what to run, and the most of its CPU that ours may take."""

    name: str
    wanted: str
    code: str
    asked: float
    also: tuple[str, ...] = ()  # further ways to run it, told beside


PEERS = (
    Peer("lifetimes", "lifetimes==0.11.3", LIFETIMES, 1 / 8),
    Peer("pymc-marketing", "pymc-marketing==0.19.2", PYMC, 1 / 6, ("own",)),
)


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
    """Of every customer by the published formulas, without our grouping, tables or code (Fader, Hardie & Lee 2005; Batislam 2007)."""
    from scipy.special import betaln, gammaln

    told = np.load(path)
    total = 0.0
    r, alpha, a, b = params
    for start in range(0, told["x"].size, 500_000):
        x, t_x, T = (told[name][start : start + 500_000] for name in ("x", "t_x", "T"))
        stays = betaln(a, b + x + (model == "mbg_nbd")) - (r + x) * np.log(alpha + T)
        left = betaln(a + 1, b + x - (model == "bg_nbd")) - (r + x) * np.log(alpha + t_x)
        if model == "bg_nbd":
            left[x == 0] = -np.inf  # nobody leaves before a first repeat
        common = gammaln(r + x) - gammaln(r) + r * np.log(alpha) - betaln(a, b)
        total += float((common + np.logaddexp(stays, left)).sum())
    return total


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


def child(*arguments: str, runs: int = 1, python: str = sys.executable, code: str = "") -> dict:
    """The best of some runs of a task in a process of its own, on one thread. Raises CalledProcessError."""
    asked = [python, "-c", code] if code else [python, __file__]
    told = [
        json.loads(
            subprocess.run(
                [*asked, *arguments], check=True, capture_output=True, text=True, env=os.environ | ONE_THREAD,
                cwd=tempfile.gettempdir() if code else None,
            ).stdout.strip().splitlines()[-1]
        )
        for _ in range(runs)
    ]  # fmt: skip
    return min(told, key=lambda one: one.get("cpu", one.get("night", 0.0)))


def environment(home: Path, wanted: str) -> str | None:
    """A Python that has a peer; None where it cannot be installed."""
    place = home / wanted.split("=")[0]
    python = str(place / "bin" / "python")
    try:
        subprocess.run([sys.executable, "-m", "venv", str(place)], check=True, capture_output=True)
        subprocess.run([python, "-m", "pip", "install", "--quiet", wanted], check=True, capture_output=True)
    except (OSError, subprocess.CalledProcessError):
        return None
    return python


def beside(peer: Peer, python: str, path: Path, model: str, mine: dict, runs: int) -> bool:
    """Print how a peer fares on the same rows; whether ours holds against it."""
    try:
        theirs = child(str(path), model, runs=runs, python=python, code=peer.code + TOLD)
        others = {way: child(str(path), model, way, python=python, code=peer.code + TOLD) for way in peer.also}
    except subprocess.CalledProcessError as error:
        print(f"  {peer.name} did not get through: {(error.stderr.strip() or '?').splitlines()[-1]}")
        return True
    own, their = likelihood(path, model, mine["params"]), likelihood(path, model, theirs["params"])
    ratio = mine["cpu"] / theirs["cpu"]
    print(
        f"  {peer.wanted}: {theirs['cpu']:.2f} CPU s, {theirs['mb']:.0f} MB, LL {their:.4f}; ours {ratio:.3f} of its CPU "
        f"(1/{1 / ratio:.0f}; asked: 1/{1 / peer.asked:.0f}), log-likelihood {own - their:+.4f}"
    )
    for way, other in others.items():
        its = likelihood(path, model, other["params"])
        print(f"    with its {way} priors: {other['cpu']:.2f} CPU s, LL {its:.4f} ({own - its:+.4f})")
    return ratio <= peer.asked and own > their - 0.01


def main() -> int:
    parser = argparse.ArgumentParser(description=__doc__, formatter_class=argparse.RawDescriptionHelpFormatter)
    parser.add_argument("--customers", type=int, default=1_000_000)
    parser.add_argument("--many", type=int, default=10_000_000)
    parser.add_argument("--orders", type=int, default=1_000_000)
    parser.add_argument("--runs", type=int, default=3)
    parser.add_argument("--lifetimes", metavar="PYTHON")
    parser.add_argument("--pymc", metavar="PYTHON", dest="pymc-marketing")
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
        pythons = {peer.name: getattr(told, peer.name) or environment(home, peer.wanted) for peer in PEERS}
        for name, python in pythons.items():
            if python is None:
                print(f"{name} LEFT OUT: it could not be installed here.")
        drawn(home / "some.npz", told.customers)
        for model in ("bg_nbd", "mbg_nbd"):
            mine = child("--task", "ours", str(home / "some.npz"), model, runs=told.runs)
            print(
                f"{model}, {told.customers:,} customers ({mine['rows']:,} different): {mine['cpu']:.2f} CPU s, {mine['mb']:.0f} MB, {mine['code']}, LL {mine['ll']:.4f}"
            )
            for peer in PEERS:
                if python := pythons[peer.name]:
                    fair = beside(peer, python, home / "some.npz", model, mine, told.runs) and fair
        drawn(home / "many.npz", told.many, seed=12)
        for model in ("bg_nbd", "mbg_nbd"):
            mine = child("--task", "ours", str(home / "many.npz"), model)
            print(
                f"{model}, {told.many:,} customers ({mine['rows']:,} different): {mine['cpu']:.2f} CPU s, {mine['mb']:.0f} MB, {mine['code']} (asked: 6 CPU s, 1,500 MB)"
            )
    return 0 if fair and made["same"] else 1


if __name__ == "__main__":
    sys.exit(main())
