"""Earn, spend and price through HTTP with eight tills at once, a million members on PostgreSQL: python bench/tills.py [--members N].

The web part of `shuke serve` (gunicorn, two processes of four threads) on a durable PostgreSQL. Each till is a process
with one connection that stays open and asks again at once: an order that earns points, a spend of points, the price of a
basket of five lines, by turns, for members drawn at random. Beside it the raw limit in the same run: the same tills asking
for /health, which reads nothing. Asked: p95 under 60 ms.
"""

from __future__ import annotations

import argparse
import http.client
import json
import os
import random
import signal
import socket
import subprocess
import sys
import tempfile
import time
from collections import defaultdict
from datetime import UTC, datetime, timedelta
from pathlib import Path

ROOT = Path(__file__).resolve().parent.parent
BEGAN = datetime(2026, 1, 1, tzinfo=UTC)
TILLS = 8


# -- a shop with a million members -------------------------------------------------------------------------------------


def phone(number: int) -> str:
    return f"139{number:08d}"


def furnish(members: int) -> str:
    """A merchant, a charter with prices and points, members with 5,000 points each; the token of its tills."""
    from django.core.management import call_command

    from shuke.engine.charter import document
    from shuke.engine.facts import Claim, IdentityKind, Person
    from shuke.engine.facts import Phone as Number
    from shuke.loyalty import actions
    from shuke.members.actions import recognise
    from shuke.shops.actions import create_merchant, create_store, make_token

    call_command("migrate", verbosity=0)
    now = datetime.now(UTC)
    merchant = create_merchant(name="Bench", zone="Asia/Shanghai", currency="CNY", now=BEGAN)
    create_store(merchant=merchant, platform="pos", code="XH", name="Xuhui")
    _, token = make_token(merchant=merchant, name="tills", may_write=True, now=now)
    charter = document.ready("general")
    plain = document.to_plain(charter) | {"selling": SELLING}
    actions.publish_charter(
        merchant=merchant, charter=document.from_plain(plain), effective_from=BEGAN, now=BEGAN, actor="bench"
    )
    started = time.monotonic()
    claim = Claim(IdentityKind.PHONE, "+86" + phone(0), "", True)
    one = recognise(merchant=merchant, people=[Person(claims=(claim,), phones=(Number("+86" + phone(0)),))], now=BEGAN)
    pattern = one[0].member_id
    assert pattern is not None
    actions.ask(
        merchant=merchant,
        asks=[actions.Ask("open0", "opening", pattern, 5000)],
        now=BEGAN + timedelta(hours=1),
        actor="bench",
    )
    multiply(merchant.pk, pattern, members)
    print(f"{members:,} members with 5,000 points each: {time.monotonic() - started:.0f} s", flush=True)
    return token


SELLING = {
    "points": {},
    "offers": [
        {"key": f"o{n}", "name": {"zh": f"优惠{n}", "en": f"Offer {n}"}, "kind": "percent", "percent": 5 + n,
         "when": {"products": [f"P{n}", f"P{n + 1}"]}}
        for n in range(10)
    ],
}  # fmt: skip


COPIED = {  # of each table what differs between two members, as SQL over g, the number of the copy
    "members_member": {"id": "{member} - b.g", "card": "'9' || lpad(b.g::text, 9, '0')"},
    "members_identity": {"id": "t.id - 10000000 - b.g", "member_id": "{member} - b.g", "blind": "b.blind"},
    "members_contact": {"id": "t.id - 20000000 - b.g", "member_id": "{member} - b.g", "blind": "b.blind"},
    "loyalty_wallet": {"member_id": "{member} - b.g"},
    "loyalty_txn": {
        "id": "t.id - b.g * 20", "member_id": "{member} - b.g", "key": "t.key || '-' || b.g", "event": "t.event || '-' || b.g",
    },
    "loyalty_lot": {
        "id": "t.id - 30000000 - b.g", "member_id": "{member} - b.g", "key": "t.key || '-' || b.g", "txn_id": "t.txn_id - b.g * 20",
    },
    "loyalty_entry": {
        "id": "t.id - 40000000 - b.g * 20", "txn_id": "t.txn_id - b.g * 20",
        "member_id": "CASE WHEN t.member_id IS NULL THEN NULL ELSE {member} - b.g END",
    },
}  # fmt: skip


def multiply(merchant: int, pattern: int, members: int) -> None:
    """Copies of one member with its books, made by the database: a bench need not wait for a million recognitions."""
    from django.db import connection

    from shuke.kit import crypto

    with connection.cursor() as cursor:
        cursor.execute("CREATE TEMP TABLE b (g BIGINT PRIMARY KEY, blind BYTEA)")
        with cursor.copy("COPY b FROM STDIN") as copy:
            for g in range(1, members):
                copy.write_row((g, crypto.blind("+86" + phone(g), "phone", merchant)))
        cursor.execute("SET synchronous_commit = off")
        for table, differing in COPIED.items():
            cursor.execute(
                "SELECT column_name FROM information_schema.columns WHERE table_name = %s AND table_schema = 'public' "
                "ORDER BY ordinal_position",
                [table],
            )
            columns = [row[0] for row in cursor.fetchall()]
            values = ", ".join(differing.get(c, f"t.{c}").format(member=pattern) for c in columns)
            cursor.execute(f"INSERT INTO {table} ({', '.join(columns)}) SELECT {values} FROM {table} t CROSS JOIN b")


# -- one till ----------------------------------------------------------------------------------------------------------


def till(number: int, port: int, token: str, members: int, seconds: float, quiet: bool) -> None:
    """Ask until the time is up; print how long each kind of request took, in ms."""
    dice = random.Random(number)
    cards = json.loads(Path(os.environ["BENCH_CARDS"]).read_text())
    line = http.client.HTTPConnection("127.0.0.1", port)
    headers = {"Authorization": f"Bearer {token}", "Content-Type": "application/json"}
    took: dict[str, list[float]] = defaultdict(list)

    def call(kind: str, method: str, path: str, body: dict | None = None) -> None:
        sent = json.dumps(body) if body is not None else None
        start = time.perf_counter()
        line.request(method, path, sent, headers)
        answer = line.getresponse()
        read = answer.read()
        took[kind].append((time.perf_counter() - start) * 1e3)
        assert answer.status < 300, (kind, answer.status, read[:300])

    end, done = time.monotonic() + seconds, 0
    while time.monotonic() < end:
        done += 1
        if quiet:
            call("health", "GET", "/api/v1/health")
            continue
        who, key = dice.randrange(members), f"{number}-{done}-{int(time.time())}"
        at = datetime.now(UTC).isoformat()
        goods = [
            {"title": "洁面乳", "quantity": 1, "amount_minor": 2560, "product_code": f"P{dice.randrange(12)}"}
            for _ in range(5)
        ]
        order = {"number": key, "store": "XH", "created_at": at, "paid_minor": 12800, "lines": goods,
                 "buyer": {"phone": phone(who)}}  # fmt: skip
        call("earn", "POST", "/api/v1/orders", {"orders": [order]})
        card = dice.choice(cards)
        call("spend", "POST", f"/api/v1/members/{card}/points/spend", {"key": key, "points": dice.randint(1, 50)})
        lines = [{"key": str(n), "sku": f"P{dice.randrange(12)}", "price_minor": 2560, "quantity": 1} for n in range(5)]
        call("price", "POST", "/api/v1/checkout/price",
             {"member": dice.choice(cards), "store": "XH", "lines": lines, "asks": {"points": "most"}})  # fmt: skip
    print(json.dumps(took))


# -- the run -----------------------------------------------------------------------------------------------------------


def all_tills(port: int, token: str, members: int, seconds: float, *, quiet: bool) -> dict[str, list[float]]:
    arguments = [str(port), token, str(members), str(seconds), "quiet" if quiet else "busy"]
    running = [
        subprocess.Popen([sys.executable, __file__, "--till", str(n), *arguments], stdout=subprocess.PIPE, text=True)
        for n in range(TILLS)
    ]
    together: dict[str, list[float]] = defaultdict(list)
    for one in running:
        said = one.communicate()[0]
        if one.returncode:
            raise SystemExit("A till failed.")
        for kind, took in json.loads(said).items():
            together[kind] += took
    return together


def serving(env: dict[str, str], port: int) -> subprocess.Popen:
    """The web part of `shuke serve`; the worker stays out, with a night over a million members in it."""
    command = [sys.executable, "-m", "gunicorn", "shuke.wsgi:application", "--bind", f"127.0.0.1:{port}"]
    command += ["--worker-class", "gthread", "--workers", "2", "--threads", "4", "--log-level", "warning"]
    process = subprocess.Popen([*command, "--no-control-socket"], env=env)
    for _ in range(300):
        try:
            line = http.client.HTTPConnection("127.0.0.1", port, timeout=5)
            line.request("GET", "/api/v1/health")
            if line.getresponse().status == 200:
                return process
        except OSError:
            time.sleep(0.1)
    raise SystemExit("The server does not answer.")


def main(members: int, seconds: float) -> None:
    sys.path.insert(0, str(ROOT / "bench"))
    from _postgres import postgres

    with tempfile.TemporaryDirectory(prefix="shuke-bench-") as home, postgres(shared_buffers="2GB") as url:
        here = {"SHUKE_HOME": home, "DATABASE_URL": url, "DJANGO_SETTINGS_MODULE": "shuke.settings"}
        os.environ.update(here)
        sys.path.insert(0, str(ROOT / "src"))
        import django

        django.setup()
        from django.db import connection

        token = furnish(members)
        with connection.cursor() as cursor:
            cursor.execute("VACUUM ANALYZE")
            cursor.execute("SELECT card FROM members_member ORDER BY id LIMIT 20000")
            cards = Path(home, "cards.json")
            cards.write_text(json.dumps([row[0] for row in cursor.fetchall()]))
        connection.close()
        os.environ["BENCH_CARDS"] = str(cards)
        with socket.socket() as probe:
            probe.bind(("127.0.0.1", 0))
            port = probe.getsockname()[1]
        server = serving({**os.environ, "PYTHONPATH": str(ROOT / "src")}, port)
        try:
            all_tills(port, token, members, 3, quiet=False)  # plans, caches, connections
            raw = all_tills(port, token, members, seconds / 4, quiet=True)
            found = {**raw, **all_tills(port, token, members, seconds, quiet=False)}
        finally:
            server.send_signal(signal.SIGTERM)
            server.wait(60)
        print(f"\n{TILLS} tills, {members:,} members, PostgreSQL (asked: p95 under 60 ms)")
        print(f"{'ms':10}{'n':>8}{'per s':>8}{'p50':>8}{'p95':>8}{'max':>8}")
        for kind, took in found.items():
            took.sort()
            span = seconds / 4 if kind == "health" else seconds
            p50, p95 = took[len(took) // 2], took[int(len(took) * 0.95)]
            print(f"{kind:10}{len(took):>8}{len(took) / span:>8.0f}{p50:>8.1f}{p95:>8.1f}{took[-1]:>8.1f}")


if __name__ == "__main__":
    if "--till" in sys.argv:
        at = sys.argv.index("--till")
        number, port, token, members, seconds, mood = sys.argv[at + 1 :]
        till(int(number), int(port), token, int(members), float(seconds), mood == "quiet")
    else:
        parser = argparse.ArgumentParser(description=__doc__.splitlines()[0])
        parser.add_argument("--members", type=int, default=1_000_000)
        parser.add_argument("--seconds", type=float, default=20)
        asked = parser.parse_args()
        main(asked.members, asked.seconds)
