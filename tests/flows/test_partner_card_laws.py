"""Laws of spend files: no card number in clear anywhere, sums that depend on no order, rows that earn once whoever comes."""

import json
import multiprocessing
from itertools import pairwise

import pytest
from django.apps import apps
from hypothesis import given
from hypothesis import strategies as st

from shuke.connect.importers.partner_card import hidden, is_clear, token_of
from shuke.engine.partner_cards.terms import rules_of
from shuke.flows import partner_card as flow
from shuke.members.models import TimelineLine
from tests.flows.test_partner_card import HASHES, PAN, TERMS, bind, fine, held, programme, take, write
from tests.loyalty.books import START, member, publish
from tests.loyalty.partners import NOW, PLAIN

CARD_NUMBERS = ["4111111111111111", "5500 0055 5555 5559", "6222-0200-0000-0007", "378282246310005"]


@pytest.mark.parametrize("kind", ["hash", "masked"])
def test_a_card_number_in_clear_is_nowhere_wherever_the_file_has_it(lan, tmp_path, settings, kind):
    """The law: nothing that passes for a card number reaches the database or the disk."""
    merchant = lan.merchant
    settings.SHUKE_HOME = tmp_path
    publish(merchant, PLAIN)
    programme(merchant, token_kind=kind)
    ann = member(merchant, 1)
    tokens = {"hash": HASHES[:2], "masked": ["622202******1234", "622202******9999"]}[kind]
    bind(merchant, ann, tokens[0])
    header = ("card", "amount", "date", "reference", "mcc", "original reference", "memo")
    rows = []
    for n, number in enumerate(CARD_NUMBERS):
        clean = [tokens[n % 2], "10", "2025-01-10", f"R{n}", "5411", "", "x"]
        rows += [[number if i == place else cell for i, cell in enumerate(clean)] for place in range(7)]
    path = write(tmp_path / f"{PAN}.csv", rows, header=header)
    for file in (
        flow.keep(merchant=merchant, programme="bank", path=path, name=path.name, now=NOW, actor="o"),
        take(merchant, path).file,
    ):
        texts = [str(row) for model in apps.get_app_config("loyalty").get_models() for row in model.objects.values()]
        texts += [str(row) for row in TimelineLine.objects.values()]
        texts += [p.read_text() for p in tmp_path.rglob("card-*")]
        texts += [json.dumps(flow.rejects(file, "en"))]
        whole = "\n".join(texts)
        for number in CARD_NUMBERS:
            assert number not in whole
            assert "".join(c for c in number if c.isdigit()) not in whole
    assert held(merchant, ann) > 0


@given(st.text("0123456789* -x", max_size=24))
def test_no_masked_token_is_a_number_in_clear(text):
    token = token_of(text, "masked")
    assert token is None or not is_clear(token)


@given(
    st.lists(st.sampled_from([*CARD_NUMBERS, "4111111111111112", "12", "a", ""]), max_size=8), st.sampled_from("x, /")
)
def test_hiding_twice_is_hiding_once(parts, between):
    once = hidden(between.join(parts), lambda digits: "z" * 8)
    assert hidden(once, lambda digits: "y") == once
    assert not any(number in once for number in CARD_NUMBERS)


@pytest.mark.parametrize("seed", range(4))
def test_however_the_months_are_cut_into_files_and_ordered_the_sum_is_the_same(lan, tmp_path, seed):
    import random

    rng = random.Random(seed)
    merchant = lan.merchant
    publish(merchant, PLAIN)
    programme(merchant, terms=TERMS._replace(month_most=30, rules=rules_of("5411=3")))
    ann = member(merchant, 1)
    spent = [
        (HASHES[0], f"{rng.randrange(1, 200)}", f"2025-01-{rng.randrange(1, 16):02d}", f"R{n}", rng.choice(["5411", "1"]))
        for n in range(20)
    ]  # fmt: skip
    back = [(HASHES[0], f"-{rng.randrange(1, 1 + int(row[1]))}", "2025-01-16", f"V{n}", "", row[3]) for n, row in enumerate(spent) if n % 3]  # fmt: skip
    rng.shuffle(spent)
    cut = sorted(rng.sample(range(1, 20), 3))
    if seed % 2:
        bind(merchant, ann, HASHES[0])
    for n, (a, z) in enumerate(pairwise([0, *cut, 20])):
        take(merchant, write(tmp_path / f"{n}.csv", spent[a:z]))
    if not seed % 2:
        bind(merchant, ann, HASHES[0])
    rng.shuffle(back)
    take(merchant, write(tmp_path / "x.csv", back))
    left = {row[3]: int(row[1]) * 100 for row in spent}
    for row in back:
        left[row[5]] += int(row[1]) * 100
    full = sum(left[row[3]] // 1000 * (3 if row[4] == "5411" else 1) for row in spent)
    assert held(merchant, ann) + 0 == min(30, full)
    fine(merchant)


def _taker(merchant_id: int, path, done) -> None:
    from django.db import connections

    connections.close_all()
    from shuke.shops.models import Merchant

    merchant = Merchant.objects.get(pk=merchant_id)
    done.put(take(merchant, path).tally.points)
    connections.close_all()


def test_two_files_with_the_same_rows_at_once_earn_once(transactional_db, tmp_path):
    from django.db import connections

    from tests import cast

    merchant = cast.lan().merchant
    publish(merchant, PLAIN)
    programme(merchant)
    ann = member(merchant, 1)
    bind(merchant, ann, HASHES[0])
    rows = [(HASHES[0], "10", "2025-01-10", f"R{n}") for n in range(60)]
    paths = [write(tmp_path / f"{n}.csv", [*rows, (HASHES[0], "10", "2025-01-10", f"only {n}")]) for n in range(3)]
    connections.close_all()
    fork = multiprocessing.get_context("fork")
    done = fork.Queue()
    takers = [fork.Process(target=_taker, args=(merchant.pk, path, done)) for path in [*paths, paths[0]]]
    for taker in takers:
        taker.start()
    for _ in takers:
        done.get(timeout=120)
    for taker in takers:
        taker.join(timeout=60)
        assert taker.exitcode == 0
    assert held(merchant, ann, NOW) == 63
    assert START < NOW
    fine(merchant)
