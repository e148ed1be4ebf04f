"""How the made-up people buy: gamma-Poisson visits with drop-out, seasons, needs that climb a ladder, and what goes wrong.

Times are naive Chinese time in here; `truth` makes them aware. A `Sale` knows its whole life, and `at` says how an
export made at some moment would show it.
"""

from __future__ import annotations

import random
from dataclasses import dataclass, field
from datetime import date, datetime, time, timedelta

from shuke.engine.facts import OrderStatus
from shuke.kit.money import allocate

from . import goods, pools
from .people import Account, Person, Receiver

SPRING_FESTIVAL = {
    2019: (2, 5), 2020: (1, 25), 2021: (2, 12), 2022: (2, 1), 2023: (1, 22), 2024: (2, 10), 2025: (1, 29),
    2026: (2, 17), 2027: (2, 6), 2028: (1, 26),
}  # fmt: skip


def appetite(day: date) -> float:
    """How much more than on a plain day people shop."""
    level = 1.15 if day.weekday() >= 5 else 1.0
    month, number = day.month, day.day
    if month == 6 and number <= 20:
        level *= 6.0 if number == 18 else 3.0 if number in (1, 16, 17) else 1.7
    elif month == 11 and number <= 11:
        level *= 7.0 if number in (10, 11) else 4.5 if number <= 3 else 1.6
    elif month == 12 and number in (11, 12):
        level *= 2.4
    elif month == 3 and 4 <= number <= 8:
        level *= 2.0
    if day.year in SPRING_FESTIVAL:
        gap = (day - date(day.year, *SPRING_FESTIVAL[day.year])).days
        level *= 0.3 if -2 <= gap <= 6 else 1.4 if -22 <= gap < -8 else 1.0
    return level


def season_of(start: date, days: int) -> list[float]:
    """Cumulative appetite, scaled so that a whole year of it is as long as a year of plain days."""
    total, running = 0.0, []
    for offset in range(days):
        total += appetite(start + timedelta(days=offset))
        running.append(total)
    return [value * days / total for value in running]


HOURS = [2, 1, 1, 1, 1, 1, 2, 4, 6, 8, 10, 9, 8, 7, 8, 8, 8, 7, 8, 10, 13, 15, 12, 6]


@dataclass
class Item:
    good: goods.Good
    spec: str
    quantity: int
    price: int  # fen, of one piece
    number: str  # sub-order number
    due: int = 0  # fen, after its share of the discount
    paid: int = 0


@dataclass
class Return:
    """A refund request. `item` is the index of the one line it is about, None for the whole order."""

    number: str
    requested: datetime
    finished: datetime
    amount: int
    item: int | None
    granted: bool = True
    goods_back: bool = False


@dataclass
class Sale:
    number: str
    person: Person
    account: Account
    receiver: Receiver
    items: list[Item]
    created: datetime
    goods_due: int
    discount: int
    freight: int
    coins: int  # fen of Taobao coins used
    voucher: int = 0  # fen of what was paid that a Tmall voucher paid
    paid_at: datetime | None = None
    shipped_at: datetime | None = None
    finished_at: datetime | None = None
    closed_at: datetime | None = None
    close_reason: str = ""
    returns: list[Return] = field(default_factory=list)
    buyer_note: str = ""
    seller_note: str = ""
    brushing: bool = False
    hidden_buyer: bool = False  # the export masks even the account name
    privacy: str = ""  # "" | masked | virtual: how the newest export shows the receiver
    virtual: str = ""
    parcel: str = ""
    courier: str = ""

    @property
    def total(self) -> int:
        return self.goods_due + self.freight

    @property
    def paid(self) -> int:
        return self.total - self.coins if self.paid_at else 0

    def status_at(self, moment: datetime) -> OrderStatus | None:
        """None before it was made."""
        if self.created > moment:
            return None
        if self.closed_at and self.closed_at <= moment:
            return OrderStatus.CLOSED_REFUNDED if self.paid_at else OrderStatus.CLOSED_UNPAID
        if self.finished_at and self.finished_at <= moment:
            return OrderStatus.FINISHED
        if self.shipped_at and self.shipped_at <= moment:
            return OrderStatus.SHIPPED
        if self.paid_at and self.paid_at <= moment:
            return OrderStatus.PAID
        return OrderStatus.UNPAID

    def returns_at(self, moment: datetime) -> list[Return]:
        return [r for r in self.returns if r.granted and r.finished <= moment]

    def refunded_at(self, moment: datetime) -> int:
        return sum(r.amount for r in self.returns_at(moment))


class Trade:
    """Makes the sales. Numbers grow with time and end in digits of the account, as the platform's do."""

    def __init__(self, dice: random.Random, start: date, end: datetime) -> None:
        self.dice = dice
        self.start = start
        self.end = end
        self.days = (end.date() - start).days + 1
        self.season = season_of(start, self.days)
        self._serial = 0

    def number(self, created: datetime, account: Account) -> str:
        self._serial += 1
        seconds = int((created - datetime(2010, 1, 1)).total_seconds())
        return f"{seconds:09d}{self._serial % 100_000:05d}{account.number % 100_000:05d}"

    def moment_on(self, day: int) -> datetime:
        hour = self.dice.choices(range(24), HOURS)[0]
        return datetime.combine(self.start + timedelta(days=day), time(hour)) + timedelta(
            seconds=self.dice.randrange(3600)
        )

    def visits(self, person: Person) -> list[datetime]:
        """First visit on the day of arrival, then exponential gaps in shopping time until one is the last."""
        first = (person.arrives - self.start).days
        moments = [self.moment_on(first)]
        if person.kind == "one_off":
            return moments
        ripe = self.season[first]
        while self.dice.random() >= person.leaves_after:
            ripe += self.dice.expovariate(person.rate)
            if ripe >= self.season[-1]:
                break
            moments.append(self.moment_on(self._day_at(ripe)))
        return sorted(moments)

    def _day_at(self, amount: float) -> int:
        low, high = 0, self.days - 1
        while low < high:
            middle = (low + high) // 2
            if self.season[middle] < amount:
                low = middle + 1
            else:
                high = middle
        return low

    def of(self, person: Person) -> list[Sale]:
        """All sales of one person on Taobao, in order of time."""
        sales: list[Sale] = []
        step = person.skin_step
        for created in self.visits(person):
            if created >= self.end:
                continue
            if person.kind == "wholesale":
                sales.append(self.wholesale(person, created))
                continue
            if person.wants == "baby" and self._too_old(person, created):
                break
            sale = self.sale(person, created, step)
            sales.append(sale)
            if sale.finished_at and not sale.returns and person.wants != "baby" and self.dice.random() < 0.16:
                step = min(step + 1, len(goods.SKIN_STEPS) - 1)  # the need is met, the deeper one shows
        person.skin_now = step
        return sales

    def _too_old(self, person: Person, moment: datetime) -> bool:
        return all((moment.date() - child.born).days > 66 * 30 for child in person.children)

    def _good(self, person: Person, created: datetime, step: int) -> goods.Good:
        baby = bool(person.children) and (person.wants == "baby" or self.dice.random() < 0.55)
        if not baby:
            return goods.pick_skin(self.dice, step)
        child = self.dice.choice(person.children)
        months = (created.date() - child.born).days / 30.4
        return goods.pick_baby(self.dice, min(months, 60))

    def sale(self, person: Person, created: datetime, step: int) -> Sale:
        dice = self.dice
        account = person.accounts[0] if len(person.accounts) == 1 or dice.random() < 0.7 else person.accounts[1]
        wanted = {self._good(person, created, step) for _ in range(dice.choices((1, 2, 3, 4), (52, 28, 14, 6))[0])}
        items = [(good, dice.choices((1, 2, 3), (82, 13, 5))[0]) for good in sorted(wanted)]
        sale = self._basket(person, account, created, items)
        if dice.random() < 0.04:
            sale.receiver = Receiver(
                pools.person_name(dice, female=dice.random() < 0.5),
                pools.phone(dice),
                pools.place(dice),
                pools.address_detail(dice),
            )
            sale.buyer_note = dice.choice(("送朋友的，请勿放价格单", "生日礼物，麻烦包装一下", ""))
        elif dice.random() < 0.05:
            sale.buyer_note = dice.choice(
                ("尽快发货，谢谢", "放驿站", "请发圆通", "宝宝皮肤敏感，日期要新鲜的", '加一双手套，"大"号')
            )
        self.live(sale)
        return sale

    def wholesale(self, person: Person, created: datetime) -> Sale:
        dice = self.dice
        items = [(good, dice.randrange(60, 300)) for good in dice.sample(goods.ALL, 3)]
        sale = self._basket(person, person.accounts[0], created, sorted(items))
        sale.seller_note = "批发客户，走物流"
        self.live(sale, smooth=True)
        return sale

    def brushing(self, person: Person, created: datetime) -> Sale:
        """Fake sales a shop makes with a helper; only its own remark tells."""
        sale = self._basket(person, person.accounts[0], created, [(self.dice.choice(goods.ALL), 1)])
        sale.brushing = True
        sale.seller_note = self.dice.choice(("刷单", "SD 刷单勿发", "补单 刷单 空包"))
        self.live(sale, smooth=True)
        return sale

    def _basket(
        self, person: Person, account: Account, created: datetime, wanted: list[tuple[goods.Good, int]]
    ) -> Sale:
        dice = self.dice
        number = self.number(created, account)
        promoted = appetite(created.date()) >= 3
        items = []
        for good, quantity in wanted:
            price = good.price * 85 // 100 if promoted else good.price
            sub = number if len(wanted) == 1 else self.number(created, account)
            items.append(Item(good, goods.spec_text(dice, good), quantity, price, sub))
        worth = [item.price * item.quantity for item in items]
        goods_total = sum(worth)
        discount = 3000 * (goods_total // 30000) if promoted else 2000 if goods_total >= 29900 else 0
        due = goods_total - discount
        freight = 0 if due >= 5900 else 800
        coins = dice.randrange(1, 300) if dice.random() < 0.08 else 0
        for item, share, net in zip(items, allocate(due, worth), allocate(due - coins, worth), strict=True):
            item.due, item.paid = share, net
        return Sale(
            number=number, person=person, account=account, receiver=person.home, items=items, created=created,
            goods_due=due, discount=discount, freight=freight, coins=coins,
        )  # fmt: skip

    def live(self, sale: Sale, *, smooth: bool = False) -> None:
        """Lets the order run its course: paid or not, sent, confirmed, perhaps sent back."""
        dice = self.dice
        fate = 1.0 if smooth else dice.random()
        if fate < 0.065:
            sale.closed_at = sale.created + timedelta(hours=dice.choice((24, 24, 72)))
            sale.close_reason = "买家未付款"
            return
        wait = (
            timedelta(seconds=dice.randrange(8, 300))
            if dice.random() < 0.9
            else timedelta(minutes=dice.randrange(5, 1200))
        )
        sale.paid_at = sale.created + wait
        if fate < 0.08:  # changed their mind before the parcel left
            asked = sale.paid_at + timedelta(minutes=dice.randrange(10, 600))
            self._all_back(sale, asked, asked + timedelta(minutes=dice.randrange(5, 900)), goods_back=False)
            return
        sale.shipped_at = sale.paid_at + timedelta(hours=dice.randrange(3, 52))
        sale.courier = dice.choice(pools.COURIERS)
        sale.parcel = f"{dice.choice(('YT', '75', '46', 'SF'))}{dice.randrange(10**12):012d}"
        arrived = sale.shipped_at + timedelta(hours=dice.randrange(28, 110))
        if fate < 0.105:
            asked = arrived + timedelta(hours=dice.randrange(2, 90))
            self._all_back(sale, asked, asked + timedelta(hours=dice.randrange(40, 190)), goods_back=True)
            return
        lazy = dice.random() < 0.45  # the platform confirms after ten days
        sale.finished_at = (
            sale.shipped_at + timedelta(days=10) if lazy else arrived + timedelta(hours=dice.randrange(1, 60))
        )
        if fate < 0.135:
            self._part_back(sale, arrived + timedelta(hours=dice.randrange(1, 70)))
        elif fate < 0.142:
            asked = arrived + timedelta(hours=dice.randrange(1, 70))
            sale.returns.append(
                Return(f"{sale.number}9", asked, asked + timedelta(days=3), sale.paid, None, granted=False)
            )

    def _all_back(self, sale: Sale, asked: datetime, done: datetime, *, goods_back: bool) -> None:
        sale.returns.append(Return(f"{sale.number}1", asked, done, sale.paid, None, goods_back=goods_back))
        sale.closed_at = done
        sale.close_reason = "买家申请退款" if goods_back else "未发货，买家取消"

    def _part_back(self, sale: Sale, asked: datetime) -> None:
        """One line comes back, or the seller pays something for damage. A single-line order gets a part of its price."""
        dice = self.dice
        done = asked + timedelta(hours=dice.randrange(20, 190))
        index = dice.randrange(len(sale.items))
        item = sale.items[index]
        if len(sale.items) > 1 and dice.random() < 0.6:
            sale.returns.append(Return(f"{item.number}2", asked, done, item.paid, index, goods_back=True))
        else:
            amount = max(1, item.paid * dice.choice((10, 20, 30)) // 100)
            sale.returns.append(Return(f"{item.number}3", asked, done, amount, index))
