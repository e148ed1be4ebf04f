"""Charters in the making."""

from __future__ import annotations

from django.db import models

from shuke.kit import ids
from shuke.shops.models import Merchant


class CharterDraft(models.Model):
    """A charter somebody is working on. It may be half done or wrong: nothing typed is lost because it is not valid yet."""

    class State(models.TextChoices):
        OPEN = "open"
        PUBLISHED = "published"
        DISCARDED = "discarded"

    id = models.BigIntegerField(primary_key=True, default=ids.new, editable=False)
    merchant = models.ForeignKey(Merchant, on_delete=models.PROTECT, db_index=False)
    title = models.CharField(max_length=100)
    text = models.TextField(help_text="The document as YAML, as far as it got.")
    state = models.CharField(max_length=10, choices=State.choices, default=State.OPEN)
    revision = models.PositiveIntegerField(default=1, help_text="Goes up with every saving: two people at once notice.")
    based_on = models.PositiveIntegerField(null=True, help_text="Version of the charter it was begun from.")
    made_at = models.DateTimeField()
    made_by = models.CharField(max_length=60, blank=True)
    saved_at = models.DateTimeField()
    saved_by = models.CharField(max_length=60, blank=True)
    version = models.PositiveIntegerField(null=True, help_text="The version it was published as.")

    class Meta:
        db_table = "loyalty_charter_draft"
        indexes = [models.Index(fields=["merchant", "state", "saved_at"], name="loyalty_charter_draft_saved")]
