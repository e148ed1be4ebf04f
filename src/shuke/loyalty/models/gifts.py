"""The catalogue of what points can be exchanged for, its stock, and what members took of it."""

from __future__ import annotations

from django.db import models
from django.db.models import F, Q

from shuke.kit import ids
from shuke.members.models import Member
from shuke.shops.models import Merchant, Store


class Gift(models.Model):
    """One gift 礼品: a price in points, or points and money; `stock` null = without limit. A donation goes to others."""

    class Kind(models.TextChoices):
        GOODS = "goods"
        DONATION = "donation"
        COUPON = "coupon"

    id = models.BigIntegerField(primary_key=True, default=ids.new, editable=False)
    merchant = models.ForeignKey(Merchant, on_delete=models.PROTECT, db_index=False)
    code = models.CharField(max_length=40)
    kind = models.CharField(max_length=8, choices=Kind.choices, default=Kind.GOODS)
    name_zh = models.CharField(max_length=80)
    name_en = models.CharField(max_length=80)
    about_zh = models.CharField(max_length=300, blank=True, help_text="Of a donation: who it goes to.")
    about_en = models.CharField(max_length=300, blank=True)
    points = models.BigIntegerField()
    cash_minor = models.BigIntegerField(default=0, help_text="To pay beside the points.")
    cost_minor = models.BigIntegerField(default=0, help_text="What one costs the shop.")
    stock = models.BigIntegerField(null=True, help_text="Free to be taken: Σ of the stock moves.")
    per_member = models.PositiveIntegerField(null=True)
    tiers = models.JSONField(default=list, help_text="Only for these; none: for all.")
    coupon = models.CharField(max_length=30, blank=True, help_text="Template that a gift of kind coupon issues.")
    ship = models.BooleanField(default=False, help_text="Can be sent; all can be picked up.")
    hold_days = models.PositiveSmallIntegerField(default=7, help_text="So long an order waits to be picked up.")
    from_at = models.DateTimeField(null=True)
    until_at = models.DateTimeField(null=True, help_text="Exclusive.")
    active = models.BooleanField(default=True)
    made_at = models.DateTimeField()
    made_by = models.CharField(max_length=60, blank=True)

    class Meta:
        db_table = "loyalty_gift"
        constraints = [
            models.UniqueConstraint(fields=["merchant", "code"], name="loyalty_gift_code"),
            models.CheckConstraint(condition=Q(stock__isnull=True) | Q(stock__gte=0), name="loyalty_gift_stock"),
            models.CheckConstraint(condition=Q(points__gt=0, cash_minor__gte=0), name="loyalty_gift_price"),
        ]

    def __str__(self) -> str:
        return self.name_zh or self.code


class GiftPicture(models.Model):
    """A picture of a gift, small enough to live in the database and its backup."""

    gift = models.OneToOneField(Gift, primary_key=True, on_delete=models.CASCADE)
    merchant = models.ForeignKey(Merchant, on_delete=models.PROTECT, db_index=False)
    type = models.CharField(max_length=20)
    body = models.BinaryField()

    class Meta:
        db_table = "loyalty_gift_picture"


class GiftMove(models.Model):
    """One change of a gift's stock. Never changed: the stock is their sum."""

    id = models.BigIntegerField(primary_key=True, default=ids.new, editable=False)
    merchant = models.ForeignKey(Merchant, on_delete=models.PROTECT, db_index=False)
    gift = models.ForeignKey(Gift, on_delete=models.PROTECT, db_index=False)
    at = models.DateTimeField()
    amount = models.BigIntegerField()
    why = models.CharField(max_length=10)  # received | corrected | taken | given_back
    ref = models.CharField(max_length=200, blank=True, help_text="Key of the order, or a remark.")
    actor = models.CharField(max_length=60)

    class Meta:
        db_table = "loyalty_gift_move"
        constraints = [models.CheckConstraint(condition=~Q(amount=0), name="loyalty_gift_move_not_zero")]
        indexes = [models.Index(fields=["merchant", "gift", "at"], name="loyalty_gift_move_gift")]


class GiftOrder(models.Model):
    """Points for a gift: held until it is handed over, then spent; cancelled or forgotten, both come back."""

    class State(models.TextChoices):
        HELD = "held"  # stock and points are set aside
        DONE = "done"
        CANCELLED = "cancelled"
        TIMED_OUT = "timed_out"
        RETURNED = "returned"  # all of it came back after it was handed over
        REFUSED = "refused"

    id = models.BigIntegerField(primary_key=True, default=ids.new, editable=False)
    merchant = models.ForeignKey(Merchant, on_delete=models.PROTECT, db_index=False)
    key = models.CharField(max_length=180)
    payload = models.BinaryField(max_length=16)
    member = models.ForeignKey(Member, on_delete=models.PROTECT, db_index=False)
    gift = models.ForeignKey(Gift, on_delete=models.PROTECT, db_index=False)
    count = models.PositiveIntegerField()
    returned = models.PositiveIntegerField(default=0, help_text="Pieces that came back.")
    points = models.BigIntegerField()
    cash_minor = models.BigIntegerField(default=0)
    cost_minor = models.BigIntegerField(default=0)
    way = models.CharField(max_length=8, default="pickup")  # pickup | ship
    state = models.CharField(max_length=10, choices=State.choices)
    code = models.CharField(max_length=20, blank=True, help_text="Why it was refused.")
    figures = models.JSONField(null=True, help_text="Of that sentence: asked again, it is said as it was.")
    placed_at = models.DateTimeField()
    until = models.DateTimeField(null=True, help_text="Held: when it lapses.")
    closed_at = models.DateTimeField(null=True, help_text="Handed over, cancelled or lapsed.")
    closed_by = models.CharField(max_length=60, blank=True)
    store = models.ForeignKey(Store, null=True, on_delete=models.PROTECT, db_index=False)
    actor = models.CharField(max_length=60)
    receipt = models.CharField(max_length=60, blank=True, help_text="Of the money paid, or of the parcel.")
    note = models.CharField(max_length=200, blank=True)

    class Meta:
        db_table = "loyalty_gift_order"
        constraints = [
            models.UniqueConstraint(fields=["merchant", "key"], name="loyalty_gift_order_key"),
            models.CheckConstraint(
                condition=Q(count__gt=0, returned__lte=F("count")), name="loyalty_gift_order_returned"
            ),
        ]
        indexes = [
            models.Index(fields=["merchant", "member", "placed_at"], name="loyalty_gift_order_member"),
            models.Index(fields=["merchant", "gift", "state"], name="loyalty_gift_order_gift"),
            models.Index(fields=["merchant", "state", "until"], name="loyalty_gift_order_due"),
        ]
