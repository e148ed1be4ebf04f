"""All credits to one merchant beside the same credits spread over a hundred: nothing of a merchant is locked per posting. P6.

8 workers on PostgreSQL, durable; the very same call (points given by hand, `ask`) to members of one merchant, and to members of 100.
Rounds are interleaved and rates are medians. Where a shared balance is updated with each posting, one hot row keeps 0.2 of the
rate (pgbench). Asked: at least 0.9 x spread. SQLite has one writer and no such question.
"""

from __future__ import annotations

import os
import random
import sys
import tempfile
import time
import uuid
from datetime import timedelta
from pathlib import Path

import _books
import ledger
from _postgres import binaries, postgres
from ledger import NOW

ROOT = Path(__file__).resolve().parent.parent
MERCHANTS, MEMBERS = 100, 2000


def setup() -> None:
    _books.django()
    from shuke.engine.charter import document
    from shuke.loyalty import actions

    general = document.ready("general")
    for n in range(MERCHANTS + 1):  # the first is the hot one
        merchant = _books.shop(name=f"Bench {n}", charter=document.to_plain(general))
        members = _books.people(merchant, MEMBERS if not n else MEMBERS // MERCHANTS)
        asks = [actions.Ask(f"open{m}", "opening", m, 10) for m in members]
        actions.ask(merchant=merchant, asks=asks, now=NOW, actor="bench")


def hot() -> None:
    _credit(spread=False)


def spread() -> None:
    _credit(spread=True)


def _credit(*, spread: bool) -> None:
    _books.django()
    from shuke.loyalty.actions import Ask, ask
    from shuke.members.models import Member
    from shuke.shops.models import Merchant

    merchants = {m.pk: m for m in Merchant.objects.order_by("pk")}
    first = min(merchants)
    pairs = [
        (merchants[m], pk)
        for pk, m in Member.objects.order_by("pk").values_list("pk", "merchant_id")
        if (m != first) == spread
    ]
    begun = float(os.environ["BENCH_BEGUN"])

    def credit() -> None:
        now = NOW + timedelta(seconds=time.time() - begun)
        merchant, member = random.choice(pairs)
        one = Ask(uuid.uuid4().hex, "adjust", member, random.randint(1, 500))
        assert ask(merchant=merchant, asks=[one], now=now, actor="bench")[0].done

    for merchant in merchants.values():  # the charter of each is read once
        ask(merchant=merchant, asks=[], now=NOW, actor="bench")
    ledger._count(credit, "spread" if spread else "hot")


def main() -> None:
    if binaries() is None:
        print("There is no PostgreSQL on this machine (apt-get install postgresql).")
        return
    ledger.__file__ = __file__  # its rounds start the parts of this file
    os.environ["BENCH_BEGUN"] = str(time.time())
    with tempfile.TemporaryDirectory(prefix="shuke-bench-") as folder, postgres() as url:
        env = {"SHUKE_HOME": folder, "DATABASE_URL": url, "PYTHONPATH": str(ROOT / "src")}
        ledger._setup("setup", env)
        title = "PostgreSQL, durable, 8 workers; raw: spread over 100 merchants (asked: hot at least 0.9 x)"
        ledger._compare(title, {"raw": "spread", "hot": "hot"}, 8, {"raw": env, "hot": env})


if __name__ == "__main__":
    if len(sys.argv) > 1:
        globals()[sys.argv[1]]()
    else:
        main()
