"""Sealing, blind values and posting lists."""

from __future__ import annotations

import pytest
from hypothesis import given
from hypothesis import strategies as st

from shuke.kit import crypto

ONE, OTHER = 11, 22  # two merchants
PLACE = b"contact 7 phone"


@given(st.binary(max_size=200))
def test_a_seal_opens_to_what_was_sealed(plaintext):
    key = bytes(range(32))
    assert crypto.unseal(crypto.seal(plaintext, key, PLACE), key, PLACE) == plaintext


def test_the_same_value_sealed_twice_looks_different():
    key = bytes(range(32))
    assert crypto.seal(b"+8613800138000", key, PLACE) != crypto.seal(b"+8613800138000", key, PLACE)


@pytest.mark.parametrize("harm", ["other key", "other place", "changed byte", "cut short", "unknown format"])
def test_a_seal_does_not_open(harm):
    key, place = bytes(range(32)), PLACE
    sealed = crypto.seal(b"+8613800138000", key, place)
    if harm == "other key":
        key = bytes(32)
    elif harm == "other place":
        place = b"contact 8 phone"
    elif harm == "changed byte":
        sealed = sealed[:-1] + bytes([sealed[-1] ^ 1])
    elif harm == "cut short":
        sealed = sealed[:-1]
    else:
        sealed = b"\x07" + sealed[1:]
    with pytest.raises(crypto.CannotUnseal):
        crypto.unseal(sealed, key, place)


def test_data_keys_are_wrapped_for_one_member_of_one_merchant():
    (key, wrapped), (second, _) = crypto.new_data_keys([7, 8], ONE)
    assert key != second
    assert len(key) == 32
    assert crypto.unwrap(wrapped, 7, ONE, 1) == key
    for member, merchant in ((8, ONE), (7, OTHER)):
        with pytest.raises(crypto.CannotUnseal):
            crypto.unwrap(wrapped, member, merchant, 1)


def test_a_new_master_key_wraps_new_data_keys_and_the_old_one_still_opens_its_own(settings):
    old = settings.SHUKE_MASTER_KEY
    ((key, wrapped),) = crypto.new_data_keys([7], ONE)
    blind = crypto.blind("+8613800138000", "phone", ONE)
    settings.SHUKE_MASTER_KEY = old + "," + "ab" * 32
    assert crypto.newest_version() == 2
    assert crypto.unwrap(wrapped, 7, ONE, 1) == key
    ((newer, wrapped_by_new),) = crypto.new_data_keys([7], ONE)
    assert crypto.unwrap(wrapped_by_new, 7, ONE, 2) == newer
    with pytest.raises(crypto.CannotUnseal):
        crypto.unwrap(wrapped_by_new, 7, ONE, 1)
    assert crypto.blind("+8613800138000", "phone", ONE) == blind


@pytest.mark.parametrize("told", ["", "not hexadecimal", "ab" * 8, "ab" * 32 + ",12"])
def test_a_master_key_that_is_no_key_is_refused_with_what_to_do(settings, told):
    settings.SHUKE_MASTER_KEY = told
    with pytest.raises(crypto.BadMasterKey, match="64 digits"):
        crypto.key_for("blind/phone", ONE, crypto.newest_version())


@given(st.text(max_size=30), st.text(max_size=30))
def test_blind_values_are_equal_exactly_when_the_values_are(one, other):
    assert (crypto.blind(one, "phone", ONE) == crypto.blind(other, "phone", ONE)) == (one == other)


def test_blind_values_say_nothing_across_merchants_purposes_and_master_keys(settings):
    number = "+8613800138000"
    blind = {crypto.blind(number, p, m) for p in ("phone", "email") for m in (ONE, OTHER)}
    settings.SHUKE_MASTER_KEY = "cd" * 32
    blind.add(crypto.blind(number, "phone", ONE))
    assert len(blind) == 5
    assert {len(b) for b in blind} == {16}


@given(st.lists(st.integers(min_value=1, max_value=2**63 - 1), max_size=20, unique=True))
def test_a_posting_list_gives_back_its_members(members):
    piece = crypto.gram("5678", ONE)
    blocks = crypto.postings([(piece, member) for member in members], ONE)
    assert crypto.posted(piece, blocks, ONE) == members
    assert crypto.posted(piece, blocks, OTHER) == []
    assert crypto.posted(crypto.gram("5679", ONE), blocks, ONE) == []


def test_one_members_rows_have_nothing_in_common():
    """Or else the pieces of a phone could be put together again, and the masked phone beside them would name the rest."""
    pieces = [crypto.gram(digits, ONE) for digits in ("1381", "3812", "8123")]
    blocks = crypto.postings([(piece, 7) for piece in pieces], ONE)
    halves = [half for block in blocks for half in (block[:8], block[8:])]
    assert len(set(halves)) == 6
