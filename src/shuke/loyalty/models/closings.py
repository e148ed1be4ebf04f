"""How points are put into the bookkeeper's books, and the months that are closed."""

from __future__ import annotations

from django.db import models

from shuke.kit import ids
from shuke.shops.models import Merchant


class FinancePolicy(models.Model):
    """Method, expectation and accounts of a merchant (engine.finance.policy). Without a row the defaults hold."""

    merchant = models.OneToOneField(Merchant, primary_key=True, on_delete=models.PROTECT)
    document = models.JSONField()
    set_at = models.DateTimeField()
    set_by = models.CharField(max_length=60)

    class Meta:
        db_table = "loyalty_finance_policy"


class ClosedMonth(models.Model):
    """A month whose entries were handed over: kept as they were, never changed or deleted (triggers on both engines).

    `digest` covers the document and the digest of the month closed before.
    """

    id = models.BigIntegerField(primary_key=True, default=ids.new, editable=False)
    merchant = models.ForeignKey(Merchant, on_delete=models.PROTECT, db_index=False)
    month = models.IntegerField(help_text="engine.finance.months: year × 12 + month − 1.")
    document = models.JSONField(help_text="engine.finance.journal.document")
    previous = models.BinaryField(max_length=32)
    digest = models.BinaryField(max_length=32)
    closed_at = models.DateTimeField()
    closed_by = models.CharField(max_length=60)

    class Meta:
        db_table = "loyalty_closed_month"
        constraints = [models.UniqueConstraint(fields=["merchant", "month"], name="loyalty_closed_month_once")]
