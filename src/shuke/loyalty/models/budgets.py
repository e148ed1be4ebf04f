"""Budgets of earning rules: what all members together have drawn, and what each event got (decision 0013)."""

from __future__ import annotations

from django.db import models
from django.db.models import F, Q

from shuke.kit import ids
from shuke.members.models import Member
from shuke.shops.models import Merchant


class Budget(models.Model):
    """Points one rule has given out of its budget. The row is locked by whoever draws; the limit is in the charter."""

    id = models.BigIntegerField(primary_key=True, default=ids.new, editable=False)
    merchant = models.ForeignKey(Merchant, on_delete=models.PROTECT, db_index=False)
    rule = models.CharField(max_length=30)
    taken = models.BigIntegerField(default=0)

    class Meta:
        db_table = "loyalty_budget"
        constraints = [
            models.UniqueConstraint(fields=["merchant", "rule"], name="loyalty_budget_rule"),
            models.CheckConstraint(condition=Q(taken__gte=0), name="loyalty_budget_taken"),
        ]


class Grant(models.Model):
    """What one event asked of one rule's budget, what it got, and what a return gave back. Drawn once, kept for ever."""

    id = models.BigIntegerField(primary_key=True, default=ids.new, editable=False)
    merchant = models.ForeignKey(Merchant, on_delete=models.PROTECT, db_index=False, db_constraint=False)
    member = models.ForeignKey(Member, on_delete=models.PROTECT, db_index=False, db_constraint=False)
    event = models.CharField(max_length=260)
    rule = models.CharField(max_length=30)
    wanted = models.BigIntegerField()
    granted = models.BigIntegerField()
    returned = models.BigIntegerField(default=0)

    class Meta:
        db_table = "loyalty_grant"
        constraints = [
            models.UniqueConstraint(fields=["merchant", "event", "rule"], name="loyalty_grant_event"),
            models.CheckConstraint(
                condition=Q(returned__gte=0, returned__lte=F("granted"), granted__lte=F("wanted")),
                name="loyalty_grant_range",
            ),
        ]
        indexes = [models.Index(fields=["merchant", "member"], name="loyalty_grant_member")]
