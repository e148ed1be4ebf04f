"""Channel and acquisition as traits of a whole shop: used where its own past shows that they make the forecast nearer."""

import json

import numpy as np
import pytest

from shuke.engine.insight.clv import by_trait, holdout, shop, traits
from shuke.engine.insight.clv.history import Visits, visits

END = 700


def came_by(size: int = 900, *, web_buys: float = 6.0) -> tuple[Visits, dict[str, np.ndarray]]:
    """Customers of whom most are new, a third by the web; those buy `web_buys` times as often. A few came by letter."""
    draw = np.random.default_rng(4)
    words = np.where(np.arange(size) % 3 == 0, "web", "store").astype("<U10")
    words[:20] = "letter"
    rows = []
    for who in range(size):
        day = 660 - 640 * draw.random() ** 3
        gap = 180.0 / (web_buys if words[who] == "web" else 1.0)
        while day <= END:
            rows.append((who, int(day), 100.0 * draw.gamma(4.0, 0.25)))
            if draw.random() < 0.08:
                break
            day += draw.exponential(gap)
    seen = visits(*map(np.array, zip(*rows, strict=True)))
    return seen, {"channel": words[seen.customers], "acquisition": np.full(seen.customers.size, "")}


@pytest.fixture(scope="module")
def apart():
    seen, own = came_by()
    return seen, own, shop.check(seen, end=END, own=own)


def test_where_it_makes_the_forecast_nearer_the_channel_is_used(apart):
    seen, own, checked = apart
    parted = checked["traits"]
    assert parted["names"] == ["channel=web"]  # twenty letters are too few for a class of their own
    assert parted["earned"]
    assert parted["on_rate"]["channel=web"] > 1
    usual, by_channel = checked["tests"][0]["methods"][0], checked["tests"][0]["methods"][-1]
    assert by_channel["name"] == usual["name"] + by_trait.SUFFIX == checked["tests"][0]["gate"]["shown"]
    assert by_channel["mae"] < holdout.BETTER_BY * usual["mae"]

    told, alike = shop.outlook(seen, checked, end=END, own=own), shop.outlook(seen, checked, end=END)
    assert told is not None
    assert alike is not None
    once = (told.order_days == 1) & (told.last_day > END - 60)
    web = own["channel"][np.searchsorted(seen.customers, told.customer)] == "web"
    assert told.orders[once & web].mean() > 2 * told.orders[once & ~web].mean()
    assert alike.orders[once & web].mean() < 1.5 * alike.orders[once & ~web].mean()
    assert told.chance[30] == pytest.approx(alike.chance[30])  # chances are tested on their own
    assert json.loads(json.dumps(checked, default=float))["traits"]["names"] == ["channel=web"]


def test_where_customers_are_alike_it_is_not_used():
    seen, own = came_by(600, web_buys=1.0)
    checked = shop.check(seen, end=END, own=own)
    assert checked["traits"]["names"] == ["channel=web"]
    assert not checked["traits"]["earned"]
    assert not shop.wants_traits(checked)
    told, alike = (shop.outlook(seen, checked, end=END, own=one) for one in (own, None))
    assert told is not None
    assert alike is not None
    assert (told.orders == alike.orders).all()


def test_everybody_having_come_alike_there_is_nothing_to_try():
    seen, own = came_by(600)
    one_way = {name: np.full(words.size, "store") for name, words in own.items()}
    assert shop.check(seen, end=END, own=one_way)["traits"] is None
    assert shop.check(seen, end=END)["traits"] is None


def test_words_become_traits_beside_the_commonest():
    columns = {"way": np.array(["b", "a", "b", "c", "b", "a"]), "age": np.arange(6.0)}
    assert traits.names_in(columns) == ("way=a", "way=c", "age")
    assert traits.names_in(columns, least=2) == ("way=a", "age")
    assert traits.names_in(columns, most=2) == ("way=a", "age")
    assert traits.columns_of(("way=a", "way=c", "age")) == ["way", "age"]
    told = traits.values_in(("way=a", "age"), columns | {"way": np.array(["b", "a", "new", "c", "b", "a"])})
    assert told[:, 0].tolist() == [0, 1, 0, 0, 0, 1]
    assert told[:, 1].tolist() == list(range(6))
