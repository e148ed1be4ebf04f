"""The worked tables of docs/algorithms/finance.md, as they stand there."""

from pathlib import Path

from shuke.engine.finance import breakage, deferral, forecast, journal, months, rolling
from shuke.engine.finance.breakage import Use
from shuke.engine.finance.policy import Policy

PAGE = (Path(__file__).parents[3] / "docs" / "algorithms" / "finance.md").read_text(encoding="utf-8")


def table(head: str) -> list[list[str]]:
    rows = PAGE[PAGE.index(f"| {head}") :].split("\n\n")[0].splitlines()[2:]
    return [[cell.strip() for cell in row.strip().removeprefix("|").removesuffix("|").split("|")] for row in rows]


def test_the_roll_forward():
    first, *rows, last = table("row | points | micro | money |")
    moves = [rolling.Move(row, int(points), int(micro)) for row, points, micro, _money in rows]
    told = rolling.rolled(
        opening_points=int(first[1]), opening_micro=int(first[2]), moves=moves, owed_before=0, owed_after=0
    )
    said = [told.opening, *told.lines, told.closing]
    assert [list(map(str, line)) for line in said] == [[row, points, money] for row, points, _, money in (first, *rows, last)]  # fmt: skip


def triangle() -> tuple[dict[int, int], list[Use], int]:
    grants, uses = {}, []
    for name, issued, *cells in table("issued in | issued | 0 |"):
        month = months.read(name)
        grants[month] = int(issued)
        running = 0
        for age, cell in enumerate(cells[:-1]):
            if cell:
                uses.append(Use(month, month + age, "used", int(cell) - running))
                running = int(cell)
        if int(cells[-1]):
            uses.append(Use(month, max(m for m in grants) + 4, "lapsed", int(cells[-1])))
    return grants, uses, max(grants)


def test_the_chain_ladder():
    grants, uses, until = triangle()
    found = breakage.estimate(breakage.cohorts(grants, uses, until=until), until=until)
    said = [
        [months.label(e.cohort.month), e.method, f"{e.ultimate:.0f}", f"{e.share:.1%}", "" if e.error is None else f"{e.error:.0f}"]
        for e in found.cohorts
    ]  # fmt: skip
    assert said == table("issued in | way |")
    assert [f"{f:.4f}" for f in found.factors] == ["3.0244", "1.3261", "1.1111", "1.0000"]
    assert f"{found.rate:.1%}" == "45.4%"
    assert found.thin == ["not_run_off", "one_season"]


def test_the_held_out_month():
    grants, uses, until = triangle()
    for hidden, cohorts, predicted, used, error in table("hidden | cohorts |"):
        test = breakage.backtest(grants, uses, until=until, hidden=int(hidden))
        assert [test.cohorts, test.predicted, test.actual] == [int(cohorts), int(predicted), int(used)]
        assert f"{test.error:.2%}" == error


def test_the_published_examples():
    """The price allocated to points is the standard's own; KPMG rounds the ratio first, and its 9,000 is taken as given."""
    before = {}
    for example, price, alone, allocated, redeemed, expected, recognised, period in table("example | price |"):
        if "KPMG" in example:
            assert deferral.points_share(int(price), int(alone)) == 8842
            assert round(int(price) * round(int(alone) / (int(price) + int(alone)), 2)) == int(allocated)
        else:
            assert deferral.points_share(int(price), int(alone)) == int(allocated)
        whole = deferral.recognised(int(allocated), int(redeemed), int(expected))
        assert whole == int(recognised), example
        series = example.split(",")[0].replace("10B", "10A")
        assert whole - before.get(series, 0) == int(period), example
        if "10A, year 3" not in example:
            before[series] = whole


def two_months() -> tuple[list[deferral.Issue], dict[int, dict[int, int]]]:
    point = 100 * 1_000_000
    first = deferral.Issue(1, [10_000_000] * 3, [10_000] * 3, [0, 4500, 8500], [0, 0, 0], point)
    second = deferral.Issue(2, [4_000_000, 3_800_000], [4000, 3800], [0, 500], [0, 0], point)
    shares = {1: {1: 950_000}, 2: {1: 950_000, 2: 900_000}, 3: {1: 970_000, 2: 900_000}}
    return [first, second], shares


def test_both_ways_on_a_ledger():
    issues, shares = two_months()
    for head, way in (("end of month | deferred", deferral.deferred), ("end of month | expensed", deferral.provided)):
        found = way(issues, shares, months=range(1, 4))
        assert [[str(m.month), str(m.first), str(m.second), str(m.balance)] for m in found] == table(head)


def test_the_roles_of_each_entry():
    said = [[flow, debit, credit] for flow, (debit, credit, _) in journal.FLOWS.items()]
    names = {"contract liability": "contract_liability", "contra of redemptions": "redeemed"}
    assert said == [[names.get(cell, cell) for cell in row] for row in table("running total | debit")]


def test_the_entries_of_a_month_with_what_came_late():
    made = journal.document(
        Policy(), months.read("2026-03"), currency="CNY", totals={"deferred": 1240}, before={"deferred": 940},
        booked={"deferred": 900}, days={}, figures={},
    )  # fmt: skip
    entries = journal.entries(made, "month")
    roles = {Policy().account(role).code: role for role in ("revenue", "contract_liability")}
    pairs = list(zip(entries[::2], entries[1::2], strict=True))
    said = [[d.number, roles[d.account], roles[c.account], str(d.debit)] for d, c in pairs]
    assert said == [row[1:] for row in table("| number | debit")]


def test_the_forecast():
    past = [(int(left), int(lapsed)) for _, left, lapsed in table("past | open")]
    for due, lapse, low, high, used in table("due next month"):
        (one,) = forecast.ahead({13: (int(due), int(due))}, {1: past}, current=12)
        assert [one.lapse, one.low, one.high, one.due - one.lapse] == [int(lapse), int(low), int(high), int(used)]
