"""Tables of the till: baskets that hold or used points and coupons, and what came back of them."""

from __future__ import annotations

from django.db import models
from django.db.models import Q

from shuke.kit import ids
from shuke.members.models import Member
from shuke.shops.models import Merchant


class Checkout(models.Model):
    """A basket for which points, coupons or stored value were set aside. Resolved exactly once."""

    id = models.BigIntegerField(primary_key=True, default=ids.new, editable=False)
    merchant = models.ForeignKey(Merchant, on_delete=models.PROTECT, db_index=False, db_constraint=False)
    key = models.CharField(max_length=160, help_text="The caller's own; for ever.")
    payload = models.BinaryField(max_length=16, help_text="Hash of what was asked.")
    member = models.ForeignKey(Member, null=True, on_delete=models.PROTECT, db_index=False)
    state = models.CharField(max_length=10, default="open")  # open | captured | released | timed_out
    basket = models.JSONField(help_text="As it was asked.")
    priced = models.JSONField(help_text="As it was answered: every line with its shares.")
    points = models.BigIntegerField(default=0)
    stored_value_minor = models.BigIntegerField(default=0)
    gift_cards = models.JSONField(default=dict, help_text="Card → [what it paid, what came back to it], minor units.")
    gift_cards_minor = models.BigIntegerField(default=0)
    due_minor = models.BigIntegerField(default=0)
    placed_at = models.DateTimeField()
    times_out_at = models.DateTimeField()
    resolved_at = models.DateTimeField(null=True)
    order_event = models.CharField(max_length=260, blank=True, help_text="Which order it became.")
    booked = models.BooleanField(
        default=False, help_text="The till told the archive the order itself; so it tells its returns."
    )
    returned = models.JSONField(default=dict, help_text="Line → thousandths that came back in all.")
    returned_due_minor = models.BigIntegerField(default=0)
    returned_points = models.BigIntegerField(default=0)
    returned_stored_minor = models.BigIntegerField(default=0)
    returned_cards_minor = models.BigIntegerField(default=0)
    actor = models.CharField(max_length=60, blank=True)

    class Meta:
        db_table = "loyalty_checkout"
        constraints = [
            models.UniqueConstraint(fields=["merchant", "key"], name="loyalty_checkout_key"),
            models.UniqueConstraint(
                fields=["merchant", "order_event"], name="loyalty_checkout_order", condition=~Q(order_event="")
            ),
            models.CheckConstraint(
                condition=Q(state="open", resolved_at__isnull=True) | (~Q(state="open") & Q(resolved_at__isnull=False)),
                name="loyalty_checkout_resolved",
            ),
            models.CheckConstraint(
                condition=Q(returned_points__gte=0, returned_due_minor__gte=0, returned_stored_minor__gte=0)
                & Q(returned_points__lte=models.F("points"))
                & Q(returned_due_minor__lte=models.F("due_minor"))
                & Q(returned_stored_minor__lte=models.F("stored_value_minor")),
                name="loyalty_checkout_returned",
            ),
            models.CheckConstraint(
                condition=Q(returned_cards_minor__gte=0, returned_cards_minor__lte=models.F("gift_cards_minor")),
                name="loyalty_checkout_cards",
            ),
        ]
        indexes = [
            models.Index(fields=["merchant", "times_out_at"], name="loyalty_checkout_due", condition=Q(state="open")),
            models.Index(
                fields=["merchant", "member", "placed_at"],
                name="loyalty_checkout_member",
                condition=Q(member__isnull=False),
            ),
            models.Index(
                fields=["merchant", "placed_at"], name="loyalty_checkout_shown", condition=Q(member__isnull=False)
            ),
        ]


class CheckoutReturn(models.Model):
    """One return of goods of a captured basket. Append-only; `key` is the caller's, for ever."""

    id = models.BigIntegerField(primary_key=True, default=ids.new, editable=False)
    merchant = models.ForeignKey(Merchant, on_delete=models.PROTECT, db_index=False, db_constraint=False)
    checkout = models.ForeignKey(Checkout, on_delete=models.PROTECT, db_index=False)
    key = models.CharField(max_length=200)
    payload = models.BinaryField(max_length=16)
    at = models.DateTimeField()
    back = models.JSONField(help_text="What came back by it: money, points, stored value, discounts, coupons.")
    actor = models.CharField(max_length=60, blank=True)

    class Meta:
        db_table = "loyalty_checkout_return"
        constraints = [models.UniqueConstraint(fields=["merchant", "key"], name="loyalty_checkout_return_key")]
        indexes = [models.Index(fields=["merchant", "checkout"], name="loyalty_checkout_return_of")]
