"""Tables of points that change hands: families that share, and corrections that wait for a second person."""

from __future__ import annotations

from django.db import models
from django.db.models import Q

from shuke.kit import ids
from shuke.members.models import Member
from shuke.shops.models import Merchant


class Family(models.Model):
    """Members who spend from one pool 家庭积分. Everyone keeps an account; what one lacks the others give."""

    id = models.BigIntegerField(primary_key=True, default=ids.new, editable=False)
    merchant = models.ForeignKey(Merchant, on_delete=models.PROTECT, db_index=False)
    name = models.CharField(max_length=60)
    made_at = models.DateTimeField()
    made_by = models.CharField(max_length=60, blank=True)

    class Meta:
        db_table = "loyalty_family"
        indexes = [models.Index(fields=["merchant", "id"], name="loyalty_family_merchant")]


class Relative(models.Model):
    """A member of a family; nobody is in two."""

    id = models.BigIntegerField(primary_key=True, default=ids.new, editable=False)
    merchant = models.ForeignKey(Merchant, on_delete=models.PROTECT, db_index=False)
    family = models.ForeignKey(Family, on_delete=models.CASCADE, related_name="relatives", db_index=False)
    member = models.ForeignKey(Member, on_delete=models.PROTECT, db_index=False)
    joined_at = models.DateTimeField()

    class Meta:
        db_table = "loyalty_relative"
        constraints = [models.UniqueConstraint(fields=["merchant", "member"], name="loyalty_relative_once")]
        indexes = [models.Index(fields=["merchant", "family", "joined_at"], name="loyalty_relative_family")]


class Correction(models.Model):
    """Points given or taken by hand above the charter's limit: done when a second person agrees."""

    id = models.BigIntegerField(primary_key=True, default=ids.new, editable=False)
    merchant = models.ForeignKey(Merchant, on_delete=models.PROTECT, db_index=False)
    key = models.CharField(max_length=200, help_text="The caller's key; the posting has it too.")
    member = models.ForeignKey(Member, on_delete=models.PROTECT, db_index=False)
    amount = models.BigIntegerField()
    reason = models.CharField(max_length=200)
    state = models.CharField(max_length=10, default="waiting")  # waiting | done | declined | withdrawn | refused
    asked_by = models.CharField(max_length=60)
    asked_at = models.DateTimeField()
    decided_by = models.CharField(max_length=60, blank=True)
    decided_because = models.CharField(max_length=200, blank=True, help_text="Why it was declined.")
    decided_at = models.DateTimeField(null=True)

    class Meta:
        db_table = "loyalty_correction"
        constraints = [
            models.UniqueConstraint(fields=["merchant", "key"], name="loyalty_correction_key"),
            models.CheckConstraint(condition=~Q(amount=0), name="loyalty_correction_not_zero"),
        ]
        indexes = [models.Index(fields=["merchant", "state", "asked_at"], name="loyalty_correction_waiting")]
