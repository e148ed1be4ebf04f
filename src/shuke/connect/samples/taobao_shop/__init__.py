"""A made-up Taobao shop for babies and skin care: three years of trade, its exports, and the truth behind them.

    truth = make(folder, seed=7, end=datetime(2026, 1, 1), buyers=3000)

`end` is naive Chinese time and the moment the shop's last export was made. The same arguments give the same bytes.
"""

from __future__ import annotations

import random
from datetime import date, datetime, timedelta
from pathlib import Path

from . import mini_program, pools, reports
from .buying import Sale, Trade
from .counter import member_list
from .people import Person, invent
from .spoiled import resaved_in_excel
from .telling import tell
from .truth import TrueOrder, TruePerson, TrueRefund, TrueReject, Truth

__all__ = ["TrueOrder", "TruePerson", "TrueRefund", "TrueReject", "Truth", "make"]

SHOP = reports.SHOP
OVERLAP = timedelta(days=45)  # every export begins this much before the last one ended
# Layout of the order report, its kind, layout of the item report, its kind: oldest half-year first.
PERIODS = (
    ("g0", "gbk-equals", "items-old", "gbk"),
    ("g1", "gbk-quoted", "items-old", "gbk"),
    ("g2-payment", "gbk-quoted", "items-2022", "gbk"),
    ("g3", "utf8", "items-2022", "utf8"),
    ("g4", "utf8", "items-2022", "utf8"),
    ("g4", "xlsx", "items-new", "xlsx"),
)


def make(folder: Path, *, seed: int, end: datetime, buyers: int = 3000, days: int = 1096) -> Truth:
    """Invents the shop and writes all its files into `folder`, which is made if need be.

    At least 20 buyers and 360 days, or some of the oddities would have no room.
    """
    if buyers < 20 or days < 360:
        raise ValueError(f"A shop of {buyers} buyers and {days} days is too small; at least 20 and 360.")
    folder.mkdir(parents=True, exist_ok=True)
    dice = random.Random(seed)
    start = (end - timedelta(days=days)).date()
    people, sales = _live(dice, start=start, end=end, buyers=buyers)
    edges = [
        datetime.combine(start, datetime.min.time()) + (end - _midnight(start)) * i / len(PERIODS) for i in range(7)
    ]
    edges = [edge.replace(hour=21, minute=30, second=0, microsecond=0) for edge in edges[:-1]] + [end]
    _hide(dice, sales, since=edges[-2])
    exports: list[tuple[Path, datetime, list[Sale]]] = []
    files: list[Path] = []
    for (layout, kind, item_layout, item_kind), begin, until in zip(PERIODS, edges, edges[1:], strict=False):
        shown = [s for s in sales if begin - OVERLAP <= s.created <= until]
        path = reports.order_report(folder, shown, at=until, layout=layout, kind=kind)
        exports.append((path, until, shown))
        # The item report is asked for a minute later, so it is the later statement about the same orders.
        later = until + timedelta(minutes=1)
        files += [path, reports.item_report(folder, shown, at=later, layout=item_layout, kind=item_kind)]
    # An export made half-way, found again on an old computer and imported last: nothing may fall back because of it.
    begin, until = edges[3], edges[3] + (edges[4] - edges[3]) / 2
    until = until.replace(hour=21, minute=30, second=0, microsecond=0)
    shown = [s for s in sales if begin <= s.created <= until]
    old = folder / "旧电脑"
    old.mkdir(exist_ok=True)
    path = reports.order_report(old, shown, at=until, layout="g3-extra", kind="utf8")
    exports.append((path, until, shown))
    stale = path
    files.append(reports.refund_report(folder, sales, at=end))
    orders_path, customers_path, mini = mini_program.write(folder, dice, people, at=end)
    files += [orders_path, customers_path, member_list(folder, dice, people, at=end)]
    # Somebody opened an export in a spreadsheet; the next export covers the orders that survived it.
    window = (edges[3] - timedelta(days=40), edges[3] - timedelta(days=15))
    shown = [s for s in sales if window[0] <= s.created <= window[1]]
    spoiled, rejects = resaved_in_excel(folder, shown, at=edges[3] + timedelta(hours=1))
    files += [spoiled, stale]
    return tell(
        shop=SHOP,
        folder=folder,
        files=files,
        people=people,
        sales=sales,
        mini=mini,
        exports=exports,
        rejects=rejects,
        end=end,
    )


def _midnight(day: date) -> datetime:
    return datetime.combine(day, datetime.min.time())


def _live(dice: random.Random, *, start: date, end: datetime, buyers: int) -> tuple[list[Person], list[Sale]]:
    trade = Trade(dice, start, end)
    people = invent(dice, count=buyers, start=start, end=end.date(), season=trade.season)
    sales: list[Sale] = []
    for person in people:
        if person.kind == "brusher":
            first = (person.arrives - start).days
            for _ in range(8):
                created = trade.moment_on(min(first + dice.randrange(60), trade.days - 2))
                sales.append(trade.brushing(person, created))
        else:
            sales += trade.of(person)
    sales = [s for s in sales if s.created < end]
    return people, sales


def _hide(dice: random.Random, sales: list[Sale], *, since: datetime) -> None:
    """Privacy rules reach the newest exports: masked receivers, virtual numbers, now and then a masked account."""
    for sale in sales:
        if sale.created < since - OVERLAP:
            continue
        chance = dice.random()
        if chance < 0.35:
            sale.privacy = "masked"
        elif chance < 0.65:
            sale.privacy = "virtual"
            sale.virtual = f"{pools.phone(dice)}-{dice.randrange(10000):04d}"
        sale.hidden_buyer = sale.created >= since and dice.random() < 0.03
