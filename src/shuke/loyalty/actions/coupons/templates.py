"""Templates: their versions, their tallies and limits, and the codes that many share."""

from __future__ import annotations

from contextlib import suppress
from datetime import datetime

from django.db import IntegrityError, transaction

from shuke.engine.charter.selling import Coupon as Template
from shuke.engine.charter.selling import check_rule
from shuke.engine.charter.terms import Terms
from shuke.engine.checkout import codes
from shuke.kit import audit
from shuke.kit.money import digits
from shuke.loyalty.actions.coupons.refusals import CouponRefused
from shuke.loyalty.models import CouponTally, CouponTemplate, SharedCode
from shuke.loyalty.queries import charters
from shuke.loyalty.queries import coupons as stored
from shuke.shops.models import Merchant


@transaction.atomic
def save_template(
    *, merchant: Merchant, template: Template, now: datetime, actor: str, source: str = "shop", upon: int | None = None
) -> CouponTemplate:
    """Make a template, or a new version of it; what was issued keeps the terms of its version.

    The same text again makes no new version. `upon` is the version that whoever changes it has seen (0: there was none): what
    somebody else saved since is not put aside unseen. Raises CouponRefused. Effects: the version's row, the tally with its limits,
    one audit line.
    """
    terms = charters.in_force(merchant, now)
    tiers = {tier.key for tier in terms.tiers}
    if faults := check_rule(template.key, template, tiers):
        raise CouponRefused("template_invalid", problem="; ".join(f.say() for f in faults))
    latest = stored.latest(merchant, template.key, lock=True)
    if latest is not None and latest.source == "charter" and source == "shop":
        raise CouponRefused("template_of_charter", key=template.key)
    plain = template.model_dump(mode="json", exclude_defaults=True)
    if latest is not None and latest.document == plain and latest.source == source:
        return latest
    if upon is not None and upon != (latest.version if latest else 0):
        raise _meanwhile(template.key, latest, upon)
    unit = 10 ** digits(merchant.currency)
    limits = {
        "most_issued": template.limits.issued,
        "most_redeemed": template.limits.redeemed,
        "budget_minor": None if template.limits.budget is None else int(template.limits.budget * unit),
    }
    tally, _ = CouponTally.objects.get_or_create(merchant=merchant, key=template.key)
    used = {
        "most_issued": tally.issued,
        "most_redeemed": tally.held + tally.redeemed,
        "budget_minor": tally.held_minor + tally.spent_minor,
    }
    for name, most in limits.items():
        if most is None or most >= used[name]:
            continue
        if source == "shop":
            raise CouponRefused("below_spent", key=template.key, field=name, used=used[name])
        limits[name] = used[name]  # what the charter promises less of from now on is used up; what was given stays
    CouponTally.objects.filter(pk=tally.pk).update(**limits)
    made = CouponTemplate(
        merchant=merchant,
        key=template.key,
        version=(latest.version if latest else 0) + 1,
        document=plain,
        source=source,
        made_at=now,
        made_by=actor,
    )
    try:
        with transaction.atomic():
            made.save(force_insert=True)
    except IntegrityError as error:  # beside somebody who makes the same version in this instant
        if source == "charter":
            raise
        latest = stored.latest(merchant, template.key)
        raise _meanwhile(template.key, latest, made.version - 1) from error
    audit.record(
        merchant_id=merchant.pk,
        at=now,
        actor=actor,
        verb="coupon.template_saved",
        object=f"coupon template {template.key}",
        detail={"version": made.version, "source": source},
    )
    return made


def _meanwhile(key: str, latest: CouponTemplate | None, upon: int) -> CouponRefused:
    if upon == 0:
        return CouponRefused("key_taken", key=key)
    by = (latest.made_by if latest else "") or "–"
    return CouponRefused("changed_meanwhile", key=key, by=by, version=latest.version if latest else 0)


def adopt_charter_templates(*, merchant: Merchant, terms: Terms, now: datetime) -> None:
    """Let the templates of the charter in force be issuable: a version of each where its text is new."""
    told = terms.charter.selling.coupons
    if not told:
        return
    known = stored.latest_of(merchant, [template.key for template in told])
    for template in told:
        plain = template.model_dump(mode="json", exclude_defaults=True)
        have = known.get(template.key)
        if have is None or have.document != plain or have.source != "charter":
            # Two tills may see the new charter at the same moment: one of them makes the version.
            with suppress(IntegrityError):
                save_template(merchant=merchant, template=template, now=now, actor="charter", source="charter")


@transaction.atomic
def pause_template(*, merchant: Merchant, key: str, paused: bool, now: datetime, actor: str) -> None:
    """Stop issuing, or go on. What is out can be used either way."""
    if not CouponTally.objects.filter(merchant=merchant, key=key).update(paused=paused):
        raise CouponRefused("no_such_template", key=key)
    audit.record(
        merchant_id=merchant.pk,
        at=now,
        actor=actor,
        verb="coupon.paused" if paused else "coupon.resumed",
        object=f"coupon template {key}",
    )


def make_shared_code(*, merchant: Merchant, key: str, code: str, now: datetime, actor: str) -> SharedCode:
    """A code that many use: SPRING20. Each member as often as the template's limits allow."""
    template = stored.latest(merchant, key)
    if template is None:
        raise CouponRefused("no_such_template", key=key)
    if stored.terms_of(template).codes == "none":
        raise CouponRefused("needs_codes", key=key)
    plain = codes.plain(code)
    if not 4 <= len(plain) <= 30:
        raise CouponRefused("code_too_short")
    try:
        with transaction.atomic():
            made = SharedCode.objects.create(merchant=merchant, key=key, code=plain, made_at=now, made_by=actor)
    except IntegrityError as error:
        raise CouponRefused("code_taken", told=plain) from error
    audit.record(merchant_id=merchant.pk, at=now, actor=actor, verb="coupon.code_made", object=f"coupon template {key}")
    return made


def end_shared_code(*, merchant: Merchant, code: str, now: datetime) -> bool:
    """From now on nobody can use it; False when there is no such code."""
    return bool(
        SharedCode.objects.filter(merchant=merchant, code=codes.plain(code), ended_at=None).update(ended_at=now)
    )
