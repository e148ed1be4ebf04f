"""`shuke insight … FILE`: the analyses on a file of orders or of customers. No test here has a database."""

import json
import subprocess
import sys
from pathlib import Path

import duckdb
import numpy as np
import pytest

from shuke.engine.insight.clv import fit as fitting
from shuke.engine.insight.clv import predict, rows
from tests.doors.cli.test_program import environment
from tests.engine.insight.clv import data

ORDERS = """member,paid_on,total
ada,2026-01-05,10
ada,2026-01-05,20
ada,2026-02-09,30
ben,2026-02-01,5
,2026-02-02,35
cui,2026-02-10,100
cui,2026-03-20,-40
"""
NAMED = ("--customer", "member", "--date", "paid_on", "--amount", "total")


@pytest.fixture
def orders(tmp_path) -> str:
    path = tmp_path / "orders.csv"
    path.write_text(ORDERS, encoding="utf-8")
    return str(path)


@pytest.fixture(scope="module")
def cdnow(tmp_path_factory) -> tuple[str, str]:
    """The papers' sample, as a file of orders and as what `summary` would make of its calibration."""
    told = data.cdnow()
    folder = tmp_path_factory.mktemp("cdnow")
    with (folder / "orders.csv").open("w", encoding="utf-8") as file:
        file.write("customer,date,amount\n")
        for who, day, amount in zip(*told, strict=True):
            file.write(f"{who},{np.datetime64(int(day), 'D')},{amount}\n")
    return str(folder / "orders.csv"), str(folder / "summary.parquet")


@pytest.fixture
def summarised(cdnow, shuke) -> str:
    if not Path(cdnow[1]).exists():
        assert shuke("insight", "summary", cdnow[0], "--end", "1997-09-30", "--out", cdnow[1]).code == 0
    return cdnow[1]


def test_a_file_of_orders_becomes_a_row_per_customer(orders, shuke):
    told = shuke("insight", "summary", orders, *NAMED, "--json").json
    assert (told["end"], told["customers"], told["repeaters"]) == ("2026-02-10", 3, 1)
    assert told["identified_share"] == round(125 / 160, 4)
    assert told["enough"]["code"] == "few_repeaters"
    ada, ben, cui = told["rows"]
    assert ada == {
        "customer": "ada", "x": 1, "t_x": 5, "T": 5.142857, "orders": 2, "paid": 2, "spend": 60, "mean_spend": 30,
        "log_gaps": round(np.log(5), 6),
    }  # fmt: skip
    assert (ben["x"], ben["T"]) == (0, 1.285714)
    assert cui["spend"] == 100  # what came back later is not known on the last day of purchases
    assert shuke("insight", "summary", orders, *NAMED, "--end", "2026-03-31", "--json").json["rows"][2]["spend"] == 60
    shown = shuke("insight", "summary", orders, *NAMED).out
    assert "1 rows have no customer" in shown
    assert "Only 1 customers have bought more than once" in shown


def test_the_papers_fit_from_a_file(summarised, shuke):
    told = shuke("insight", "clv", "fit", summarised, "--model", "bg_nbd", "--no-prior", "--json").json
    assert told["params"] == pytest.approx({"r": 0.2426, "alpha": 4.4136, "a": 0.7929, "b": 2.4259}, abs=5e-4)
    assert told["log_likelihood"] == pytest.approx(-9582.429, abs=0.01)
    assert told["se"]["r"] == pytest.approx(0.0126, rel=0.01)
    assert told["verdict"]["code"] == "sound"
    shown = shuke("insight", "clv", "fit", summarised, "--model", "mbg_cnbd", "--k", "3").out
    assert "mbg_cnbd k = 3, 2,357 customers in 1,016 rows" in " ".join(shown.split())
    assert "sound: The top was found" in shown


def test_groups_with_counts_fit_as_their_customers_do(tmp_path, summarised, shuke):
    grouped = tmp_path / "groups.csv"
    duckdb.sql(f"COPY (SELECT x, t_x, T AS age, COUNT(*) AS many FROM '{summarised}' GROUP BY 1, 2, 3) TO '{grouped}'")
    one = shuke("insight", "clv", "fit", summarised, "--json").json
    other = shuke("insight", "clv", "fit", str(grouped), "--columns", "x,t_x,age,many", "--json").json
    assert other["params"] == pytest.approx(one["params"])
    assert other["customers"] == 2_357


def test_donors_are_fitted_by_occasions(tmp_path, shuke):
    table = data.donations()
    path = tmp_path / "donors.csv"
    lines = zip(table.x, table.t_x, table.T, table.n, strict=True)
    path.write_text("x,t_x,T,n\n" + "\n".join(",".join(f"{v:g}" for v in line) for line in lines), encoding="utf-8")
    told = shuke("insight", "clv", "fit", str(path), "--model", "bg_bb", "--no-prior", "--json").json
    assert told["params"] == pytest.approx({"alpha": 1.204, "beta": 0.75, "gamma": 0.657, "delta": 2.783}, abs=1e-3)
    ahead = shuke(
        "insight",
        "clv",
        "predict",
        str(path),
        "--model",
        "bg_bb",
        "--unit",
        "1",
        "--days",
        "10",
        "--no-prior",
        "--json",
    ).json
    (silent,) = [row for row in ahead["rows"] if row["x"] == 0]
    assert silent["orders_10d"] == pytest.approx(0.1302, abs=1e-3)


def test_lasting_traits_are_told_beside_the_parameters(tmp_path, summarised, shuke):
    path = tmp_path / "traits.parquet"
    duckdb.sql(f"COPY (SELECT *, CAST(x > 3 AS INTEGER) AS keen FROM '{summarised}') TO '{path}' (FORMAT parquet)")
    told = shuke("insight", "clv", "fit", str(path), "--covariates", "keen", "--json").json
    assert told["on_rate"]["keen"] > 1
    assert told["rate_se"]["keen"] > 0
    assert "on leaving" in shuke("insight", "clv", "fit", str(path), "--covariates", "keen").out
    assert shuke("insight", "clv", "fit", str(path), "--covariates", "height").code == 1


@pytest.fixture(scope="module")
def channels(tmp_path_factory) -> str:
    """Twelve hundred customers of two channels; who came by the web buys three times as often, later orders wherever they like."""
    path = tmp_path_factory.mktemp("channels") / "orders.csv"
    draw = np.random.default_rng(5)
    with path.open("w", encoding="utf-8") as file:
        file.write("customer,date,amount,channel\n")
        for who in range(1_200):
            web = who % 3 == 0
            days = np.cumsum(np.append(draw.integers(0, 60), draw.exponential(20 if web else 60, 40))).astype(int)
            for i, day in enumerate(days[days < 300]):
                came_by = ("web" if web else "store") if i == 0 else draw.choice(["web", "store"])
                file.write(f"c{who},{np.datetime64('2026-01-01') + day},{draw.gamma(4, 10):.2f},{came_by}\n")
    return str(path)


def test_customers_of_a_file_of_orders_are_told_by_the_channel_that_brought_them(tmp_path, channels, shuke):
    summarised = tmp_path / "summary.parquet"
    assert shuke("insight", "summary", channels, "--out", str(summarised)).code == 0
    first = f"SELECT customer, arg_min(channel, date) AS channel FROM '{channels}' GROUP BY 1"
    parted = tmp_path / "parted.parquet"
    duckdb.sql(f"COPY (SELECT * FROM '{summarised}' JOIN ({first}) USING (customer) ORDER BY customer) TO '{parted}'")

    fitted = shuke("insight", "clv", "fit", str(parted), "--covariates", "channel", "--json")
    assert list(fitted.json["on_rate"]) == ["channel=web"]
    assert fitted.json["on_rate"]["channel=web"] == pytest.approx(np.log(3), abs=0.25)

    by_summary = shuke(
        "insight", "clv", "predict", str(parted), "--covariates", "channel", "--days", "60", "--json"
    ).json
    kept = tmp_path / "fit.json"
    kept.write_text(fitted.out, encoding="utf-8")
    again = shuke("insight", "clv", "predict", str(parted), "--by", str(kept), "--days", "60", "--json").json
    assert again["totals"] == pytest.approx(by_summary["totals"])
    assert by_summary["covariates"] == ["channel=web"]
    assert by_summary["put_right"] == {}
    by_orders = shuke(
        "insight", "clv", "predict", channels, "--orders", "--covariates", "channel", "--days", "60", "--json"
    ).json
    assert by_orders["totals"]["orders_60d"] == pytest.approx(by_summary["totals"]["orders_60d"])
    scale = by_orders["put_right"]["60"]
    assert scale["learned_from"] == 1_200
    for stated, right in zip(by_summary["rows"], by_orders["rows"], strict=True):
        odds = np.log(stated["chance_60d"] / (1 - stated["chance_60d"]))
        told = 1 / (1 + np.exp(-(scale["shift"] + scale["slope"] * odds)))
        assert right["chance_60d"] == pytest.approx(told, abs=1e-4)
    shown = shuke("insight", "clv", "predict", channels, "--orders", "--days", "60").out
    assert "put right by what came of earlier ones, of 1,200 customers" in " ".join(shown.split())
    assert "as the model states them" in shuke("insight", "clv", "predict", str(parted)).out
    assert shuke("insight", "clv", "predict", channels, "--orders", "--by", str(kept)).code == 2


def test_predictions_are_those_of_the_engine_and_a_kept_fit_gives_the_same(tmp_path, summarised, shuke):
    kept = tmp_path / "fit.json"
    kept.write_text(shuke("insight", "clv", "fit", summarised, "--json").out, encoding="utf-8")
    told = shuke("insight", "clv", "predict", summarised, "--days", "30,90", "--json").json
    again = shuke("insight", "clv", "predict", summarised, "--days", "30,90", "--by", str(kept), "--json").json
    assert again["totals"] == pytest.approx(told["totals"])
    seen = duckdb.sql(f"SELECT x, t_x, T FROM '{summarised}'").fetchnumpy()
    columns = [np.asarray(seen[name]) for name in ("x", "t_x", "T")]
    model = fitting.fit(rows.group(*columns))
    assert told["totals"]["orders_90d"] == pytest.approx(predict.expected_orders(model, *columns, 90 / 7).sum())
    assert [row["chance_30d"] for row in told["rows"]] == pytest.approx(
        predict.chance_to_buy(model, *columns, 30 / 7), abs=1e-6
    )
    assert told["rows"][0]["customer"] in (1, "1")
    written = tmp_path / "scores.csv"
    assert shuke("insight", "clv", "predict", summarised, "--out", str(written)).code == 0
    columns_written = written.read_text(encoding="utf-8").splitlines()[0].split(",")
    assert columns_written == [
        "customer", "x", "t_x", "T", "n", "chance_30d", "orders_30d", "chance_90d", "orders_90d", "order_value", "spend_12m"
    ]  # fmt: skip
    assert shuke("insight", "clv", "predict", summarised, "--by", summarised).code == 1  # that is no fit


def test_order_values_from_a_file(tmp_path, summarised, shuke):
    repeats, mean = data.cdnow_means()
    path = tmp_path / "means.csv"
    path.write_text("x,zbar\n" + "\n".join(f"{x:g},{z}" for x, z in zip(repeats, mean, strict=True)), encoding="utf-8")
    told = shuke("insight", "clv", "spend", str(path), "--columns", "x,zbar", "--no-prior", "--json").json
    assert told["params"] == pytest.approx({"p": 6.2488, "q": 3.7446, "gamma": 15.448}, abs=1e-3)
    assert told["shop_mean"] == pytest.approx(35.17, abs=0.01)
    assert told["independent"]
    out = tmp_path / "values.csv"
    assert "mean order of the shop" in shuke("insight", "clv", "spend", summarised, "--out", str(out)).out
    assert len(out.read_text(encoding="utf-8").splitlines()) == 2_358


def test_a_holdout_from_a_file_of_orders(cdnow, orders, shuke):
    asked = ("insight", "clv", "test", cdnow[0], "--cut", "1997-09-30", "--days", "90")
    told = shuke(*asked, "--json").json
    assert (told["begin"], told["end"], told["actual_orders"]) == ("1997-09-30", "1998-06-30", 1_882)
    assert told["gate"] == {
        "earned": True, "shown": "mbg_nbd", "total_good": True, "mae_good": True, "capture_good": True
    }  # fmt: skip
    assert told["methods"][0]["predicted"] == pytest.approx(1_576.7, rel=0.02)  # with the weak prior
    shown = shuke(*asked).out
    assert told["says_en"] in shown
    assert "past_rate" in shown
    thin = shuke("insight", "clv", "test", orders, *NAMED)
    assert (thin.code, "a model needs 50" in thin.err) == (1, True)
    assert "does not lie within the history" in shuke(*asked[:4], "--cut", "2001-01-01").err


def test_rfm_of_a_file(tmp_path, cdnow, shuke):
    out = tmp_path / "scores.csv"
    told = shuke("insight", "rfm", cdnow[0], "--out", str(out), "--json").json
    assert (told["as_of"], told["customers"]) == ("1998-06-30", 2_357)
    assert sum(one["count"] for one in told["classes"]) == 2_357
    spent = data.cdnow().amount.sum()
    assert sum(one["net"] for one in told["classes"]) == pytest.approx(spent, abs=0.01)
    assert len(out.read_text(encoding="utf-8").splitlines()) == 2_358
    assert "Champions" in shuke("insight", "rfm", cdnow[0]).out
    assert shuke("insight", "rfm", "--out", str(out)).code == 2
    assert shuke("insight", "rfm", "--end", "1998-06-30").code == 2


def test_rfm_names_columns_as_the_other_commands_do(orders, shuke):
    told = shuke("insight", "rfm", orders, *NAMED, "--json").json
    assert told["customers"] == shuke("insight", "summary", orders, *NAMED, "--json").json["customers"]
    assert shuke("insight", "rfm", orders, *NAMED, "--end", "2026-03-20", "--json").json["as_of"] == "2026-03-20"


def test_cohorts_of_a_file_leave_blank_what_is_not_over(orders, shuke):
    told = shuke("insight", "cohorts", orders, *NAMED, "--end", "2026-03-20", "--json").json["cohorts"]
    assert [(one["month"], one["customers"]) for one in told] == [("2026-01", 1), ("2026-02", 2)]
    assert told[0]["retention"] == [1, 1, None]  # March is not over
    assert told[1]["retention"] == [1, None, None]
    assert told[1]["spend_per_head"][0] == 52.5
    over = shuke("insight", "cohorts", orders, *NAMED, "--end", "2026-03-31", "--json").json["cohorts"]
    assert over[0]["retention"] == [1, 1, 0]
    assert over[1]["spend_per_head"][:2] == [52.5, 32.5]
    assert "2026-01" in shuke("insight", "cohorts", orders, *NAMED, "--show", "spend").out


def test_concentration_of_a_file_is_the_published_one(tmp_path, shuke):
    told = data.cdnow_full()
    path = tmp_path / "all.parquet"
    with duckdb.connect() as connection:
        connection.register("told", {"customer": told.customer, "day": told.day, "amount": told.amount})
        connection.execute(
            f"COPY (SELECT customer, DATE '1970-01-01' + CAST(day AS INTEGER) AS date, amount FROM told) TO '{path}'"
        )
    found = shuke("insight", "concentration", str(path), "--json").json
    assert found["top_shares"]["20"] == pytest.approx(0.6778, abs=1e-4)
    assert found["gini"] == pytest.approx(0.6346, abs=1e-4)
    assert "the top 20 % bring" in shuke("insight", "concentration", str(path)).out


@pytest.mark.parametrize(
    ("text", "asked", "said"),
    [
        ("x,t_x,T\n1,2,3\n2,oops,4\n", (), "row 2, column t_x: “oops” is no number"),
        ("x,t_x\n1,2\n", (), "has no column T; it has x, t_x"),
        ("x,t_x,T\n", (), "has no rows"),
        ("x,t_x,T\n1,5,3\n", (), "Row 1: the last purchase (t_x 5) lies after the end"),
        ("x,t_x,T\n1.5,2,3\n", (), "must be a whole number"),
    ],
)
def test_what_is_wrong_with_a_file_is_said_with_its_place(tmp_path, shuke, text, asked, said):
    path = tmp_path / "rows.csv"
    path.write_text(text, encoding="utf-8")
    told = shuke("insight", "clv", "fit", str(path), *asked)
    assert (told.code, said in told.err) == (1, True), told.err


def test_a_call_written_wrongly_says_how_to_write_it(tmp_path, orders, shuke):
    assert shuke("insight", "clv", "fit", orders, "--columns", "x,t_x").code == 2
    assert shuke("insight", "clv", "fit", orders, "--model", "mbg_nbd", "--k", "2").code == 1
    assert shuke("insight", "clv", "predict", orders, "--days", "soon").code == 2
    assert "There is no file" in shuke("insight", "summary", str(tmp_path / "none.csv")).err
    assert "only .csv" in shuke("insight", "summary", str(tmp_path / "orders.xlsx")).err
    broken = tmp_path / "broken.csv"
    broken.write_text("customer,date\nada,yesterday\n", encoding="utf-8")
    assert "column date: “yesterday” is no date" in shuke("insight", "summary", str(broken)).err


def test_dates_are_read_in_the_forms_shops_write_them(tmp_path, shuke):
    path = tmp_path / "dates.csv"
    path.write_text("customer,date\n7,2026-01-05 23:59:00\n7,20260112\n7,2026/01/19\n", encoding="utf-8")
    (row,) = shuke("insight", "summary", str(path), "--json").json["rows"]
    assert (row["x"], row["t_x"], row["mean_spend"]) == (2, 2, None)


def test_the_engine_needs_neither_django_nor_an_optimiser_and_the_command_no_home(tmp_path, summarised):
    asked = "import sys; from shuke.engine.insight.clv import fit, predict, spend, holdout, worth, totals; " + (
        "print([m for m in ('django', 'scipy.optimize', 'scipy.stats', 'duckdb') if m in sys.modules])"
    )
    ran = subprocess.run(
        [sys.executable, "-c", asked], capture_output=True, text=True, env=environment(tmp_path), timeout=60
    )
    assert ran.stdout.strip() == "[]", ran.stderr
    home = tmp_path / "nothing"
    ran = subprocess.run(
        [sys.executable, "-m", "shuke", "insight", "clv", "fit", summarised, "--json"],
        capture_output=True, text=True, env=environment(home), timeout=60,
    )  # fmt: skip
    assert ran.returncode == 0, ran.stderr
    assert json.loads(ran.stdout)["verdict"]["usable"]
    assert not home.exists()
