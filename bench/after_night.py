"""What the jobs after a night cost (goods, profit, profiles) on a large shop that has something to show, and what they cost after the next
one, with 1 % of orders and members changed: `python bench/after_night.py --home FOLDER [--changed 0.01]`.

FOLDER is a shop of `bench/night.py --home FOLDER` after its nights. The first time, its members are told of (age, gender, place, income,
how they came, home store, one in fifty by whom they were brought) and get accounts, its goods get margins, piece costs and needs, and one line in seven a discount;
the columns are made anew. Then each job runs in a process of its own, as a worker has it to do: CPU seconds, time and peak memory
of each; the first time all that jobs keep from one night to the next is made. Then a day changes 1 % of all orders (bench/night.py) and what 1 % of
the members told, a night is run (its own cost is told beside), and each job runs again. `--changed 0` leaves that out. Afterwards `SHUKE_HOME=FOLDER python bench/pages.py` measures pages that have figures.
"""

from __future__ import annotations

import argparse
import json
import os
import sqlite3
import subprocess
import sys
import time
from contextlib import closing
from pathlib import Path
from typing import Any

os.environ.setdefault("OPENBLAS_NUM_THREADS", "1")  # as `shuke` does, before numpy is loaded
HERE = Path(__file__).resolve().parent
sys.path[:0] = [str(HERE), str(HERE.parent / "src")]

JOBS = ("profiles", "goods", "profit")
PLACES = ("广东", "浙江", "江苏", "山东", "河南", "四川", "湖北", "福建", "上海", "北京", "湖南", "安徽", "河北", "陕西", "重庆", "辽宁")  # fmt: skip
INCOMES = ("5 千以下", "5 千到 1 万", "1 万到 2 万", "2 万以上")
WAYS = ("抖音", "小红书", "门店", "朋友", "广告")
JOBS_OF = ("教师", "学生", "职员", "工程师", "自由职业", "退休")
NEEDS = ("清洁", "控油", "保湿", "防晒", "修护", "抗皱", "毛孔", "美白")
_MIXED = "(id % 999983 * 7919 % 1000003)"  # of a member: a number that looks like chance, the same every time


def told(database: Path) -> None:
    """Members as sellers know them: two thirds say how old they are, most where they live. Whoever came early is older."""
    import _history
    from shuke.insight.actions import goods
    from shuke.insight.actions.costs import Statement, set_terms, state_costs
    from shuke.insight.actions.goods import Mark
    from shuke.loyalty.models import Referral
    from shuke.members.models import Member
    from shuke.orders.models import Product
    from shuke.shops.models import Merchant
    from shuke.shops.queries import now as shop_now

    def one_of(names: tuple[str, ...], by: int) -> str:
        cases = " ".join(f"WHEN {i} THEN '{name}'" for i, name in enumerate(names))
        return f"CASE {_MIXED} / {by} % {len(names)} {cases} END"

    with _history._writing(database, indexes=True) as to:
        to.execute(
            f"UPDATE members_member SET gender = CASE {_MIXED} % 5 WHEN 0 THEN '' WHEN 1 THEN 'm' ELSE 'f' END, "
            f"birth_year = CASE WHEN {_MIXED} % 3 = 0 THEN NULL WHEN joined_at < '2025' THEN 1958 + {_MIXED} % 40 ELSE 1970 + {_MIXED} % 38 END, "
            f"province = CASE WHEN {_MIXED} % 10 = 0 THEN '' ELSE {one_of(PLACES, 11)} END, "
            f"income_band = CASE WHEN {_MIXED} % 4 = 0 THEN {one_of(INCOMES, 13)} ELSE '' END, "
            f"occupation = CASE WHEN {_MIXED} % 6 = 0 THEN {one_of(JOBS_OF, 17)} ELSE '' END, "
            f"acquired_by = {one_of(WAYS, 19)}"
        )
        to.execute("UPDATE orders_line SET discount_minor = amount_minor / 5 WHERE id % 7 = 0")
        stores = [pk for (pk,) in to.execute("SELECT id FROM shops_store ORDER BY id")]
        homes = " ".join(f"WHEN {i} THEN {pk}" for i, pk in enumerate(stores))
        to.execute(f"UPDATE members_member SET home_store_id = CASE {_MIXED} / 23 % {len(stores) + 1} {homes} END")
        # Accounts as lists show them, with nothing in the books behind: two in three have points, many of them few.
        to.execute(
            "INSERT OR REPLACE INTO loyalty_wallet (member_id, merchant_id, balance, held, debt, seq, tier, growth, birthdays, standing) "
            f"SELECT id, merchant_id, CASE WHEN {_MIXED} % 3 = 0 THEN 0 ELSE 1000000 / (1 + {_MIXED} / 3 % 9973) END, 0, 0, 0, "
            f"CASE WHEN {_MIXED} / 29 % 12 = 0 THEN 'gold' ELSE 'member' END, 0, '[]', '{{}}' FROM members_member"
        )
    for column in (database.parent / "snapshots").glob("*/*.parquet"):
        column.unlink()
    merchant = Merchant.objects.get()
    now = shop_now(merchant)
    products = list(Product.objects.order_by("pk").values_list("code", "category"))
    margins = [
        Statement("category", category, 250 + 50 * (i % 8))
        for i, category in enumerate(sorted({c for _code, c in products}))
    ]
    margins += [Statement("product", code, cost_minor=600) for code, _category in products[:600:3]]
    state_costs(merchant=merchant, statements=margins, now=now, actor="bench")
    set_terms(merchant=merchant, now=now, actor="bench", margin_permille=380, uplift_permille=60, years_tenths=30)
    people = list(Member.objects.filter(merchant=merchant).order_by("joined_at", "pk").values_list("pk", "joined_at"))
    brought, others = people[len(people) // 2 :: 25], people[: len(people) // 2]
    Referral.objects.bulk_create(
        (
            Referral(merchant=merchant, newcomer_id=who, referrer_id=others[i // 3 * 7 % len(others)][0], how="staff", bound_at=at, made_at=at,
                     actor="bench", state=Referral.State.REWARDED)
            for i, (who, at) in enumerate(brought)
        ),
        batch_size=5_000,
    )  # fmt: skip
    marks = [Mark(code, need=NEEDS[i % len(NEEDS)]) for i, (code, _category) in enumerate(products[:800])]
    goods.mark_goods(merchant=merchant, marks=marks, now=now, actor="bench")


def changed(database: Path, share: float) -> None:
    """A day that touched so many of all orders, and after which as many members told something else; then its night."""
    import night
    from shuke.insight.queries import figures
    from shuke.shops.models import Merchant

    night.changed(database.parent, share)
    day = figures.last_day(Merchant.objects.get())
    assert day is not None
    with closing(sqlite3.connect(database)) as to:
        every = round(1 / share)
        to.execute(
            "UPDATE members_member SET city = '城' || id % 9, birth_year = COALESCE(birth_year, 1980) + 1 WHERE id % ? = ?",
            [every, day.toordinal() % every],
        )
        to.commit()
    sys.stdout.flush()
    import _history

    night.night((day - _history.LAST).days + 1)


def job(name: str) -> None:
    """One job; prints what it cost as JSON."""
    from night import _cpu, _peak
    from shuke.insight import actions
    from shuke.insight.actions import columns
    from shuke.insight.queries import figures
    from shuke.shops.models import Merchant
    from shuke.shops.queries import now as shop_now

    merchant = Merchant.objects.get()
    day = figures.last_day(merchant)
    assert day is not None, "No night was run here: bench/night.py --home first."
    begun, wall = _cpu(), time.perf_counter()
    if name == "columns":
        columns.refresh(merchant=merchant)
    elif name == "profiles":
        actions.profile_columns(merchant=merchant, day=day, now=shop_now(merchant))
    elif name == "goods":
        actions.goods_report(merchant=merchant, day=day, now=shop_now(merchant))
    else:
        actions.profit_report(merchant=merchant, day=day, now=shop_now(merchant))
    print(json.dumps({"cpu": _cpu() - begun, "wall": time.perf_counter() - wall, "mb": _peak()}))


def main() -> int:
    parser = argparse.ArgumentParser(description=__doc__, formatter_class=argparse.RawDescriptionHelpFormatter)
    parser.add_argument("--home", type=Path, required=True, help="a shop of bench/night.py; it is changed")
    parser.add_argument(
        "--changed", type=float, default=0.01, help="share of orders and members that the next day changes"
    )
    parser.add_argument("jobs", nargs="*", help=f"some of {', '.join(JOBS)} only")
    parser.add_argument("--child", help=argparse.SUPPRESS)
    asked = parser.parse_args()
    database = asked.home.resolve() / "shuke.sqlite3"
    if not database.exists():
        parser.error(f"{database} is not there: run bench/night.py --home {asked.home} first.")
    os.environ["SHUKE_HOME"] = str(asked.home.resolve())
    os.environ.pop("DATABASE_URL", None)
    if asked.child:
        import _books

        _books.django()
        if asked.child == "told":
            told(database)
        elif asked.child == "changed":
            changed(database, asked.changed)
        else:
            job(asked.child)
        return 0
    if _nothing_told(database):
        _child(asked, "told")
        _say(asked, "columns")
    first = sum(_say(asked, name) for name in asked.jobs or JOBS)
    if asked.changed:
        *words, cost = _child(asked, "changed").splitlines()
        print("\n".join(words))
        _tell("the night after it", json.loads(cost))
        following = sum(_say(asked, name) for name in asked.jobs or JOBS)
        print(f"jobs after the next night / the first time: {following:.1f} / {first:.1f} CPU s")
    return 0


def _nothing_told(database: Path) -> bool:
    with closing(sqlite3.connect(database)) as to:
        return to.execute("SELECT COUNT(*) FROM insight_stated_cost").fetchone() == (0,)


def _child(asked: argparse.Namespace, what: str) -> str:
    command = [sys.executable, __file__, "--home", str(asked.home), "--changed", str(asked.changed), "--child", what]
    return subprocess.run(command, check=True, stdout=subprocess.PIPE, text=True).stdout


def _say(asked: argparse.Namespace, name: str) -> float:
    cost: dict[str, Any] = json.loads(_child(asked, name))
    _tell(name, cost)
    return float(cost["cpu"])


def _tell(name: str, cost: dict[str, Any]) -> None:
    print(f"{name}: {cost['cpu']:.1f} CPU s, {cost['wall']:.1f} s, {cost['mb']:,.0f} MB", flush=True)


if __name__ == "__main__":
    sys.exit(main())
