"""What was asked is kept as a hash for ever: how it is written down may get quicker, never different."""

from __future__ import annotations

import hashlib
import json
from datetime import UTC, datetime

from hypothesis import given
from hypothesis import strategies as st

from shuke.loyalty.actions.asking import KINDS, Ask, payload_hash

moments = st.none() | st.datetimes(datetime(2000, 1, 1), datetime(2100, 1, 1), timezones=st.just(UTC))


@given(st.sampled_from(KINDS), st.integers(1, 2**63 - 1), st.integers(-(10**12), 10**12), st.text(), moments, moments)
def test_the_text_under_the_hash_is_a_json_list(kind, member, amount, ref, until, expires_at):
    one = Ask("key", kind, member, amount, ref, until, expires_at)
    listed = json.dumps([kind, member, amount, ref, str(until), str(expires_at)])
    assert payload_hash(one) == hashlib.blake2b(listed.encode(), digest_size=16).digest()


def test_what_was_kept_years_ago_is_still_known():
    told = payload_hash(Ask("k", "hold", 7, 50, "篮子", until=datetime(2026, 6, 1, 4, tzinfo=UTC)))
    assert told.hex() == "669d7d5132f72e7cfa59deca8374290b"
