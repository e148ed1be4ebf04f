"""The made-up buyers: who they are, which accounts and phones they use, and who shares a parcel address with whom."""

from __future__ import annotations

import random
from dataclasses import dataclass, field
from datetime import date, datetime, timedelta

from . import pools


@dataclass(frozen=True)
class Child:
    name: str
    born: date
    girl: bool


@dataclass(frozen=True)
class Receiver:
    """Where a parcel goes."""

    name: str
    phone: str
    place: pools.Place
    detail: str


@dataclass
class Account:
    """A Taobao account. Its name may change: `names` holds (from when, name), oldest first."""

    number: int
    names: list[tuple[datetime, str]]

    def name_at(self, moment: datetime) -> str:
        return next(name for since, name in reversed(self.names) if since <= moment)


@dataclass
class Person:
    """One human being, with everything a shop may or may not come to know."""

    key: str
    kind: str  # regular | one_off | wholesale | brusher
    name: str
    female: bool
    born: date
    lunar: bool
    phone: str
    place: pools.Place
    detail: str
    accounts: list[Account]
    wants: str  # skin | baby | both
    skin_step: int
    skin_type: str
    arrives: date
    rate: float
    leaves_after: float  # chance to go for good after an order
    children: list[Child] = field(default_factory=list)
    family: str = ""  # people of one household send to one receiver
    receiver: Receiver | None = None
    mini_program: date | None = None  # first day in the shop's own mini-program, phone verified there
    card: str = ""  # street-counter card
    card_since: date | None = None
    told_account: bool = False  # wrote the Taobao name on the counter form
    skin_now: int = 0  # the step of the ladder they have reached in the end

    @property
    def home(self) -> Receiver:
        return self.receiver or Receiver(self.name, self.phone, self.place, self.detail)


SKIN_TYPES = ("油性", "混合", "干性", "中性", "敏感")


class Census:
    """Invents people one after another; account names and phones never repeat."""

    def __init__(self, dice: random.Random, start: date, end: date) -> None:
        self.dice = dice
        self.start = start
        self.end = end
        self._names: set[str] = set()
        self._phones: set[str] = set()
        self._accounts = 0

    def phone(self) -> str:
        while True:
            number = pools.phone(self.dice)
            if number not in self._phones:
                self._phones.add(number)
                return number

    def account(self, born: int, since: datetime) -> Account:
        self._accounts += 1
        return Account(number=10_000 + self._accounts, names=[(since, self.account_name(born))])

    def account_name(self, born: int) -> str:
        while True:
            name = pools.nickname(self.dice, born)
            if name not in self._names:
                self._names.add(name)
                return name

    def person(self, index: int, kind: str, arrives: date) -> Person:
        dice = self.dice
        female = dice.random() < 0.86
        born = date(dice.randrange(1974, 2004), 1, 1) + timedelta(days=dice.randrange(365))
        wants = dice.choices(("skin", "baby", "both"), (4, 4, 3))[0]
        someone = Person(
            key=f"P{index:05d}",
            kind=kind,
            name=pools.person_name(dice, female=female),
            female=female,
            born=born,
            lunar=dice.random() < 0.06,
            phone=self.phone(),
            place=pools.place(dice),
            detail=pools.address_detail(dice),
            accounts=[self.account(born.year, datetime(2003, 5, 10))],
            wants=wants,
            skin_step=dice.choices((0, 1, 2), (5, 2, 2))[0],
            skin_type=dice.choice(SKIN_TYPES),
            arrives=arrives,
            rate=dice.gammavariate(0.9, 1 / 38),
            leaves_after=min(dice.betavariate(0.7, 8.5), 0.95),
        )
        if wants != "skin":
            someone.children = self._children(arrives)
        return someone

    def _children(self, arrives: date) -> list[Child]:
        """The first child is born from three months after to two years before the first order."""
        dice = self.dice
        first = arrives + timedelta(days=dice.randrange(-730, 90))
        children = [Child(dice.choice(pools.CHILD), first, dice.random() < 0.5)]
        if dice.random() < 0.18:
            children.append(
                Child(dice.choice(pools.CHILD), first + timedelta(days=dice.randrange(540, 1500)), dice.random() < 0.5)
            )
        return [child for child in children if child.born <= self.end + timedelta(days=120)]

    def rename(self, account: Account, born: int) -> None:
        """From some day on the account has another name."""
        span = (self.end - self.start).days
        since = datetime.combine(self.start, datetime.min.time()) + timedelta(
            days=self.dice.randrange(span // 6, span), seconds=self.dice.randrange(86400)
        )
        account.names.append((since, self.account_name(born)))
        account.names.sort()


def invent(dice: random.Random, *, count: int, start: date, end: date, season: list[float]) -> list[Person]:
    """`count` people. `season` is the cumulative appetite for shopping per day: newcomers come when it is high."""
    census = Census(dice, start, end)
    days = len(season)
    people = []
    for index in range(1, count + 1):
        kind = "one_off" if dice.random() < 0.22 else "regular"
        # Seasons bring newcomers in crowds. Never on the very last day, so that everyone can buy.
        ripe = dice.random() ** 1.15 * season[-1]
        day = min(_day_at(season, ripe), days - 2)
        people.append(census.person(index, kind, start + timedelta(days=day)))
    _special(dice, census, people)
    return people


def _day_at(season: list[float], amount: float) -> int:
    low, high = 0, len(season) - 1
    while low < high:
        middle = (low + high) // 2
        if season[middle] < amount:
            low = middle + 1
        else:
            high = middle
    return low


def _special(dice: random.Random, census: Census, people: list[Person]) -> None:
    """Households, second accounts, renamed accounts, mini-program, counter cards, one wholesaler, the brushers."""
    count = len(people)
    wholesaler, *brushers = dice.sample(range(count), 1 + max(2, count // 500))
    people[wholesaler].kind = "wholesale"
    people[wholesaler].rate, people[wholesaler].leaves_after = 1 / 45, 0.0
    for index in brushers:
        people[index].kind = "brusher"
    ordinary = [p for p in people if p.kind in ("regular", "one_off")]
    shuffled = ordinary[:]
    dice.shuffle(shuffled)
    pairs = max(1, count // 40)
    for number in range(pairs):  # two people, two accounts, one receiver
        one, other = shuffled.pop(), shuffled.pop()
        one.family = other.family = f"F{number + 1:04d}"
        other.receiver = one.home
    regulars = [p for p in shuffled if p.kind == "regular" and not p.family]
    for person in regulars[: max(1, count // 50)]:  # one person, two accounts
        person.accounts.append(census.account(person.born.year, datetime(2003, 5, 10)))
    for person in dice.sample(regulars, max(2, len(regulars) // 15)):
        census.rename(person.accounts[0], person.born.year)
    opened = census.end - timedelta(days=min(420, (census.end - census.start).days * 2 // 5))
    for person in dice.sample(ordinary, count // 6):
        latest = max(opened, person.arrives)
        if latest < census.end:
            person.mini_program = latest + timedelta(days=dice.randrange((census.end - latest).days))
    for number, person in enumerate(dice.sample(ordinary, count * 3 // 10), start=1):
        person.card = with_check_digit(f"6001{number:07d}")
        person.card_since = person.arrives + timedelta(days=dice.randrange(max(1, (census.end - person.arrives).days)))
        person.told_account = dice.random() < 0.9


def with_check_digit(digits: str) -> str:
    """Appends the Luhn digit that member cards carry."""
    total = 0
    for place, char in enumerate(reversed(digits)):
        value = int(char) * (2 if place % 2 == 0 else 1)
        total += value - 9 if value > 9 else value
    return digits + str(-total % 10)
