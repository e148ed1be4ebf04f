"""Tables of points that change hands: families that share."""

from __future__ import annotations

from django.db import models

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
