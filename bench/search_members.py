"""Search over encrypted phones and names at a million members: `python bench/search_members.py [--members 1000000]`.

Builds synthetic members in a database of its own, asks some 300 mixed questions through members.queries.find, and
prints how long they took, beside the raw limit: a plain indexed look-up of rows by card over the same connection.
"""

from __future__ import annotations

import argparse
import os
import random
import sys
import tempfile
import time
from collections import defaultdict
from datetime import UTC, datetime
from pathlib import Path

SURNAMES = "王李张刘陈杨黄赵吴周徐孙马朱胡郭何林高罗郑梁谢宋唐许韩冯邓曹彭曾萧田董袁潘于蒋蔡余杜叶程苏魏吕丁任沈"
GIVEN = "伟芳娜敏静丽强磊军洋勇艳杰娟涛明超秀霞平刚桂英华文玉红建国志海燕小雨欣怡梓涵子轩诗婷雪梅"
PREFIXES = [
    f"1{n}" for n in "30 31 32 35 36 37 38 39 50 51 52 57 58 59 76 77 78 80 81 82 83 85 86 87 88 89 91 98 99".split()
]
NOW = datetime(2026, 11, 1, tzinfo=UTC)


def people(count: int, chance: random.Random):
    from shuke.engine.facts import Claim, IdentityKind, Person, Phone

    for number in range(count):
        name = chance.choice(SURNAMES) + "".join(chance.choices(GIVEN, k=chance.choice((1, 2, 2))))
        nickname = "".join(chance.choices(GIVEN, k=3)) + str(chance.randrange(10_000))
        phone = chance.choice(PREFIXES) + f"{chance.randrange(10**8):08d}"
        yield Person(
            claims=(Claim(IdentityKind.PLATFORM_ID, str(number), "taobao"),),
            name=name,
            nickname=nickname,
            phones=(Phone("+86" + phone),),
        )


def build(merchant, count: int, chance: random.Random) -> float:
    from django.db import connection

    from shuke.members.actions import recognise

    with connection.cursor() as cursor:  # a bench may lose its database in a power cut
        cursor.execute("PRAGMA synchronous=OFF")
        cursor.execute("PRAGMA cache_size=-400000")
    started, chunk, done = time.monotonic(), [], 0

    def store() -> None:
        nonlocal done
        recognise(merchant=merchant, people=chunk, now=NOW)
        done += len(chunk)
        chunk.clear()
        if done % 100_000 == 0:
            print(f"  {done:,} members, {done / (time.monotonic() - started):,.0f} per second", flush=True)

    for person in people(count, chance):
        chunk.append(person)
        if len(chunk) == 20_000:
            store()
    if chunk:
        store()
    return time.monotonic() - started


def questions(chance: random.Random) -> list[tuple[str, str]]:
    from shuke.kit.pinyin import syllables

    asked = []
    for _ in range(30):
        digits = f"{chance.randrange(10**4):04d}"
        name = chance.choice(SURNAMES) + "".join(chance.choices(GIVEN, k=2))
        read = syllables(name)
        phone = chance.choice(PREFIXES) + f"{chance.randrange(10**8):08d}"
        asked += [
            ("any 4 digits", digits),
            ("first 4 digits", phone[:4]),
            ("6 digits", phone[3:9]),
            ("whole phone", phone),
            ("surname", name[0]),
            ("given name", name[1:]),
            ("whole name", name),
            ("initials", "".join(s[0] for s in read)),
            ("full pinyin", "".join(read)),
            ("name and digits", f"{name[0]} {digits}"),
        ]
    chance.shuffle(asked)
    return asked


def quantiles(times: list[float]) -> str:
    times = sorted(times)
    return "  ".join(f"{times[min(int(len(times) * q), len(times) - 1)] * 1000:7.1f}" for q in (0.5, 0.95, 1.0))


def main() -> None:
    parser = argparse.ArgumentParser(description=__doc__)
    parser.add_argument("--members", type=int, default=1_000_000)
    parser.add_argument("--home", help="keep the database here and use it again")
    told = parser.parse_args()
    with tempfile.TemporaryDirectory() as scratch:
        home = Path(told.home or scratch)
        os.environ["SHUKE_HOME"] = str(home)
        os.environ["DJANGO_SETTINGS_MODULE"] = "shuke.settings"
        os.environ.pop("DATABASE_URL", None)
        sys.path.insert(0, str(Path(__file__).resolve().parent.parent / "src"))
        import django

        django.setup()
        from django.core.management import call_command
        from django.db import connection

        from shuke.members.queries import find
        from shuke.shops.models import Merchant

        call_command("migrate", verbosity=0, skip_checks=True)
        chance = random.Random(7)
        merchant = Merchant.objects.first()
        if merchant is None:
            merchant = Merchant.objects.create(name="bench", created_at=NOW)
            print(f"built in {build(merchant, told.members, chance):.0f} s", flush=True)
        times: dict[str, list[float]] = defaultdict(list)
        found = 0
        for kind, text in questions(chance):
            started = time.perf_counter()
            found += len(find(merchant, text))
            spent = time.perf_counter() - started
            times[kind].append(spent)
            times["all"].append(spent)
        with connection.cursor() as cursor:
            for _ in range(300):
                started = time.perf_counter()
                cursor.execute(
                    "SELECT id, card, name, nickname FROM members_member WHERE merchant_id = %s AND card >= %s LIMIT 20",
                    [merchant.id, f"66{chance.randrange(told.members):09d}"],
                )
                cursor.fetchall()
                times["raw: 20 rows by index"].append(time.perf_counter() - started)
            print(f"\n{'milliseconds':24}{'p50':>9}{'p95':>9}{'max':>9}")
            for kind, spent in times.items():
                print(f"{kind:24}  {quantiles(spent)}")
            print(
                f"\n{found:,} hits; database {sum(f.stat().st_size for f in home.glob('shuke.sqlite3*')) / 2**20:,.0f} MB"
            )
            for table in ("members_search_term", "members_phone_gram"):
                cursor.execute(f"SELECT COUNT(*) FROM {table}")
                print(f"{table}: {cursor.fetchone()[0]:,} rows")


if __name__ == "__main__":
    main()
