"""Publishing a charter version, and taking it back while it is not in force yet."""

from __future__ import annotations

from datetime import datetime
from typing import Any, ClassVar

from django.db import transaction

from shuke.engine.charter import document
from shuke.kit.refusal import Refusal, Sentences
from shuke.loyalty.models import PublishedCharter, Txn
from shuke.shops.models import Merchant


class CharterRefused(Refusal):
    """This charter cannot be published, or taken back, as asked."""

    sentences: ClassVar[Sentences] = {
        "other_currency": (
            "The charter counts in {currency}, but {merchant} sells in {expected}. Change `currency` in the charter.",
            "章程的币种是 {currency}，而 {merchant} 的币种是 {expected}。请修改章程中的 currency。",
        ),
        "in_the_past": (
            "Version {version} is published; a new version cannot begin in the past ({since}, now it is {now} in the shop). Choose "
            "today or a later day.",
            "第 {version} 版已发布；新版本不能从过去开始（{since}，店铺现在是 {now}）。请选择今天或以后的日期。",
        ),
        "before_the_last": (
            "Version {version} begins on {since}; the next one must begin later, or withdraw that version first.",
            "第 {version} 版从 {since} 开始；下一版须更晚，或先撤回该版。",
        ),
        "no_such_version": (
            "There is no version {version}; if it was withdrawn already, it lives on as a draft.",
            "没有第 {version} 版；若已撤回，它保存为草稿。",
        ),
        "in_force": (
            "Version {version} is in force since {since} and explains what members earned since. Publish another version "
            "instead.",
            "第 {version} 版自 {since} 起生效，会员此后的积分由它说明。请改为发布新版本。",
        ),
        "not_the_last": (
            "Version {version} comes after it; withdraw that one first.",
            "其后还有第 {version} 版，请先撤回那一版。",
        ),
        "used": (
            "Version {version} explains postings dated after its beginning; it can no longer be withdrawn.",
            "第 {version} 版生效后的记账由它说明，已不能撤回。",
        ),
        "published_meanwhile": (
            "{by} published version {version} after you had looked at the changes. Nothing was published: look at what changes "
            "against it, then publish again.",
            "在您查看修改之后，{by} 已发布第 {version} 版。本次未发布：请对照该版重新查看修改，再发布。",
        ),
        "withdrawn_meanwhile": (
            "The version you had looked at was withdrawn meanwhile. Nothing was published: look at the changes again.",
            "您查看时的那一版已被撤回。本次未发布：请重新查看修改。",
        ),
        "another_by_now": (
            "Version {version} is another one by now: {by} published it after yours was withdrawn. Nothing was withdrawn.",
            "第 {version} 版已不是您看到的那一版：原来的已被撤回，现在这一版由 {by} 发布。未作撤回。",
        ),
        "nothing_changes": (
            "Version {version} says exactly the same; there is nothing to publish.",
            "与第 {version} 版完全相同，无需发布。",
        ),
    }


@transaction.atomic
def publish_charter(
    *,
    merchant: Merchant,
    charter: document.Charter | dict[str, Any],
    effective_from: datetime,
    now: datetime,
    actor: str,
    note: str = "",
    upon: int | None = None,
) -> PublishedCharter:
    """A new version, in force from `effective_from` on. Raises CharterInvalid or CharterRefused. `upon` is the last version
    that whoever publishes has seen (0: none): another one by somebody else is not replaced unseen.

    The first version may begin in the past, so that an imported history is settled by it. A later one may not begin
    before `now`: what members were told they earned is not rewritten.
    """
    if isinstance(charter, dict):
        charter = document.from_plain(charter)
    Merchant.objects.select_for_update().get(pk=merchant.pk)  # one publication at a time
    if charter.currency != merchant.currency:
        raise CharterRefused(
            "other_currency", currency=charter.currency, merchant=merchant.name, expected=merchant.currency
        )
    last = PublishedCharter.objects.filter(merchant=merchant).order_by("-version").first()
    if upon is not None and upon != (last.version if last else 0):
        if last is not None and last.version > upon:
            raise CharterRefused("published_meanwhile", version=last.version, by=last.published_by)
        raise CharterRefused("withdrawn_meanwhile")
    if last is not None:
        if effective_from < now:
            raise CharterRefused(
                "in_the_past", version=last.version, since=_told(merchant, effective_from), now=_told(merchant, now)
            )
        if effective_from <= last.effective_from:
            raise CharterRefused("before_the_last", version=last.version, since=_told(merchant, last.effective_from))
    return PublishedCharter.objects.create(
        merchant=merchant,
        version=1 if last is None else last.version + 1,
        effective_from=effective_from,
        document=document.to_plain(charter),
        published_at=now,
        published_by=actor,
        note=note,
    )


@transaction.atomic
def withdraw_charter(*, merchant: Merchant, version: int, now: datetime, row_id: int | None = None) -> PublishedCharter:
    """Take back the last version while it is not in force; what it said is in the answer. Raises CharterRefused. `row_id` is
    the row that whoever withdraws has seen: a number that is free again may be another's by now.

    Its number is free again: nothing was ever explained by it, which is looked at here and not assumed.
    """
    Merchant.objects.select_for_update().get(pk=merchant.pk)
    last = PublishedCharter.objects.filter(merchant=merchant).order_by("-version").first()
    row = PublishedCharter.objects.filter(merchant=merchant, version=version).first()
    if row is None or last is None:
        raise CharterRefused("no_such_version", version=version)
    if row_id is not None and row.pk != row_id:
        raise CharterRefused("another_by_now", version=version, by=row.published_by)
    if row.effective_from <= now:
        raise CharterRefused("in_force", version=version, since=_told(merchant, row.effective_from))
    if row.version != last.version:
        raise CharterRefused("not_the_last", version=last.version)
    if Txn.objects.filter(merchant=merchant, charter_version=version).exists():
        raise CharterRefused("used", version=version)
    PublishedCharter.objects.filter(pk=row.pk).delete()
    return row


def _told(merchant: Merchant, moment: datetime) -> str:
    """As the shop's clock shows it."""
    return f"{moment.astimezone(merchant.tz):%Y-%m-%d %H:%M}"
