"""Co-branded cards of members who become one, and two again."""

import pytest

from shuke.flows.merge_members import merge, unmerge
from shuke.loyalty.models import CardFile, CardLine, CardMove
from tests.loyalty.books import publish

from .test_partner_card import (
    DAY,
    HASHES,
    NOW,
    PLAIN,
    ROWS,
    TERMS,
    bank,
    bind,
    fine,
    held,
    member,
    programme,
    take,
    undo,
    write,
)

__all__ = ["bank"]
pytestmark = pytest.mark.django_db


def test_a_card_follows_its_member(bank, tmp_path):
    merchant, ann, bo = bank
    file = take(merchant, write(tmp_path / "a.csv", ROWS[:1])).file
    merge(merchant=merchant, survivor_id=bo, absorbed_id=ann, reason="one person", now=NOW, actor="owner")
    take(merchant, write(tmp_path / "b.csv", [(HASHES[0], "40", "2025-01-11", "R20")]))
    assert held(merchant, bo) == 16
    undo(merchant, file)
    assert held(merchant, bo) == 4
    fine(merchant)


def test_what_a_card_brought_while_two_were_one_is_of_whose_card_it_is(bank, tmp_path):
    merchant, ann, bo = bank
    done = merge(merchant=merchant, survivor_id=bo, absorbed_id=ann, reason="one person", now=NOW, actor="owner")
    take(merchant, write(tmp_path / "a.csv", ROWS[:1]))
    assert held(merchant, bo) == 12
    back = (HASHES[0], f"-{ROWS[0][1]}", "2025-01-12", "B1", "", ROWS[0][3])
    take(merchant, write(tmp_path / "b.csv", [(HASHES[0], "40", "2025-01-11", "R20"), back]))
    assert held(merchant, bo) == 4
    unmerge(merchant=merchant, merge_id=done.merge.pk, reason="two", now=NOW, actor="owner")
    assert (held(merchant, ann), held(merchant, bo)) == (4, 0)
    assert set(CardLine.objects.values_list("member_id", flat=True)) == {ann}
    fine(merchant)


def test_two_who_become_one_have_the_months_limit_once_and_as_two_again_each_their_own(lan, tmp_path):
    merchant, march = lan.merchant, NOW + 60 * DAY
    publish(merchant, PLAIN)
    programme(merchant, terms=TERMS._replace(month_most=50))
    ann, bo = (member(merchant, n) for n in (1, 2))
    for who, token in zip((ann, bo), HASHES, strict=False):
        bind(merchant, who, token)
    months = [("2025-01-10", "R1"), ("2025-01-20", "R2"), ("2025-02-10", "R3")]
    rows = [(token, "300", day, f"{n}{ref}") for n, token in enumerate(HASHES[:2]) for day, ref in months]
    file = take(merchant, write(tmp_path / "a.csv", rows), march).file
    assert (held(merchant, ann, march), held(merchant, bo, march)) == (80, 80)  # 30 + 20, and 30
    done = merge(merchant=merchant, survivor_id=bo, absorbed_id=ann, reason="one person", now=march, actor="owner")
    assert held(merchant, bo, march) == 100  # 50 for each month
    fine(merchant)
    taken = [(move.points, move.month) for move in CardMove.objects.filter(kind="capped")]
    assert sum(points for points, _ in taken) == -60
    take(merchant, write(tmp_path / "b.csv", [(HASHES[0], "-100", "2025-02-20", "B1", "", "0R3")]), march)
    assert held(merchant, bo, march) == 100  # 20 + 30 are still 50
    unmerge(merchant=merchant, merge_id=done.merge.pk, reason="two after all", now=march + DAY, actor="owner")
    assert (held(merchant, ann, march + DAY), held(merchant, bo, march + DAY)) == (70, 80)
    assert sum(move.points for move in CardMove.objects.all()) == 150
    fine(merchant)
    again = merge(
        merchant=merchant, survivor_id=bo, absorbed_id=ann, reason="one person", now=march + DAY, actor="owner"
    )
    assert held(merchant, bo, march + DAY) == 100
    unmerge(merchant=merchant, merge_id=again.merge.pk, reason="no", now=march + DAY, actor="owner")
    assert (held(merchant, ann, march + DAY), held(merchant, bo, march + DAY)) == (70, 80)
    fine(merchant)
    undo(merchant, CardFile.objects.exclude(pk=file.pk).get(), march + 2 * DAY)
    undo(merchant, file, march + 2 * DAY)
    assert (held(merchant, ann, march + 2 * DAY), held(merchant, bo, march + 2 * DAY)) == (0, 0)
    assert sum(move.points for move in CardMove.objects.all()) == 0
    fine(merchant)
