"""The English sentences of the member handbook."""

from __future__ import annotations

from decimal import Decimal

from shuke.engine.calendar.festivals import FESTIVALS
from shuke.engine.charter.document import Charter
from shuke.engine.charter.earning import Caps, Earning, Expiry, Group
from shuke.engine.charter.parts import Day, Name, When
from shuke.engine.charter.tiering import Condition, Limits, Membership, Review, Window
from shuke.kit.money import SYMBOLS


def number(value: Decimal | int) -> str:
    text = f"{value:,f}" if isinstance(value, Decimal) else f"{value:,}"
    return text.rstrip("0").rstrip(".") if "." in text else text


MONTHS = (
    "January", "February", "March", "April", "May", "June", "July", "August", "September", "October", "November", "December",
)  # fmt: skip


def day_of_year(month: int, day: int) -> str:
    """“1 January”: 1/2 is one day here and another there."""
    return f"{day} {MONTHS[month - 1]}"


def nth(n: int) -> str:
    if n == -1:
        return "last"
    return f"{n}{'th' if 10 < n % 100 < 14 else {1: 'st', 2: 'nd', 3: 'rd'}.get(n % 10, 'th')}"


class English:
    code = "en"
    titles = {
        "joining": "How to become a member",
        "earning": "How you earn {points}",
        "activities": "{Points} for taking part",
        "points": "Your {points}",
        "tiers": "Tiers",
        "growth": "Growth value",
        "memberships": "Paid membership",
        "review": "How tiers are reviewed",
        "returns": "Returns",
        "duties": "Duties",
    }
    weekdays: tuple[str, ...] = ("Monday", "Tuesday", "Wednesday", "Thursday", "Friday", "Saturday", "Sunday")

    def __init__(self, charter: Charter) -> None:
        self.charter = charter
        self.symbol = SYMBOLS.get(charter.currency, charter.currency + " ")
        self.points_name = getattr(charter.points.name, self.code)
        self.called = self.points_name[:1].upper() + self.points_name[1:]  # at the beginning of a sentence
        self.titles = {key: t.format(points=self.points_name, Points=self.called) for key, t in self.titles.items()}
        self.tier_names = {t.key: getattr(t.name, self.code) for t in charter.tiers}

    def some(self, points: int) -> str:
        name = self.points_name
        return f"{points:,} {name[:-1] if points == 1 and name.endswith('s') else name}"

    def money(self, amount: Decimal) -> str:
        return self.symbol + number(amount)

    # -- tiers --------------------------------------------------------------------------------------------------

    def window(self, window: Window | None) -> str:
        window = window or self.charter.grading.window
        return {
            "rolling": f"in the last {window.months} months" if window.months > 1 else "in the last month",
            "calendar_year": "in the calendar year",
            "calendar_quarter": "in the calendar quarter",
            "calendar_month": "in the calendar month",
            "anniversary": "in your membership year",
            "lifetime": "since you joined",
        }[window.kind]

    def condition(self, c: Condition, inner: bool = False) -> str:
        for parts, word in ((c.all, " and "), (c.any, " or ")):
            if parts is not None:
                text = word.join(self.condition(p, True) for p in parts)
                return f"({text})" if inner and len(parts) > 1 else text
        figure = c.at_least or Decimal(0)
        return {
            "amount": f"spend {self.money(figure)} {self.window(c.window)}",
            "orders": f"buy {number(figure)} times {self.window(c.window)}",
            "single_order": f"buy for {self.money(figure)} in one order {self.window(c.window)}",
            "growth": f"collect {number(figure)} growth value {self.window(c.window)}",
            "points": f"earn {number(figure)} {self.points_name} {self.window(c.window)}",
            "invited": "be invited by the shop",
        }[str(c.measure)]

    def tier(self, i: int) -> str:
        t = self.charter.tiers[i]
        if t.paid_only:
            text = f"{t.name.en}: only by paid membership or given by the shop."
        elif t.reach is None:
            text = f"{t.name.en}: everybody, from joining on."
        else:
            text = f"{t.name.en}: {self.condition(t.reach)}."
        if t.keep is not None:
            text += f" To keep it: {self.condition(t.keep)}."
        if t.multiplier != 1:
            text += f" {self.called} on purchases × {number(t.multiplier)}."
        return text

    def benefit(self, tier: Name, benefit: Name) -> str:
        return f"{tier.en}: {benefit.en}."

    def membership(self, m: Membership) -> str:
        lasts = [f"{m.months} months" if m.months != 1 else "1 month"] if m.months else []
        lasts += [f"{m.days} days"] if m.days else []
        text = f"{m.name.en}: {self.money(m.price)} for {' and '.join(lasts)}; meanwhile you are at least {self.tier_names[m.tier]}."
        text += (
            " Bought again while it runs, it goes on from its end."
            if m.renewal == "extend"
            else " Bought again while it runs, it begins anew."
        )
        text += (
            " The fee counts like any purchase."
            if m.earns
            else f" The fee earns no {self.points_name} and does not count for tiers."
        )
        if m.products:
            text += f" It begins when you buy {' or '.join(m.products)}."
        return text + " Given back, it ends at once."

    # -- growth value -------------------------------------------------------------------------------------------

    def growth_counts(self) -> bool:
        """Does growth value decide a tier?"""
        todo = [c for t in self.charter.tiers for c in (t.reach, t.keep) if c is not None]
        while todo:
            one = todo.pop()
            if one.measure == "growth":
                return True
            todo += [*(one.all or ()), *(one.any or ())]
        return False

    def growth_base(self) -> list[str]:
        per = self.charter.grading.growth_per
        return [f"1 growth value for each {self.money(per)} spent; fractions are dropped per order."] if per else []

    def growth_loss(self) -> list[str]:
        loss = self.charter.grading.growth_loss
        told = []
        if loss.months:
            end = "the end of month" if loss.to_month_end else "month"
            told.append(f"Growth value counts until {end} {loss.months} after it was collected.")
        if loss.yearly_percent:
            told.append(
                f"Every year on {day_of_year(loss.month, loss.day)} {loss.yearly_percent}% of your growth value is taken off."
            )
        return told

    # -- earning ------------------------------------------------------------------------------------------------

    def rule(self, r: Earning) -> str:
        what = self.gives(r)
        text = f"{r.name.en}: {what}{self.when(r.when)}."
        for streak in r.streaks:
            text += f" On every {nth(streak.days)} day in a row {self.unit(r, streak.points)} more."
        text += self.limits(r.limits) + self.caps(r.caps, r)
        if r.budget is not None:
            text += f" While the {r.budget.points:,} {self.points_name} set aside for it last."
        return text + (" Other rules per amount do not apply to these goods." if r.exclusive else "")

    def unit(self, r: Earning, points: int) -> str:
        return f"{points:,} growth value" if r.gives == "growth" else self.some(points)

    def gives(self, r: Earning) -> str:
        each = "each full" if r.whole else "each"
        return {
            "per_amount": f"{self.unit(r, r.points)} for {each} {self.money(r.per)}",
            "per_item": f"{self.unit(r, r.points)} for each piece",
            "fixed": self.unit(r, r.points),
            "multiply": f"{'growth value' if r.gives == 'growth' else self.points_name} on purchases × {number(r.times)}",
            "activity": self.unit(r, r.points),
        }[r.kind]

    @classmethod
    def day(cls, d: Day) -> str:
        if d.month_day is not None:
            return f"day {d.month_day} of the month"
        if d.nth is not None:
            return f"the {nth(d.nth)} {cls.weekdays[(d.weekday or 1) - 1]} of the month"
        text = str(d.date) if d.date else FESTIVALS[str(d.festival)].en
        around = [
            f"{n} {'day' if n == 1 else 'days'} {word} it"
            for n, word in ((d.before, "before"), (d.after, "after"))
            if n
        ]
        return f"{text} (from {' to '.join(around)})" if around else text

    @classmethod
    def moments(cls, w: When) -> list[str]:
        """On which purchase, day and hour."""
        parts = []
        if w.first_purchase:
            parts.append("on your first purchase")
        if w.nth_purchases:
            parts.append("on your " + ", ".join(map(nth, w.nth_purchases)) + " purchase")
        if w.birthday:
            parts.append({"day": "on your birthday", "week": "in the week (Monday to Sunday) of your birthday",
                          "month": "in the month of your birthday"}[w.birthday])  # fmt: skip
        if w.month_days:
            parts.append("on day " + ", ".join(map(str, w.month_days)) + " of the month")
        if w.weekdays:
            parts.append("on " + ", ".join(cls.weekdays[d - 1] for d in w.weekdays))
        if w.days:
            parts.append("on " + " or ".join(cls.day(d) for d in w.days))
        if w.hours:
            parts.append(hours(w.hours, "between", "and", "or"))
        return parts

    def when(self, w: When) -> str:
        parts = self.moments(w)
        if w.from_date:
            parts.append(f"from {w.from_date}")
        if w.until_date:
            parts.append(f"until {w.until_date} inclusive")
        if w.min_amount:
            what = {"goods": "of these goods ", "before_discounts": "before discounts ", "paid": "paid in all "}.get(
                w.min_amount_of, ""
            )
            parts.append(f"for orders of {self.money(w.min_amount)} or more {what}".rstrip())
        if w.min_pieces:
            parts.append(f"for {w.min_pieces} pieces or more")
        for label, values in (
            ("on goods of", w.categories), ("on the goods", w.products), ("on the brands", w.brands), ("in the stores", w.stores),
            ("on", w.platforms), ("through", w.channels),
        ):  # fmt: skip
            if values:
                parts.append(f"{label} {', '.join(values)}")
        if w.tiers:
            parts.append("for " + ", ".join(self.tier_names[t] for t in w.tiers))
        return "".join(", " + p if i else " " + p for i, p in enumerate(parts))

    def caps(self, c: Caps, r: Earning | None = None) -> str:
        spans = ((c.per_order, "per order"), (c.per_day, "per day"), (c.per_week, "per week (Monday to Sunday)"),
                 (c.per_month, "per month"), (c.per_member, "in all"))  # fmt: skip
        kind = r.kind if r is not None else ""
        more, before = " more" if kind == "multiply" else "", ", before multipliers" if self.is_multiplied(r) else ""
        told = [f"{n:,}{more} {span}" for n, span in spans if n is not None]
        return f" At most {', '.join(told)}{before}." if told else ""

    def is_multiplied(self, r: Earning | None) -> bool:
        """Whether what this rule gives is multiplied after its own cap."""
        multiplying = any(one.kind == "multiply" for one in self.charter.earning)
        multiplying |= any(tier.multiplier != 1 for tier in self.charter.tiers)
        return multiplying and r is not None and r.gives == "points" and r.kind in ("per_amount", "per_item")

    def limits(self, c: Limits) -> str:
        spans = (
            (c.per_day, "a day"),
            (c.per_week, "a week (Monday to Sunday)"),
            (c.per_month, "a month"),
            (c.per_member, "in all"),
        )
        told = [f"{'once' if n == 1 else f'{n:,} times'} {span}" for n, span in spans if n is not None]
        return f" At most {', '.join(told)}." if told else ""

    def group(self, group: Group, rules: list[Earning]) -> str:
        names = ", ".join(r.name.en for r in rules)
        which = (
            "the one that gives you most"
            if group.take == "best"
            else "the first that applies, in this order: "
            + ", ".join(r.name.en for r in sorted(rules, key=lambda r: -r.priority))
        )
        return f"Of {names} only one counts per order: {which}."

    def base(self) -> str:
        base = self.charter.points.base
        more = [
            word
            for told, word in (
                (base.freight, "freight"), (base.discounts, "what our offers took off"),
                (base.coupons, "what coupons paid"), (base.points, f"what you paid with {self.points_name}"),
            )
            if told
        ]  # fmt: skip
        less = [
            word for told, word in ((not base.tax, "tax"), (not base.stored_value, "what stored value paid")) if told
        ]
        less += [f"what was paid by {name}" for name in base.without_tenders]
        text = "Counted is what you paid for goods after discounts"
        if more:
            text += ", and " + ", ".join(more)
        if not base.freight:
            less.insert(0, "freight")
        return text + (", without " + ", ".join(less) if less else "") + "."

    def rounding(self) -> str:
        points = self.charter.points
        what = {
            "floor": "is dropped",
            "half_up": "of a half or more is rounded up",
            "ceil": "is rounded up to a whole one",
        }[points.rounding]
        return f"The fraction of a point {what}, once per {'line' if points.round_per == 'line' else 'order'}."

    def together(self) -> list[str]:
        points = self.charter.points
        text = {
            "add": "Rules add up",
            "best": "Of several rules the one that gives you most counts",
            "first": "Of several rules the first that applies counts",
        }[points.stacking]
        how = {
            "best": "the largest one counts",
            "multiply": "they multiply each other",
            "add": "what each adds is added up",
        }[points.multipliers]
        return [
            f"{text}; multipliers apply to {self.points_name} on purchases, not to fixed bonuses.",
            f"Where several multipliers apply, {how}.",
            *self.tier_before(),
        ]

    def tier_before(self) -> list[str]:
        """Which tier's multiplier a purchase has that itself lifts the member."""
        if all(tier.multiplier == 1 for tier in self.charter.tiers):
            return []
        return [
            "A purchase counts with the tier you had before it; a tier it lifts you to counts from the next one on."
        ]

    def all_caps(self) -> list[str]:
        told = self.caps(self.charter.points.caps)
        return [f"All rules together:{told}".replace(": At", ": at")] if told else []

    # -- points -------------------------------------------------------------------------------------------------

    def pending(self) -> str:
        points = self.charter.points
        days = points.pending_days
        if points.pending_from == "completion":
            when = (
                f"from the start of day {days} after you received the order" if days else "once you received the order"
            )
            return f"{self.called} can be used {when}, at the latest {points.pending_most_days} days after payment."
        if not days:
            return f"{self.called} can be used at once."
        return (
            f"{self.called} can be used from the start of day {days} after payment, when the return window has closed."
        )

    def expiry(self, e: Expiry) -> str:
        to = e.to or ("month" if e.to_month_end else "day")
        end = {"quarter": "calendar quarter", "half_year": "half year", "year": "year"}.get(to, "")
        if e.kind in ("months", "activity"):
            month = f"month {e.months}" if e.months else "this month"
            length = f"{e.months} months" if e.months != 1 else "1 month"
        if e.kind == "activity":
            text = f"All your {self.points_name} lapse {length} after your last purchase, spend or activity"
            text += "" if to == "day" else f", at the end of that {end or 'month'}"
            return text + "; each one prolongs them."
        if e.kind == "months":
            text = {
                "day": f"{self.called} can be used for {length}",
                "month": f"{self.called} can be used until the end of {month} after they were earned"
                if e.months
                else f"{self.called} can be used until the end of the month they were earned in",
            }.get(
                to
            ) or f"{self.called} can be used until the end of the {end} that {month} after they were earned is in"
        elif e.kind == "year_end":
            year = "year" if e.month == 12 else f"year that ends with month {e.month}"
            text = {
                0: f"{self.called} can be used until the end of the {year}",
                1: f"{self.called} can be used until the end of the next {year}",
            }.get(e.years, f"{self.called} can be used until the end of the {nth(e.years)} {year} after")
        else:
            text = {
                "never": f"{self.called} do not expire",
                "days": f"{self.called} can be used for {e.days} days",
                "fixed": f"{self.called} can be used until {e.on}",
            }[e.kind]
        return text + ". The oldest are used first."

    def value(self) -> str:
        return f"100 {self.points_name} are worth {self.money(self.charter.points.value * 100)}."

    def handing(self) -> list[str]:
        """To whom points can be handed, and what a family shares."""
        points = self.charter.points
        to = {"no": "nobody", "family": "members of your family", "anyone": "any member"}[points.transfer]
        most = points.transfer_most_per_day
        if points.transfer == "no":
            return [f"{self.called} cannot be handed to others."]
        told = [
            f"You can hand {self.points_name} to {to}{f', at most {most:,} a day' if most is not None else ''}; they keep their expiry."
        ]
        return [*told, "What you lack when you pay, your family can give, if the shop keeps you as a family."]

    def lapsed(self) -> list[str]:
        days = self.charter.points.reinstate_days
        return (
            [f"Lapsed {self.points_name} can be given back by the shop for {days} days, if there is a reason."]
            if days
            else []
        )

    # -- review -------------------------------------------------------------------------------------------------

    def upgrade(self) -> str:
        if self.charter.grading.upgrade == "at_review":
            return "You rise at the review, if your figures reach a higher tier."
        return "You rise as soon as you reach a tier."

    def reviews(self) -> list[str]:
        told = [self.review(self.charter.grading.review)]
        told += [f"{t.name.en}: {self.review(t.review)}" for t in self.charter.tiers if t.review is not None]
        return told

    def review(self, r: Review) -> str:
        return {
            "never": "A tier once reached is kept.",
            "after_months": f"A tier is reviewed {r.months} months after you reached or last kept it.",
            "after_days": f"A tier is reviewed {r.days} days after you reached or last kept it.",
            "yearly": f"Tiers are reviewed every year on {day_of_year(r.month, r.day)}.",
            "quarterly": f"Tiers are reviewed every quarter, on day {r.day} of its {nth(r.month)} month.",
            "monthly": f"Tiers are reviewed every month on day {r.day}.",
            "join_anniversary": "Tiers are reviewed on each anniversary of joining.",
        }[r.kind]

    def protection(self) -> list[str]:
        days = self.charter.grading.protection_days
        return [f"For {days} days after you reached a tier no review takes it from you."] if days else []

    def fall(self) -> str:
        g = self.charter.grading
        grace = f"you have {g.grace_days} more days to make up for it; after that " if g.grace_days else ""
        step = "you go down by one tier" if g.fall == "one_step" else "you go to the tier your figures reach"
        return f"If the review finds too little, {grace}{step}."

    def notice(self) -> list[str]:
        days = self.charter.grading.notice_days
        return [f"If too little is there {days} days before a review, we tell you what is missing."] if days else []

    def returns(self) -> list[str]:
        points = self.charter.points
        spent = {
            "debt": f"{self.called} that were spent already become a debt, taken from the next {self.points_name} you earn.",
            "balance": f"{self.called} that were spent already are taken from your other {self.points_name}, as far as there are any.",
            "lot": f"{self.called} of the order that were spent already stay spent.",
        }[points.clawback]
        at_once = self.charter.grading.on_refund == "at_once"
        return [
            f"When you return goods, the {self.points_name} these goods earned are taken back; what is left is what the rest of the order "
            "would have earned.",
            spent,
            f"{self.called} you had spent on a returned order come back to where they came from; if they expired meanwhile, they can be "
            f"used for another {points.returned_grace_days} days.",
            "If a return leaves too little for your tier, you go down at once."
            if at_once
            else "A tier is not lowered by a return at once, but at its next review.",
        ]


def hours(hours: tuple[int, ...], between: str, and_: str, or_: str) -> str:
    """14, 15, 16 → between 14:00 and 17:00."""
    spans: list[list[int]] = []
    for hour in sorted(set(hours)):
        if spans and spans[-1][1] == hour:
            spans[-1][1] = hour + 1
        else:
            spans.append([hour, hour + 1])
    return f" {or_} ".join(f"{between} {a}:00 {and_} {b}:00".strip() for a, b in spans)
