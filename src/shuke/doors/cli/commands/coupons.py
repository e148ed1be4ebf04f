"""`shuke coupons …`: templates, issuing, codes in bulk, looking up, reports."""

from __future__ import annotations

from datetime import datetime
from pathlib import Path
from typing import Any

import click

from shuke.doors.cli.commands.members import member_named
from shuke.doors.cli.days import DAY
from shuke.doors.cli.desk import Desk, declared
from shuke.doors.cli.errors import Refused
from shuke.doors.cli.words import _, language
from shuke.kit import numbers


@click.group("coupons", help=_("Coupons: templates, issuing, codes in bulk, who used what, what it cost."))
def command() -> None:
    """Coupons."""


def _say(error: Exception) -> Refused:
    """A refusal of the coupon actions in the language of the terminal."""
    return Refused(error.say(language()) if hasattr(error, "say") else str(error))


def _sentence(desk: Desk, terms) -> str:  # type: ignore[no-untyped-def] # selling.Coupon, imported late
    from shuke.engine.charter.describe_selling import Words
    from shuke.loyalty.queries.charters import document_in_force

    return Words(desk.merchant.currency, language(), document_in_force(desk.merchant, desk.now)).sentence(terms)


@declared(
    "list",
    _("All templates with what was issued and used, and what is left of their budgets."),
    "shuke coupons list",
    group=command,
)
def list_(desk: Desk) -> None:
    from shuke.flows import coupons as flow
    from shuke.loyalty.queries import coupons as stored

    flow.adopt_charter(merchant=desk.merchant, now=desk.now)
    told = stored.overview(desk.merchant)
    if desk.as_json:
        desk.json([_plain(one) for one in told])
        return
    desk.table(
        [_("key"), _("what"), _("issued"), _("used"), _("open"), _("given"), _("budget left")],
        [
            (
                one.row.key + (f" ({_('paused')})" if one.tally.paused else ""),
                _sentence(desk, one.terms),
                one.tally.issued,
                one.tally.redeemed,
                one.open,
                desk.money(one.tally.spent_minor),
                desk.money(one.budget_left),
            )
            for one in told
        ],
        right=(2, 3, 4, 5, 6),
    )


def _plain(one) -> dict:  # type: ignore[no-untyped-def, type-arg] # queries.coupons.Overview
    tally = one.tally
    return {
        "key": one.row.key,
        "version": one.row.version,
        "source": one.row.source,
        "paused": tally.paused,
        **{name: getattr(tally, name) for name in ("issued", "held", "redeemed", "void", "expired")},
        "open": one.open,
        "spent_minor": tally.spent_minor,
        "held_minor": tally.held_minor,
        "budget_left_minor": one.budget_left,
        "document": one.row.document,
    }


@declared(
    "save",
    _("Make a template from a YAML or JSON file, or a new version of it. What was issued keeps its terms."),
    "shuke coupons save spring.yaml",
    group=command,
)
@click.argument("file", type=click.Path(path_type=Path))
def save(desk: Desk, file: Path) -> None:
    from pydantic import ValidationError

    from shuke.engine.charter.selling import Coupon
    from shuke.kit import misread, strict_yaml
    from shuke.loyalty.actions import coupons

    try:
        template = Coupon.model_validate(strict_yaml.read(file.read_text(encoding="utf-8-sig")))
    except (ValidationError, strict_yaml.NotRead, UnicodeDecodeError) as error:
        wrong = (
            misread.sentence(misread.news(error.errors(include_url=False)), language())
            if isinstance(error, ValidationError)
            else error
        )
        raise Refused(_("{file} is no coupon template: {problem}").format(file=file, problem=wrong)) from error
    try:
        row = coupons.save_template(merchant=desk.merchant, template=template, now=desk.now, actor=desk.actor)
    except coupons.CouponRefused as error:
        raise _say(error) from error
    if desk.as_json:
        desk.json({"key": row.key, "version": row.version})
    desk.say(_("{what} Version {version}.").format(what=_sentence(desk, template), version=row.version))


@declared(
    "pause",
    _("Stop issuing a template, or go on with --resume. What is out can be used either way."),
    "shuke coupons pause spring\nshuke coupons pause spring --resume",
    group=command,
)
@click.argument("key", metavar=_("TEMPLATE"))
@click.option("--resume", is_flag=True, help=_("issue again"))
def pause(desk: Desk, key: str, resume: bool) -> None:
    from shuke.loyalty.actions import coupons

    try:
        coupons.pause_template(merchant=desk.merchant, key=key, paused=not resume, now=desk.now, actor=desk.actor)
    except coupons.CouponRefused as error:
        raise _say(error) from error
    if desk.as_json:
        desk.json({"key": key, "paused": not resume})
    desk.say(_("{key} is issued again.").format(key=key) if resume else _("{key} is paused.").format(key=key))


@declared(
    "issue",
    _("Give members coupons of a template. With --ref the same occasion gives them once."),
    "shuke coupons issue sorry 100000018 --ref complaint-77",
    group=command,
)
@click.argument("key", metavar=_("TEMPLATE"))
@click.argument("members", metavar=_("MEMBER…"), nargs=-1, required=True)
@click.option("--count", default=1, show_default=True, type=click.IntRange(1, 50), help=_("how many for each"))
@click.option("--ref", default="", metavar=_("TEXT"), help=_("what for; the same again gives nothing more"))
def issue(desk: Desk, key: str, members: tuple[str, ...], count: int, ref: str) -> int:
    from shuke.flows import coupons as flow
    from shuke.loyalty.actions import coupons

    flow.adopt_charter(merchant=desk.merchant, now=desk.now)
    people = [member_named(desk, one) for one in members]
    told = coupons.issue(
        merchant=desk.merchant,
        issues=[coupons.Issue(key, who.pk, "hand", ref, count) for who in people],
        now=desk.now,
        actor=desk.actor,
    )
    if desk.as_json:
        desk.json(
            [
                {"member": who.card, "coupons": [str(pk) for pk in one.coupons], "code": one.code, "again": one.again}
                for who, one in zip(people, told, strict=True)
            ]
        )
    for who, one in zip(people, told, strict=True):
        if one.code:
            desk.say(f"✗ {who}: {flow.refusal_of(desk.merchant, one).say(language())}")
        elif one.again:
            desk.say(f"= {who}: " + _("had it for this before"))
        else:
            desk.say(f"✓ {who}: {', '.join(map(str, one.coupons))}")
    return 1 if any(one.code for one in told) else 0


@declared(
    "codes",
    _("Make unique codes of a template, up to 5,000,000 in one run. Stopped half-way, --resume goes on."),
    "shuke coupons codes flyer 10000 --label 'flyer, May'\nshuke coupons codes --resume BATCH",
    group=command,
)
@click.argument("key", metavar=_("TEMPLATE"), required=False)
@click.argument("count", type=int, required=False)
@click.option("--label", default="", metavar=_("TEXT"), help=_("what they are for"))
@click.option("--resume", type=int, metavar=_("BATCH"), help=_("go on with a batch that was stopped"))
def codes(desk: Desk, key: str | None, count: int | None, label: str, resume: int | None) -> None:
    from shuke.doors.cli.bars import Bars
    from shuke.loyalty.actions import coupons
    from shuke.loyalty.queries import coupons as stored

    if (resume is None) == (key is None or count is None):
        raise click.UsageError(_("Say TEMPLATE and COUNT, or --resume BATCH."))
    try:
        batch = (
            stored.batch(desk.merchant, resume)
            if resume is not None
            else coupons.begin_batch(
                merchant=desk.merchant, key=key or "", count=count or 0, label=label, now=desk.now, actor=desk.actor
            )
        )
    except coupons.CouponRefused as error:
        raise _say(error) from error
    if batch is None:
        raise Refused(_("There is no batch {batch}.").format(batch=resume))
    with Bars(quiet=desk.as_json) as progress:
        progress.total(batch.count - batch.made, "codes")
        coupons.make_codes(batch_id=batch.pk, now=desk.now, progress=progress.advance)
    batch.refresh_from_db()
    if desk.as_json:
        desk.json({"batch": str(batch.pk), "made": batch.made, "count": batch.count, "state": batch.state})
    desk.say(
        _("Batch {batch}: {made} codes. `shuke coupons export {batch}` writes them.").format(
            batch=batch.pk, made=f"{batch.made:,}"
        )
    )


@declared(
    "batches",
    _("The latest batches of codes: how far each is, and what they are for."),
    "shuke coupons batches\nshuke coupons batches --template flyer",
    group=command,
)
@click.option("--template", default="", metavar=_("TEMPLATE"), help=_("only of this template"))
def batches(desk: Desk, template: str) -> None:
    from shuke.loyalty.queries import coupons as stored

    found = stored.batches(desk.merchant, template)
    if desk.as_json:
        desk.json(
            [
                {"batch": str(b.pk), "template": b.template.key, "label": b.label, "count": b.count, "made": b.made,
                 "state": b.state, "made_at": b.made_at, "made_by": b.made_by}
                for b in found
            ]
        )  # fmt: skip
        return
    states = {"making": _("being made"), "done": _("done"), "void": _("void")}
    desk.table(
        [_("number"), _("template"), _("label"), _("made"), _("of"), _("state"), _("when"), _("by")],
        [
            (str(b.pk), b.template.key, b.label, b.made, b.count, states.get(b.state, b.state), desk.minute(b.made_at), b.made_by)
            for b in found
        ],
        right=(3, 4),
    )  # fmt: skip


@declared(
    "export",
    _("Write the codes of a batch as CSV. Who took them is in the audit log."),
    "shuke coupons export 742381 --output codes.csv",
    group=command,
)
@click.argument("batch", type=int, metavar=_("BATCH"))
@click.option("--output", type=click.Path(path_type=Path), required=True, help=_("the file to write"))
def export(desk: Desk, batch: int, output: Path) -> None:
    from shuke.flows import coupons as flow
    from shuke.loyalty.queries import coupons as stored

    found = stored.batch(desk.merchant, batch)
    if found is None:
        raise Refused(_("There is no batch {batch}.").format(batch=batch))
    lines = flow.export_codes(merchant=desk.merchant, batch_id=batch, now=desk.now, actor=desk.actor)
    with output.open("w", encoding="utf-8", newline="") as file:
        output.chmod(0o600)  # whoever has the codes has the coupons
        file.writelines(lines)
    if desk.as_json:
        desk.json({"batch": str(batch), "codes": found.made, "file": str(output)})
    desk.say(_("{count} codes in {file}.").format(count=f"{found.made:,}", file=output))


@declared(
    "code",
    _("A code that many use, such as SPRING20; --end ends it."),
    "shuke coupons code spring SPRING20\nshuke coupons code spring SPRING20 --end",
    group=command,
)
@click.argument("key", metavar=_("TEMPLATE"))
@click.argument("code", metavar=_("CODE"))
@click.option("--end", is_flag=True, help=_("nobody can use it from now on"))
def code(desk: Desk, key: str, code: str, end: bool) -> None:
    from shuke.loyalty.actions import coupons

    try:
        if end:
            if not coupons.end_shared_code(merchant=desk.merchant, code=code, now=desk.now):
                raise Refused(_("There is no code {code} in force.").format(code=code))
        else:
            coupons.make_shared_code(merchant=desk.merchant, key=key, code=code, now=desk.now, actor=desk.actor)
    except coupons.CouponRefused as error:
        raise _say(error) from error
    if desk.as_json:
        desk.json({"key": key, "code": code, "ended": end})
    desk.say(_("{code} has ended.").format(code=code) if end else _("{code} can be used.").format(code=code))


@declared(
    "find",
    _("One coupon by its code or number: whose it is, its state, everything that happened to it."),
    "shuke coupons find K7QM-2XWD-9PTAC",
    group=command,
)
@click.argument("code", metavar=_("CODE"))
def find(desk: Desk, code: str) -> None:
    from shuke.loyalty.queries import coupons as stored

    pk = numbers.whole(code) if len(code) > 13 else None
    coupon = stored.one(desk.merchant, pk) if pk is not None else stored.find_code(desk.merchant, code).coupon
    if coupon is None:
        raise Refused(_("There is no coupon {code}.").format(code=code))
    moves = stored.history(desk.merchant, coupon.pk)
    if desk.as_json:
        desk.json(
            {
                "id": str(coupon.pk),
                "template": coupon.key,
                "version": coupon.template.version,
                "state": coupon.state,
                "member": coupon.member.card if coupon.member else None,
                "valid_from": coupon.valid_from,
                "valid_until": coupon.valid_until,
                "amount_minor": coupon.amount_minor,
                "moves": [
                    {"at": m.at, "kind": m.kind, "before": m.before, "after": m.after, "ref": m.ref, "actor": m.actor}
                    for m in moves
                ],
            }
        )
        return
    desk.facts(
        [
            (_("what"), _sentence(desk, stored.terms_of(coupon.template))),
            (_("state"), coupon.state),
            (_("member"), str(coupon.member) if coupon.member else _("whoever has the code")),
            (_("valid from"), desk.minute(coupon.valid_from)),
            (_("valid until"), desk.minute(coupon.valid_until)),
        ],
        title=f"{coupon.key} {coupon.pk}",
    )
    desk.table(
        [_("when"), _("what"), _("before"), _("after"), _("amount"), _("for"), _("who")],
        [
            (desk.minute(m.at), m.kind, m.before, m.after, desk.money(m.amount_minor) if m.amount_minor else "", m.ref, m.actor)
            for m in moves
        ],
        right=(4,),
    )  # fmt: skip


@declared(
    "void",
    _("Make open coupons useless, or with --batch all open codes of a batch (a list that leaked)."),
    "shuke coupons void 742381556 --reason 'wrong member'\nshuke coupons void --batch 742381 --reason leaked",
    group=command,
)
@click.argument("coupons", metavar=_("COUPON…"), nargs=-1, type=int)
@click.option("--batch", type=int, metavar=_("BATCH"))
@click.option("--reason", required=True, help=_("why; kept with each coupon"))
def void(desk: Desk, coupons: tuple[int, ...], batch: int | None, reason: str) -> None:
    from shuke.loyalty.actions import coupons as actions

    told: dict[str, Any] = {"merchant": desk.merchant, "reason": reason, "now": desk.now, "actor": desk.actor}
    if (batch is None) == (not coupons):
        raise click.UsageError(_("Say coupons or --batch."))
    try:
        count = actions.void_batch(batch_id=batch, **told) if batch else actions.void(coupon_ids=coupons, **told)
    except actions.CouponRefused as error:
        raise _say(error) from error
    if desk.as_json:
        desk.json({"void": count})
    desk.say(_("{count} coupons are void.").format(count=f"{count:,}"))


@declared(
    "rules",
    _("Issue by rule now (birthdays, risen tiers …) and book what ran out; the worker does it every hour."),
    "shuke coupons rules",
    group=command,
)
def rules(desk: Desk) -> None:
    from shuke.flows import coupons as flow
    from shuke.kit import clock
    from shuke.loyalty.actions import coupons

    ruled = flow.issue_by_rule(merchant=desk.merchant, now=desk.now, real_now=clock.utc_now())
    expired = coupons.expire(merchant=desk.merchant, now=desk.now)
    if desk.as_json:
        desk.json({**ruled._asdict(), "expired": expired})
        return
    desk.facts([(_("coupons issued"), ruled.issued), (_("members"), ruled.members), (_("ran out"), expired)])
    for refusal, count in ruled.refused.items():
        desk.say(f"  {refusal}: {count}")


@declared(
    "report",
    _("Per template: issued, used, given back, void, ran out, and what it cost, between two days."),
    "shuke coupons report --from 2026-05-01 --to 2026-05-31",
    group=command,
)
@click.option("--from", "since", type=DAY, required=True, help=_("first day"))
@click.option("--to", "until", type=DAY, required=True, help=_("last day"))
def report(desk: Desk, since: datetime, until: datetime) -> None:
    from datetime import timedelta

    from shuke.loyalty.queries import coupons as stored

    rows = stored.report(desk.merchant, since.date(), until.date() + timedelta(days=1))
    if desk.as_json:
        desk.json(rows)
        return
    desk.table(
        [_("key"), _("issued"), _("used"), _("given back"), _("void"), _("ran out"), _("cost")],
        [(*row[:-1], desk.money(row.cost_minor)) for row in rows],
        right=(1, 2, 3, 4, 5, 6),
    )
