"""The gift shelf: the catalogue, pictures, and the stock, which never falls below 0. Orders are in gifts.py."""

from __future__ import annotations

import hashlib
import json
from collections.abc import Mapping
from datetime import datetime
from typing import Any

from django.db import transaction

from shuke.kit import audit, bulk
from shuke.kit.refusal import Refusal
from shuke.loyalty.models import Gift, GiftMove, GiftPicture
from shuke.loyalty.queries import gifts as stored
from shuke.shops.models import Merchant

PICTURES = {b"\x89PNG\r\n\x1a\n": "image/png", b"\xff\xd8\xff": "image/jpeg", b"RIFF": "image/webp"}
PICTURE_BYTES = 400_000


WRONG = {
    "code": ("Give the gift a code of its own, at most 40 characters.", "请给礼品一个编码，最多 40 个字符。"),
    "name": ("Name the gift in Chinese and in English.", "请填写礼品的中文名和英文名。"),
    "points": ("Say how many points it takes; more than 0.", "请填写所需积分，须大于 0。"),
    "money": (
        "Money beside the points, and what it costs the shop, cannot be below 0.",
        "加付金额与成本不能小于 0。",
    ),
    "time": ("It ends before it begins; choose a later end.", "结束早于开始，请改晚结束时间。"),
    "coupon": ("Say which coupon template it issues.", "请写明发放哪个券模板。"),
    "about": (
        "Say who the donation goes to, in Chinese and in English.",
        "请用中英文写明捐赠给谁。",
    ),
    "changed_meanwhile": (
        "Somebody else saved {gift} after you had opened it. Nothing was overwritten. What you typed is still here; saving again "
        "puts it in place of theirs.",
        "您打开之后，{gift} 已被他人修改，没有覆盖任何内容。您填写的内容仍在；再次保存将以您的内容为准。",
    ),
    "no_such_gift": ("There is no gift {gift}.", "没有礼品 {gift}。"),
    "no_stock": ("{gift} has no stock to change: it is without limit, or no goods.", "{gift} 没有库存可改：不限量，或不是实物。"),
    "amount": (
        "Say how many pieces came in; to take some off, correct the stock.",
        "请填写入库件数；要减少请用更正。",
    ),
    "too_few": (
        "Only {left} pieces of {gift} are there; {count} cannot be taken off.",
        "{gift} 只有 {left} 件，不能减去 {count} 件。",
    ),
    "picture": ("The picture must be a PNG, JPEG or WebP file of at most 400 kB.", "图片须为 PNG、JPEG 或 WebP，最大 400 kB。"),
}  # fmt: skip


class GiftWrong(Refusal):
    """The gift cannot be saved so; the message says why and what to do. `code` is for programs."""

    sentences = WRONG


FIELDS = (
    "kind", "name_zh", "name_en", "about_zh", "about_en", "points", "cash_minor", "cost_minor", "per_member", "tiers",
    "coupon", "ship", "hold_days", "from_at", "until_at", "active",
)  # fmt: skip


@transaction.atomic
def save_gift(
    *, merchant: Merchant, code: str, values: Mapping[str, Any], now: datetime, actor: str, seen: str | None = None
) -> Gift:
    """Make a gift, or change what it says; what was ordered keeps its price. Raises GiftWrong.

    `stock` among the values counts only for a new gift (None: without limit); afterwards `add_stock` moves it. `seen` is the
    gift as who changes it saw it (seen_as; "": there was none): what somebody else saved since is not overwritten.
    """
    code = code.strip()
    row = Gift.objects.select_for_update(no_key=True).filter(merchant=merchant, code=code).first()
    made = row is None
    if seen is not None and seen != seen_as(row):
        raise GiftWrong("changed_meanwhile" if row else "no_such_gift", gift=code)
    if row is None:
        row = Gift(merchant=merchant, code=code, made_at=now, made_by=actor[:60])
    for name in FIELDS:
        if name in values:
            setattr(row, name, values[name])
    _check(row)
    if made and row.kind == Gift.Kind.GOODS:
        row.stock = 0 if values.get("stock") is not None else None
    if made:
        row.save(force_insert=True)
    else:
        row.save(update_fields=FIELDS)  # never the stock, which tills move meanwhile
    if made and values.get("stock"):
        move_stock(merchant, row.pk, int(values["stock"]), "received", "", now, actor)
    verb = "gift.created" if made else "gift.changed"
    audit.record(merchant_id=merchant.pk, at=now, actor=actor, verb=verb, object=f"gift {code}")
    return Gift.objects.get(pk=row.pk)


def seen_as(row: Gift | None) -> str:
    """What a form shows of a gift, in a few letters, so that it can tell whether it still does. The stock is not part of it."""
    if row is None:
        return ""
    told = json.dumps({name: getattr(row, name) for name in FIELDS}, default=str, sort_keys=True)
    return hashlib.sha256(told.encode()).hexdigest()[:20]


def _check(row: Gift) -> None:
    if not row.code or len(row.code) > 40:
        raise GiftWrong("code")
    if not (row.name_zh and row.name_en):
        raise GiftWrong("name")
    if not isinstance(row.points, int) or row.points <= 0:
        raise GiftWrong("points")
    if (row.cash_minor or 0) < 0 or (row.cost_minor or 0) < 0:
        raise GiftWrong("money")
    if row.from_at and row.until_at and row.until_at <= row.from_at:
        raise GiftWrong("time")
    if row.kind == Gift.Kind.COUPON and not row.coupon:
        raise GiftWrong("coupon")
    if row.kind == Gift.Kind.DONATION and not (row.about_zh and row.about_en):
        raise GiftWrong("about")


@transaction.atomic
def add_stock(
    *, merchant: Merchant, code: str, amount: int, now: datetime, actor: str, corrected: bool = False, remark: str = ""
) -> Gift:
    """Pieces that came in, or a correction (may be below 0, but not below what is there). Raises GiftWrong."""
    row = stored.gift(merchant, code)
    if row is None:
        raise GiftWrong("no_such_gift", gift=code)
    if row.kind != Gift.Kind.GOODS:
        raise GiftWrong("no_stock", gift=code)
    if amount == 0 or (amount < 0 and not corrected):
        raise GiftWrong("amount")
    if row.stock is None:
        raise GiftWrong("no_stock", gift=code)
    if not move_stock(merchant, row.pk, amount, "corrected" if corrected else "received", remark, now, actor):
        raise GiftWrong("too_few", gift=code, left=row.stock, count=-amount)
    return Gift.objects.get(pk=row.pk)


@transaction.atomic
def set_picture(*, merchant: Merchant, code: str, body: bytes, now: datetime, actor: str) -> None:
    """A picture of at most 400 kB: PNG, JPEG or WebP, told by its first bytes and not by its name. Empty: none."""
    row = stored.gift(merchant, code)
    if row is None:
        raise GiftWrong("no_such_gift", gift=code)
    if not body:
        GiftPicture.objects.filter(gift=row).delete()
        return
    kind = next((t for mark, t in PICTURES.items() if body.startswith(mark)), "")
    if not kind or (kind == "image/webp" and body[8:12] != b"WEBP"):
        raise GiftWrong("picture")
    if len(body) > PICTURE_BYTES:
        raise GiftWrong("picture")
    # One statement: two at once leave one of the two pictures, never none.
    GiftPicture.objects.update_or_create(gift=row, merchant=merchant, defaults={"type": kind, "body": body})


def move_stock(merchant: Merchant, gift_id: int, amount: int, why: str, ref: str, now: datetime, actor: str) -> bool:
    """The only way stock changes: never below 0, whoever else changes it now. False when it would."""
    done = bulk.execute(
        "UPDATE loyalty_gift SET stock = stock + %s WHERE merchant_id = %s AND id = %s AND stock IS NOT NULL "
        "AND stock + %s >= 0",
        [amount, merchant.pk, gift_id, amount],
    )
    if done:
        GiftMove.objects.create(
            merchant=merchant, gift_id=gift_id, at=now, amount=amount, why=why, ref=ref[:200], actor=actor[:60]
        )
    return bool(done)
