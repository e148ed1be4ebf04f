"""All writes about coupons. Locks are taken in this order: wallets, coupons by id, tallies by key."""

from shuke.loyalty.actions.coupons.asking import Keyed, under_key
from shuke.loyalty.actions.coupons.batches import begin_batch, make_codes, void_batch
from shuke.loyalty.actions.coupons.guessing import note_bad_code, sweep_tries
from shuke.loyalty.actions.coupons.issuing import Issue, Issued, claim, given_before, issue, issue_bearer
from shuke.loyalty.actions.coupons.refusals import REFUSALS, CouponRefused
from shuke.loyalty.actions.coupons.templates import (
    adopt_charter_templates,
    end_shared_code,
    make_shared_code,
    pause_template,
    save_template,
)
from shuke.loyalty.actions.coupons.using import Use, expire, give_back, hold, redeem, release, void

__all__ = [
    "REFUSALS",
    "CouponRefused",
    "Issue",
    "Issued",
    "Keyed",
    "Use",
    "adopt_charter_templates",
    "begin_batch",
    "claim",
    "end_shared_code",
    "expire",
    "give_back",
    "given_before",
    "hold",
    "issue",
    "issue_bearer",
    "make_codes",
    "make_shared_code",
    "note_bad_code",
    "pause_template",
    "redeem",
    "release",
    "save_template",
    "sweep_tries",
    "under_key",
    "void",
    "void_batch",
]
