"""What is counted in blocks and in stretches is what is counted at once."""

import numpy as np
import pytest

from shuke.engine.insight.goods import fresh, meeting, together
from shuke.engine.insight.goods.sales import NOBODY, Sales, joined, sales, visits
from tests.engine.insight.goods.market import tastes

ITEMS = 2 * meeting.BLOCK + 40


def rows(seed: int = 3) -> np.ndarray:
    """(order, member, day, item, paid, back): guests, items of several blocks, things given back."""
    dice = np.random.default_rng(seed)
    orders = 400
    of = np.repeat(np.arange(1, orders + 1), dice.integers(1, 12, orders))
    member, day = dice.integers(0, 60, orders + 1), np.sort(dice.integers(100, 160, orders + 1))
    item = np.minimum(dice.geometric(0.02, of.size), ITEMS)
    paid = dice.integers(100, 900, of.size)
    return np.stack([of * 7, member[of], day[of], item, paid, np.where(dice.random(of.size) < 0.1, paid, 0)], axis=1)


def plainly(sold: Sales) -> list[tuple[int, ...]]:
    member = [int(sold.members[one]) if one != NOBODY else 0 for one in sold.member]
    return list(zip(member, sold.day.tolist(), sold.items[sold.item].tolist(), sold.amount.tolist(), sold.kept.tolist(), strict=True))  # fmt: skip


def test_months_read_one_by_one_are_the_whole_history():
    table = rows()
    parts = [table[(table[:, 2] >= low) & (table[:, 2] < low + 20)] for low in (100, 120, 140)]
    whole = sales(*table.T)
    found = joined([sales(*part.T) for part in parts])
    assert plainly(found) == plainly(whole)
    assert [column.dtype for column in found[:6]] == [column.dtype for column in whole[:6]]
    assert found.orders == whole.orders
    # The same rows share an order.
    assert len(set(zip(found.order.tolist(), whole.order.tolist(), strict=True))) == whole.orders
    assert joined([]).day.size == 0


def test_a_visit_is_a_member_an_item_and_a_day():
    sold = sales(*rows().T)
    kept = sold.where(sold.known & sold.kept)
    seen = sorted(set(zip(kept.member.tolist(), kept.item.tolist(), kept.day.tolist(), strict=True)))
    assert list(zip(*(column.tolist() for column in visits(sold)), strict=True)) == seen


def test_pairs_of_items_in_different_blocks_are_counted():
    sold = sales(*rows().T)
    kept = sold.where(sold.kept)
    baskets: dict[int, set[int]] = {}
    for order, item in zip(kept.order.tolist(), kept.item.tolist(), strict=True):
        baskets.setdefault(order, set()).add(item)
    found = together.pairs(sold, least=2, surely=False)
    told = {
        frozenset((a, b)): n
        for a, b, n in zip(found.first.tolist(), found.second.tolist(), found.both.tolist(), strict=True)
    }
    assert max(max(pair) for pair in told) >= meeting.BLOCK > min(min(pair) for pair in told)
    for pair, many in told.items():
        assert many == sum(pair <= basket for basket in baskets.values())


@pytest.mark.parametrize("way", fresh.WAYS)
def test_likeness_is_the_cosine_of_whole_columns(way):
    sold = sales(*rows().T)
    model = fresh.fit(sold, way, neighbours=ITEMS)
    kept = sold.where(sold.kept)
    held = np.zeros((sold.orders, sold.items.size))
    held[kept.order, kept.item] = 1
    owned = np.zeros((sold.members.size, sold.items.size))
    known = kept.where(kept.known)
    owned[known.member, known.item] = 1

    def cosine(table: np.ndarray) -> np.ndarray:
        length = np.sqrt(np.maximum(table.sum(axis=0), 1))
        found = table.T @ table / np.outer(length, length)
        np.fill_diagonal(found, 0)
        return found

    expected = {"basket": cosine(held), "customer": cosine(owned)}
    expected["both"] = (expected["basket"] + expected["customer"]) / 2
    assert np.allclose(model.near.toarray(), expected[way], atol=1e-6)
    both = owned.T @ owned
    near = model.near.toarray() > 0
    assert (model.together.toarray()[near] == both[near]).all()


def test_too_much_for_one_number_is_said_and_not_wrapped():
    sold = tastes(20, 40)._replace(
        members=np.broadcast_to(np.int64(1), (2**40,)), items=np.broadcast_to(np.int64(1), (2**40,))
    )
    with pytest.raises(OverflowError):
        visits(sold)
