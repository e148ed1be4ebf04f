"""Tables of listening. All writes are in actions.py."""

from __future__ import annotations

from django.db import models
from django.db.models import Q

from shuke.kit import ids
from shuke.members.models import Member
from shuke.shops.models import Merchant


class Complaint(models.Model):
    """What a member was not content with, and how it was settled."""

    id = models.BigIntegerField(primary_key=True, default=ids.new, editable=False)
    merchant = models.ForeignKey(Merchant, on_delete=models.PROTECT, db_index=False, db_constraint=False)
    member = models.ForeignKey(Member, on_delete=models.PROTECT, db_index=False)
    key = models.CharField(max_length=160, help_text="The caller's own; for ever.")
    payload = models.BinaryField(max_length=16, help_text="Hash of what was told.")
    what = models.TextField(help_text="In the words of whoever wrote it down.")
    channel = models.CharField(max_length=20, help_text="How it came: counter, phone, chat, message, review, other.")
    order_number = models.CharField(max_length=60, blank=True, help_text="What was bought, if it is about that.")
    opened_at = models.DateTimeField()
    opened_by = models.CharField(max_length=60)
    settled_at = models.DateTimeField(null=True, help_text="Null: open.")
    settled_by = models.CharField(max_length=60, blank=True)
    note = models.TextField(blank=True, help_text="How it was settled, the last time.")
    reopened = models.IntegerField(default=0, help_text="How often.")

    class Meta:
        db_table = "service_complaint"
        constraints = [models.UniqueConstraint(fields=["merchant", "key"], name="service_complaint_key")]
        indexes = [
            models.Index(fields=["merchant", "member", "opened_at"], name="service_complaint_member"),
            models.Index(
                fields=["merchant", "opened_at"], name="service_complaint_open", condition=Q(settled_at__isnull=True)
            ),
        ]
