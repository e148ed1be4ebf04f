"""What one person changed by hand: done at once within the charter's limit of a day, above it when a second person agrees."""

from __future__ import annotations

from django.db import models
from django.db.models import Q

from shuke.kit import ids
from shuke.members.models import Member
from shuke.shops.models import Merchant


class ByHand(models.Model):
    """One change by hand. Done with nobody in `decided_by`, one person did it alone: that counts for the day's sums."""

    id = models.BigIntegerField(primary_key=True, default=ids.new, editable=False)
    merchant = models.ForeignKey(Merchant, on_delete=models.PROTECT, db_index=False)
    key = models.CharField(max_length=200, help_text="The caller's key; the posting has it too.")
    member = models.ForeignKey(Member, on_delete=models.PROTECT, db_index=False)
    amount = models.BigIntegerField()
    reason = models.CharField(max_length=200)
    state = models.CharField(max_length=10, default="waiting")  # waiting | done | declined | withdrawn | refused
    asked_by = models.CharField(max_length=60)
    asked_at = models.DateTimeField()
    person = models.CharField(max_length=60, blank=True, default="", help_text="Who answered for `asked_by` then.")
    # Why it waits: the limit then, and to what the person, and this member, come with it on that day.
    limit = models.BigIntegerField(null=True)
    by_person = models.BigIntegerField(default=0)
    of_member = models.BigIntegerField(default=0)
    decided_by = models.CharField(max_length=60, blank=True)
    decided_because = models.CharField(max_length=200, blank=True, help_text="Why it was declined.")
    decided_at = models.DateTimeField(null=True)

    class Meta:
        abstract = True


class Correction(ByHand):
    """Points, lapsed points or growth value."""

    kind = models.CharField(max_length=10, default="adjust")  # adjust | reinstate | growth

    class Meta:
        db_table = "loyalty_correction"
        constraints = [
            models.UniqueConstraint(fields=["merchant", "key"], name="loyalty_correction_key"),
            models.CheckConstraint(condition=~Q(amount=0), name="loyalty_correction_not_zero"),
        ]
        indexes = [models.Index(fields=["merchant", "state", "asked_at"], name="loyalty_correction_waiting")]


class StoredCorrection(ByHand):
    """Money, in minor units."""

    account = models.CharField(max_length=9)  # principal | bonus

    class Meta:
        db_table = "loyalty_stored_correction"
        constraints = [
            models.UniqueConstraint(fields=["merchant", "key"], name="loyalty_stored_correction_key"),
            models.CheckConstraint(condition=~Q(amount=0), name="loyalty_stored_correction_not_zero"),
        ]
        indexes = [models.Index(fields=["merchant", "state", "asked_at"], name="loyalty_stored_corr_waiting")]
