"""Members get coupons: by rule, by hand, by claiming. Limits hold also when many issue at once."""

from __future__ import annotations

from collections.abc import Sequence
from datetime import datetime, timedelta
from typing import NamedTuple

from django.db import IntegrityError, transaction

from shuke.engine.charter.selling import Coupon as Template
from shuke.engine.checkout import vouchers
from shuke.kit import bulk, ids
from shuke.kit.clock import day_of
from shuke.loyalty.actions.coupons.refusals import CouponRefused
from shuke.loyalty.actions.own_account import is_own
from shuke.loyalty.models import Coupon, CouponState, CouponTemplate
from shuke.loyalty.queries import coupons as stored
from shuke.members.actions import Note, note
from shuke.members.queries.families import absorbed_by
from shuke.shops.models import Merchant

COLUMNS = (
    "id", "merchant_id", "template_id", "key", "member_id", "blind", "hint", "state", "issued_at", "valid_from",
    "valid_until", "source", "source_ref", "batch_id", "checkout_id", "amount_minor",
)  # fmt: skip
MOVES = ("id", "merchant_id", "coupon_id", "at", "kind", "before", "after", "amount_minor", "ref", "actor")


class Issue(NamedTuple):
    """One member is to get coupons of a template. The same `ref` again changes nothing."""

    key: str
    member_id: int
    source: str  # birthday, tier_up …, hand, campaign, claim
    ref: str = ""  # what for: "birthday:2026"; "" = may be given again
    copies: int = 1
    at: datetime | None = None  # when validity begins to count; None: now
    whoever: bool = False  # `ref` is one thing that happened: given once, whoever lives on in whom by then


class Issued(NamedTuple):
    """`coupons` are ids; empty where it was refused (`code`), or given before (`again`)."""

    asked: Issue
    coupons: tuple[int, ...]
    code: str = ""
    again: bool = False


def validity(template: Template, at: datetime, merchant: Merchant) -> tuple[datetime | None, datetime | None]:
    """From when until when (exclusive) a coupon issued at `at` can be used."""
    return vouchers.validity(template, at, merchant.tz)


def take_from_tally(merchant: Merchant, key: str, count: int) -> None:
    """Count so many as issued; the conditional update is the limit, whoever else issues now. Raises CouponRefused."""
    done = bulk.execute(
        "UPDATE loyalty_coupon_tally SET issued = issued + %s WHERE merchant_id = %s AND key = %s AND NOT paused "
        "AND (most_issued IS NULL OR issued + %s <= most_issued)",
        [count, merchant.pk, key, count],
    )
    if done:
        return
    tally = stored.tally(merchant, key)
    if tally is None:
        raise CouponRefused("no_such_template", key=key)
    if stored.figures_of(tally).why_none_issued(count) == "paused":
        raise CouponRefused("paused", key=key)
    most = tally.most_issued or 0
    raise CouponRefused("all_issued", key=key, most=most, left=most - tally.issued)


def issue(*, merchant: Merchant, issues: Sequence[Issue], now: datetime, actor: str) -> list[Issued]:
    """Give coupons; each member all or nothing, one after the other, refusals among the answers.

    What was given to somebody who lives on in the member was given to the member.
    Effects per member: tally counted, coupons with their first move written, one timeline line.
    """
    answers = []
    latest = stored.latest_of(merchant, {one.key for one in issues})
    with transaction.atomic():
        known = _known(merchant, [one for one in issues if one.ref])
        given = stored.sources_given(merchant, [source for of in known.values() for source in of])
        for one in issues:
            if one.ref and (not given.isdisjoint(known[one]) or _given_to_anybody(merchant, one)):
                answers.append(Issued(one, (), again=True))
                continue
            try:
                with transaction.atomic():
                    answers.append(Issued(one, tuple(_issue(merchant, one, latest.get(one.key), now, actor))))
                if one.ref:
                    given.add(_source(one))
            except CouponRefused as refused:
                answers.append(Issued(one, (), refused.code))
            except IntegrityError:
                if not one.ref or not stored.sources_given(merchant, [_source(one)]):
                    raise
                answers.append(Issued(one, (), again=True))  # somebody gave it for the same since we looked
    return answers


def given_before(*, merchant: Merchant, one: Issue) -> list[int]:
    """The coupons a member has for what this wish is for: the answer to whoever did not hear the first one."""
    whose = [one, *(one._replace(member_id=member) for member in absorbed_by(merchant.pk, [one.member_id]))]
    return stored.of_sources(merchant, one.key, [_ref(of, n + 1) for of in whose for n in range(one.copies)])


def _source(one: Issue) -> tuple[str, str]:
    return one.key, _ref(one, 1)


def _known(merchant: Merchant, issues: Sequence[Issue]) -> dict[Issue, list[tuple[str, str]]]:
    """The sources by which each wish may have been granted: the member's own, and those of whoever lives on in the member."""
    absorbed: dict[int, list[int]] = {one.member_id: [one.member_id] for one in issues}
    for member, heir in absorbed_by(merchant.pk, absorbed).items():
        absorbed[heir].append(member)
    return {one: [_source(one._replace(member_id=m)) for m in absorbed[one.member_id]] for one in issues}


def _given_to_anybody(merchant: Merchant, one: Issue) -> bool:
    return one.whoever and stored.given_for(merchant, one.key, one.ref)


def _ref(one: Issue, number: int) -> str:
    return f"{one.ref}:{one.member_id}:{number}"


def _issue(merchant: Merchant, one: Issue, row: CouponTemplate | None, now: datetime, actor: str) -> list[int]:
    if row is None:
        raise CouponRefused("no_such_template", key=one.key)
    if one.source == "hand" and is_own(merchant, actor, one.member_id):
        raise CouponRefused("own_account")
    template = stored.terms_of(row)
    start, end = validity(template, one.at or now, merchant)
    if vouchers.is_over(end, now):
        assert end is not None
        raise CouponRefused("window_over", key=one.key, day=day_of(end, merchant.tz) - timedelta(days=1))
    # The tally's row is locked from here on: nobody else counts this member's coupons meanwhile.
    take_from_tally(merchant, one.key, one.copies)
    if (most := template.limits.per_member) is not None:
        have = stored.count_of_member(merchant, one.key, one.member_id)
        if vouchers.has_enough(template, have, one.copies):
            raise CouponRefused("member_has_enough", key=one.key, have=have, most=most)
    at = bulk.moment()
    made = ids.take(one.copies)
    bulk.insert(
        "loyalty_coupon",
        COLUMNS,
        [
            (
                pk, merchant.pk, row.pk, one.key, one.member_id, None, "", CouponState.OPEN.value, at(now), at(start), at(end),
                one.source, _ref(one, number) if one.ref else "", None, None, 0,
            )
            for number, pk in enumerate(made, 1)
        ],
    )  # fmt: skip
    write_moves(merchant, [(pk, "issue", "", "open", 0, one.ref) for pk in made], now, actor)
    body = {"key": one.key, "count": one.copies, "source": one.source}
    note(merchant=merchant, lines=[Note(one.member_id, now, "coupon.issued", f"coupon:{made[0]}", body)], now=now)
    return made


def issue_bearer(*, merchant: Merchant, key: str, source: str, now: datetime, actor: str) -> int:
    """A coupon of nobody's, used by whoever showed a shared code without being known. Raises CouponRefused."""
    row = stored.latest(merchant, key)
    if row is None:
        raise CouponRefused("no_such_template", key=key)
    start, end = validity(stored.terms_of(row), now, merchant)
    with transaction.atomic():
        take_from_tally(merchant, key, 1)
        made = Coupon.objects.create(
            merchant=merchant,
            template=row,
            key=key,
            issued_at=now,
            valid_from=start,
            valid_until=end,
            source=source,
        )
        write_moves(merchant, [(made.pk, "issue", "", "open", 0, "")], now, actor)
    return made.pk


def write_moves(
    merchant: Merchant, moves: Sequence[tuple[int, str, str, str, int, str]], now: datetime, actor: str
) -> None:
    """Moves as (coupon, kind, before, after, amount, ref)."""
    at = bulk.moment()(now)
    bulk.insert(
        "loyalty_coupon_move",
        MOVES,
        [
            (pk, merchant.pk, coupon, at, kind, before, after, amount, ref[:260], actor[:60])
            for pk, (coupon, kind, before, after, amount, ref) in zip(ids.take(len(moves)), moves, strict=True)
        ],
    )


def claim(
    *, merchant: Merchant, member_id: int, now: datetime, actor: str, key: str = "", found: stored.Found | None = None
) -> int:
    """A member takes a coupon by themselves: of a template open to claims, or by a code that was looked up.

    A bearer's unique code is theirs alone from then on. Answers the coupon's id; raises CouponRefused.
    """
    if found is None:
        row = stored.latest(merchant, key)
        if row is None:
            raise CouponRefused("no_such_template", key=key)
        if not stored.terms_of(row).claim:
            raise CouponRefused("not_claimable", key=key)
        return _one(merchant, Issue(key, member_id, "claim"), now, actor)
    if found.shared is not None:
        return _one(merchant, Issue(found.shared.key, member_id, "code"), now, actor)
    coupon = found.coupon
    over = coupon is not None and coupon.valid_until is not None and coupon.valid_until <= now
    if coupon is None or over or coupon.state != CouponState.OPEN or coupon.member_id not in (None, member_id):
        raise CouponRefused("code_refused")
    with transaction.atomic():
        if coupon.member_id is None:
            mine = Coupon.objects.filter(pk=coupon.pk, merchant=merchant, member=None, state=CouponState.OPEN)
            if not mine.update(member_id=member_id):
                raise CouponRefused("code_refused")
            write_moves(merchant, [(coupon.pk, "claim", "open", "open", 0, "")], now, actor)
            line = Note(member_id, now, "coupon.issued", f"coupon:{coupon.pk}", {"key": coupon.key, "source": "code"})
            note(merchant=merchant, lines=[line], now=now)
    return coupon.pk


def _one(merchant: Merchant, one: Issue, now: datetime, actor: str) -> int:
    with transaction.atomic():
        return _issue(merchant, one, stored.latest(merchant, one.key), now, actor)[0]
