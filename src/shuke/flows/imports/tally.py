"""What an import counts, the same way for the preview and for the run."""

from __future__ import annotations

from collections.abc import Iterable, Iterator, Mapping
from typing import Any

from shuke.engine.facts import Problem
from shuke.kit import clock
from shuke.kit.money import show
from shuke.orders.told_twice import Twice
from shuke.shops.models import Merchant

COUNTS = (
    "orders_new",
    "orders_changed",
    "orders_same",  # said again as they were
    "refunds_new",
    "refunds_changed",
    "refunds_same",
    "refunds_parked",  # of the new ones: waiting for their order
    "customers",  # customer records
    "members_new",
    "openings",  # balances of another system taken over
    "products",
    "coupons",
    "rejected",  # rows kept out
    "oddities",
)
BAD_SHOWN = 50
EXAMPLES = 3


class Tally:
    """Counts, the first bad rows, and some examples of each oddity. Lives in the batch's `counts` as plain JSON."""

    def __init__(self, told: Mapping[str, Any] | None = None) -> None:
        told = told or {}
        self.counts: dict[str, int] = {name: int(told.get(name, 0)) for name in COUNTS}
        self.odd: dict[str, int] = dict(told.get("odd", {}))
        self.bad: list[Problem] = [problem_of(p) for p in told.get("bad", [])]
        self.examples: dict[str, list[Problem]] = {
            code: [problem_of(p) for p in some] for code, some in told.get("examples", {}).items()
        }

    def add(self, name: str, count: int = 1) -> None:
        self.counts[name] += count

    def problem(self, problem: Problem) -> None:
        if problem.reject:
            self.counts["rejected"] += 1
            if len(self.bad) < BAD_SHOWN:
                self.bad.append(problem._replace(raw=()))
            return
        if problem.code == "more_oddities":  # the reader stops listing after a while, and says how many were left out
            params = dict(problem.params)
            self._odd(params.get("kind", problem.code), int(params.get("count", "0")))
            return
        self._odd(problem.code, 1)
        some = self.examples.setdefault(problem.code, [])
        if len(some) < EXAMPLES:
            some.append(problem._replace(raw=()))

    def problems(self, problems: Iterable[Problem]) -> None:
        for problem in problems:
            self.problem(problem)

    def oddity(self, code: str, number: str) -> None:
        """Something strange about an order as a whole."""
        self.problem(Problem(code, 0, "", number, (), False))

    def _odd(self, code: str, count: int) -> None:
        self.counts["oddities"] += count
        self.odd[code] = self.odd.get(code, 0) + count

    def plain(self) -> dict[str, Any]:
        return {
            **self.counts,
            "odd": self.odd,
            "bad": [plain_problem(p) for p in self.bad],
            "examples": {code: [plain_problem(p) for p in some] for code, some in self.examples.items()},
        }


def counted_twice(found: Iterable[Twice], merchant: Merchant) -> Iterator[Problem]:
    """Refunds that the counter or a program may have told before: they come in, and somebody should look."""
    for one in found:
        day = f"{clock.day_of(one.at, merchant.tz)}" if one.at else ""
        told = (
            ("order", one.order), ("amount", show(one.amount_minor, merchant.currency)), ("other", one.other), ("day", day),
        )  # fmt: skip
        yield Problem("refund_told_twice", 0, "", one.number, told, False)


def plain_problem(problem: Problem) -> dict[str, Any]:
    """A problem as JSON can hold it; `problem_of` reads it back."""
    return {**problem._asdict(), "params": [list(p) for p in problem.params], "raw": list(problem.raw)}


def problem_of(told: Mapping[str, Any]) -> Problem:
    params = tuple((key, value) for key, value in told.get("params", ()))
    return Problem(**{**told, "params": params, "raw": tuple(told.get("raw", ()))})


__all__ = ["COUNTS", "Tally", "counted_twice", "plain_problem", "problem_of"]
