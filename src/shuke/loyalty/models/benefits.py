"""What was handed out of the charter's benefits and plans, and what was refused."""

from __future__ import annotations

from django.db import models
from django.db.models import Q

from shuke.kit import ids
from shuke.members.models import Member
from shuke.shops.models import Merchant, Store


class BenefitUse(models.Model):
    """One benefit (or step of a plan) handed out to a member. `key` is for ever: the same key again gives the same answer."""

    class State(models.TextChoices):
        DONE = "done"
        UNDONE = "undone"  # taken back: counts for no quota
        REFUSED = "refused"  # remembered, so that a retry can never flip the outcome

    id = models.BigIntegerField(primary_key=True, default=ids.new, editable=False)
    merchant = models.ForeignKey(Merchant, on_delete=models.PROTECT, db_index=False)
    key = models.CharField(max_length=200)
    payload = models.BinaryField(max_length=16, help_text="Hash of the request.")
    member = models.ForeignKey(Member, on_delete=models.PROTECT, db_index=False)
    benefit = models.CharField(max_length=40, help_text="Key in the charter; of a plan “key.step”.")
    label = models.JSONField(default=dict, help_text="Its name as it was then: {zh, en}.")
    state = models.CharField(max_length=8, choices=State.choices)
    code = models.CharField(max_length=20, blank=True, help_text="Why it was refused.")
    figures = models.JSONField(null=True, help_text="Of that sentence: asked again, it is said as it was.")
    at = models.DateTimeField()
    tier = models.CharField(max_length=30, blank=True, help_text="The member's tier then.")
    charter_version = models.PositiveIntegerField(null=True)
    store = models.ForeignKey(Store, null=True, on_delete=models.PROTECT, db_index=False)
    actor = models.CharField(max_length=60)
    note = models.CharField(max_length=200, blank=True)
    cost_minor = models.BigIntegerField(default=0, help_text="Booked on the member.")
    points = models.BigIntegerField(default=0, help_text="Given with it.")
    waits = models.BooleanField(
        default=False, db_default=False, help_text="Its points were given; the thing that goes with them waits."
    )
    handed_at = models.DateTimeField(null=True, help_text="When the thing that waited was handed over.")
    handed_by = models.CharField(max_length=60, blank=True, db_default="")
    undone_at = models.DateTimeField(null=True)
    undone_by = models.CharField(max_length=60, blank=True)
    undone_because = models.CharField(max_length=200, blank=True)

    class Meta:
        db_table = "loyalty_benefit_use"
        constraints = [
            models.UniqueConstraint(fields=["merchant", "key"], name="loyalty_benefit_use_key"),
            models.CheckConstraint(
                condition=Q(state="undone", undone_at__isnull=False) | (~Q(state="undone") & Q(undone_at__isnull=True)),
                name="loyalty_benefit_use_undone",
            ),
        ]
        indexes = [
            models.Index(fields=["merchant", "member", "at"], name="loyalty_benefit_use_member"),
            models.Index(fields=["merchant", "at"], name="loyalty_benefit_use_at"),
            models.Index(
                fields=["merchant", "member", "at"], name="loyalty_benefit_use_waits", condition=Q(waits=True)
            ),
        ]
