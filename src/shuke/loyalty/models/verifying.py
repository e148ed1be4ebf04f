"""What the books were found to be, each time somebody looked."""

from __future__ import annotations

from django.db import models

from shuke.kit import ids
from shuke.shops.models import Merchant


class Verification(models.Model):
    """One verify with its result. The next one can begin where one that found nothing ended."""

    id = models.BigIntegerField(primary_key=True, default=ids.new, editable=False)
    merchant = models.ForeignKey(Merchant, on_delete=models.PROTECT, db_index=False)
    at = models.DateTimeField()
    whole = models.BooleanField(help_text="Everything, or only what was booked since the last one.")
    ok = models.BooleanField()
    seal = models.BigIntegerField(help_text="The last link of the hash chain it looked at; 0: there was none.")
    digest = models.CharField(max_length=64, blank=True)
    members = models.IntegerField(help_text="Whose books were folded anew.")
    findings = models.JSONField(default=list, help_text="[[invariant, row, problem], …], the first of them.")
    count = models.IntegerField(default=0, help_text="Findings in all.")

    class Meta:
        db_table = "loyalty_verification"
        indexes = [models.Index(fields=["merchant", "id"], name="loyalty_verification_last")]
