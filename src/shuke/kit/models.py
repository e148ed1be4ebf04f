"""Tables of the tools: jobs, audit, and what is known of keys."""

from __future__ import annotations

from django.db import models
from django.db.models import Q

from shuke.kit import ids


class Job(models.Model):
    """Work to be done by a worker: claimed with one conditional update, retried with back-off (kit/jobs.py)."""

    id = models.BigIntegerField(primary_key=True, default=ids.new, editable=False)
    merchant_id = models.BigIntegerField(null=True)
    name = models.CharField(max_length=60)
    arguments = models.JSONField(default=dict)
    key = models.CharField(max_length=160, null=True, unique=True, help_text="At most one job with this key, ever.")
    state = models.CharField(max_length=8, default="ready")  # ready | running | done | failed
    due_at = models.DateTimeField()
    attempts = models.PositiveSmallIntegerField(default=0)
    max_attempts = models.PositiveSmallIntegerField(default=8)
    claimed_by = models.CharField(max_length=80, blank=True)
    lease_until = models.DateTimeField(null=True)
    progress = models.JSONField(default=dict)
    error = models.TextField(blank=True)
    made_at = models.DateTimeField()
    ended_at = models.DateTimeField(null=True)

    class Meta:
        db_table = "kit_job"
        indexes = [
            models.Index(fields=["due_at", "id"], name="kit_job_ready", condition=Q(state="ready")),
            models.Index(fields=["lease_until"], name="kit_job_running", condition=Q(state="running")),
            models.Index(fields=["merchant_id", "made_at"], name="kit_job_merchant"),
        ]


class AuditLine(models.Model):
    """Who did or saw what, when, from where. Append-only; never holds personal data itself."""

    id = models.BigIntegerField(primary_key=True, default=ids.new, editable=False)
    merchant_id = models.BigIntegerField(null=True)
    at = models.DateTimeField()
    actor = models.CharField(max_length=80)
    verb = models.CharField(max_length=40)
    object = models.CharField(max_length=120, blank=True)
    detail = models.JSONField(default=dict)
    address = models.CharField(max_length=45, blank=True)

    class Meta:
        db_table = "kit_audit"
        indexes = [models.Index(fields=["merchant_id", "at"], name="kit_audit_merchant")]


class IndexKeys(models.Model):
    """Under which master keys the blind indexes stand: one row. Equal, all rows are of that generation; else they climb."""

    id = models.SmallIntegerField(primary_key=True, default=1)
    lowest = models.PositiveSmallIntegerField(default=1, help_text="Rows may be as old as this.")
    newest = models.PositiveSmallIntegerField(default=1, help_text="What is written.")

    class Meta:
        db_table = "kit_index_keys"
        constraints = [models.CheckConstraint(condition=Q(lowest__lte=models.F("newest")), name="kit_index_keys_span")]


class RetiredKey(models.Model):
    """A master key that is out of SHUKE_MASTER_KEY, sealed by a newer one: indexes nest, so it is still computed with."""

    number = models.PositiveSmallIntegerField(primary_key=True)
    under = models.PositiveSmallIntegerField(help_text="Number of the master key that seals it.")
    sealed = models.BinaryField()
    at = models.DateTimeField()

    class Meta:
        db_table = "kit_retired_key"
