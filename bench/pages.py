"""Server time of the console's pages over the data of SHUKE_HOME: python bench/pages.py [pages per kind] [--insight]

Asks for random mixes of filters, sorts and pages of the member list, for random members, and for the dashboard, all
through Django's test client with a signed-in owner, so that session, permission, queries and templates are in it; only the
network and the web server are not. Prints the median, the 95th percentile and the slowest, in milliseconds, of the wall
and of the processor: on a machine that others use too, the second is the figure to compare. The pages of insight are asked for
as the first to look after a night: what pages keep for ten minutes is thrown away before each. --insight: only these. Goods,
profit, profiles and word of mouth show something in a shop to which `bench/after_night.py` was told.
"""

from __future__ import annotations

import json
import os
import random
import sys
import time
from pathlib import Path

sys.path.insert(0, str(Path(__file__).resolve().parent.parent / "src"))
os.environ.setdefault("DJANGO_SETTINGS_MODULE", "shuke.settings")


from django.conf import settings

import shuke.wsgi  # noqa: F401 # as a web process does: what stands is never looked through for garbage

# A page's own work is measured; which hashed name a style sheet has is looked up in memory in any case.
settings.STORAGES["staticfiles"]["BACKEND"] = "django.contrib.staticfiles.storage.StaticFilesStorage"

from django.core.cache import cache  # noqa: E402
from django.test import Client  # noqa: E402

from shuke.insight.queries.filters import LAYERS, SORTS, STAGES, VIEWS  # noqa: E402
from shuke.loyalty.queries import charters  # noqa: E402
from shuke.members.models import Member, MemberState  # noqa: E402
from shuke.shops import queries as shops  # noqa: E402
from shuke.shops.actions import create_staff  # noqa: E402
from shuke.shops.models import Merchant, Role, Staff  # noqa: E402

INSIGHT = (
    "/insight/rfm", "/insight/pyramid", "/insight/growth", "/insight/growth?by=store", "/insight/growth?by=channel",
    "/insight/growth?by=acquisition", "/insight/cohorts", "/insight/cohorts?by=store", "/insight/cohorts?show=spend", "/insight/value",
    "/insight/value/test", "/insight/movement", "/insight/movement?what=layer", "/insight/movement?what=stage", "/insight/points",
    "/insight/goods", "/insight/goods?view=opening", "/insight/goods?view=together", "/insight/goods?view=again",
    "/insight/goods?view=ladder", "/insight/profiles", "/insight/profiles?layer=key", "/insight/profit", "/insight/profit?by=rfm", "/insight/budget", "/insight/loyalty",
    "/insight/costs", "/insight/word-of-mouth",
)  # fmt: skip
RFM = [r + f + m for r in "12" for f in "12" for m in "12"]


def list_address(dice: random.Random, tiers: list[str], stores: list[str]) -> dict[str, str]:
    """A list as somebody might ask for it: none to three filters, any sort, mostly the first pages."""
    asked: dict[str, str] = {"sort": dice.choice(["", "-"]) + dice.choice(SORTS)}
    for _ in range(dice.choice([0, 1, 1, 2, 3])):
        name = dice.choice(
            ["tier", "stage", "rfm", "cell", "layer", "store", "view", "points_from", "bought", "joined"]
        )
        values = {
            "tier": tiers or ["silver"],
            "stage": list(STAGES),
            "rfm": RFM,
            "cell": [f"{r}-{f}" for r in range(1, 6) for f in range(1, 6)],
            "layer": list(LAYERS),
            "store": stores or ["1"],
            "view": list(VIEWS),
            "points_from": ["100", "1000"],
            "bought": ["ever", "never"],
            "joined": ["2017", "2017-01", "2017-03", "2026-01", "2025"],
        }[name]
        asked[name] = dice.choice(values)
    asked["page"] = str(dice.choice([1, 1, 1, 1, 2, 3, 10]))
    return asked


def timed(client: Client, path: str, asked: dict[str, str], **headers: str) -> tuple[float, float]:
    """(wall, processor) milliseconds of one page."""
    start, cpu = time.perf_counter(), time.process_time()
    response = client.get(path, asked or None, headers=headers)
    took = (time.perf_counter() - start) * 1e3, (time.process_time() - cpu) * 1e3
    assert response.status_code == 200, (path, asked, response.status_code)
    return took


def first_look(client: Client, address: str) -> tuple[float, float]:
    cache.clear()
    return timed(client, address, {})


def shares(times: list[tuple[float, float]]) -> dict[str, float]:
    """Median, 95th percentile and slowest of the wall times; the same of the processor's beside, for a busy machine."""
    found: dict[str, float] = {"n": len(times)}
    for name, ordered in (("", sorted(t[0] for t in times)), ("cpu_", sorted(t[1] for t in times))):
        found[name + "p50"] = round(ordered[len(ordered) // 2], 1)
        found[name + "p95"] = round(ordered[min(len(ordered) - 1, int(len(ordered) * 0.95))], 1)
        found[name + "max"] = round(ordered[-1], 1)
    return found


def main(count: int, seed: int = 1) -> None:
    dice = random.Random(seed)
    merchant = Merchant.objects.order_by("id").first()
    assert merchant is not None, "Nothing is in SHUKE_HOME: run `shuke demo --no-serve` first."
    owner = Staff.objects.filter(merchant=merchant, role=Role.OWNER).first() or create_staff(
        merchant=merchant, username="bench", password=os.urandom(12).hex(), role=Role.OWNER, now=shops.now(merchant)
    )  # the shop of bench/night.py has nobody
    client = Client()
    client.force_login(owner)
    try:
        tiers = [tier.key for tier in charters.in_force(merchant, shops.now(merchant)).tiers]
    except charters.NoCharter:
        tiers = []
    stores = [str(store.id) for store in shops.stores(merchant)]
    ids = list(
        Member.objects.filter(merchant=merchant, state=MemberState.ACTIVE)
        .order_by("card")
        .values_list("id", flat=True)[:200_000]
    )
    members = len(ids)
    for path in ("/", "/members", f"/members/{ids[0]}"):  # compile templates, open the database
        client.get(path)
    found: dict[str, dict[str, float]] = {}
    slow: list[tuple[float, dict[str, str]]] = []
    if "--insight" not in sys.argv:
        slow = everyday(client, dice, tiers, stores, ids, count, found)
    for address in INSIGHT:
        client.get(address)  # templates again
        found[address[9:]] = shares([first_look(client, address) for _ in range(max(5, count // 20))])
    if "--json" in sys.argv:
        print(json.dumps({"members": members, **found}))
        return
    print(f"{members:,} members" + (" or more" if members == 200_000 else ""))
    columns = ("p50", "p95", "max", "cpu_p50", "cpu_p95", "cpu_max")
    print(f"{'ms':24} {'n':>5}" + "".join(f"{name:>9}" for name in columns))
    for name, figures in found.items():
        print(f"{name:24} {figures['n']:5}" + "".join(f"{figures[column]:9}" for column in columns))
    if "--slow" in sys.argv:
        for took, asked in sorted(slow, key=lambda pair: -pair[0])[:12]:
            print(f"{took:8.1f}", asked)


def everyday(
    client: Client, dice: random.Random, tiers: list[str], stores: list[str], ids: list[int], count: int,
    found: dict[str, dict[str, float]],
) -> list[tuple[float, dict[str, str]]]:  # fmt: skip
    """Lists, searches, members and the dashboard; answers which list took how long."""
    mixes = [list_address(dice, tiers, stores) for _ in range(count)]
    slow = []
    times = []
    for asked in mixes:
        times.append(timed(client, "/members", asked))
        slow.append((times[-1][0], asked))
    found["member list"] = shares(times)
    found["list fragment"] = shares([timed(client, "/members", asked, **{"HX-Request": "true"}) for asked in mixes])
    digits = [f"{dice.randrange(10_000):04d}" for _ in range(count)]
    found["search box"] = shares([timed(client, "/members/hits", {"q": q}, **{"HX-Request": "true"}) for q in digits])
    chosen = [dice.choice(ids) for _ in range(count)]
    found["member page"] = shares([timed(client, f"/members/{i}", {"sort": "-last"}) for i in chosen])
    found["points of a member"] = shares([timed(client, f"/members/{i}/points", {}) for i in chosen])
    found["dashboard"] = shares([timed(client, "/", {}) for _ in range(max(20, count // 4))])
    return slow


if __name__ == "__main__":
    numbers = [a for a in sys.argv[1:] if a.isdigit()]
    main(int(numbers[0]) if numbers else 200)
