"""Lucky draws and their tickets (docs/algorithms/draws.md)."""

from __future__ import annotations

from django.db import models
from django.db.models import Q

from shuke.kit import ids
from shuke.members.models import Member
from shuke.shops.models import Merchant, Store


class Draw(models.Model):
    """One draw. From `committed` on neither terms nor seed change; the row is locked for each ticket, which numbers them."""

    class State(models.TextChoices):
        DRAFT = "draft"
        COMMITTED = "committed"  # the commitment is public; tickets from opens_at to closes_at
        STOPPED = "stopped"  # no more tickets, by hand
        REVEALED = "revealed"

    id = models.BigIntegerField(primary_key=True, default=ids.new, editable=False)
    merchant = models.ForeignKey(Merchant, on_delete=models.PROTECT, db_index=False)
    code = models.CharField(max_length=40)
    public = models.CharField(max_length=32, help_text="Names its public page; says nothing about the shop.")
    terms = models.JSONField(help_text="engine.draws terms, as published.")
    state = models.CharField(max_length=10, choices=State.choices, default=State.DRAFT)
    opens_at = models.DateTimeField()
    closes_at = models.DateTimeField()
    secret = models.BinaryField(help_text="Seed and salt of the pseudonyms, sealed.")
    seed = models.CharField(max_length=64, blank=True, help_text="Once revealed.")
    commitment = models.CharField(max_length=64, blank=True)
    issued = models.BigIntegerField(default=0)
    given = models.JSONField(default=dict, help_text="Prizes given so far, by key.")
    head = models.CharField(max_length=64, blank=True, help_text="Last link of the chain.")
    made_at = models.DateTimeField()
    made_by = models.CharField(max_length=60, blank=True)
    committed_at = models.DateTimeField(null=True)
    committed_by = models.CharField(max_length=60, blank=True)
    stopped_at = models.DateTimeField(null=True)
    revealed_at = models.DateTimeField(null=True)

    class Meta:
        db_table = "loyalty_draw"
        constraints = [
            models.UniqueConstraint(fields=["merchant", "code"], name="loyalty_draw_code"),
            models.UniqueConstraint(fields=["merchant", "public"], name="loyalty_draw_public"),
        ]

    def __str__(self) -> str:
        return self.code


class DrawTicket(models.Model):
    """One ticket and what it drew; or a refusal, without a number. Never changed but to say that the prize was handed over."""

    id = models.BigIntegerField(primary_key=True, default=ids.new, editable=False)
    merchant = models.ForeignKey(Merchant, on_delete=models.PROTECT, db_index=False)
    key = models.CharField(max_length=180)
    payload = models.BinaryField(max_length=16)
    draw = models.ForeignKey(Draw, on_delete=models.PROTECT, db_index=False)
    number = models.BigIntegerField(null=True)
    member = models.ForeignKey(Member, on_delete=models.PROTECT, db_index=False)
    way = models.CharField(max_length=10)  # points | order | activity | given
    source = models.CharField(max_length=280, blank=True, help_text="The order or activity that gave it: once each.")
    points = models.BigIntegerField(default=0, help_text="What it cost.")
    word = models.CharField(max_length=20, blank=True)
    who = models.CharField(max_length=16, blank=True)
    at = models.DateTimeField()
    drew = models.CharField(max_length=30, blank=True)
    won = models.CharField(max_length=30, blank=True)
    link = models.CharField(max_length=64, blank=True)
    code = models.CharField(max_length=20, blank=True, help_text="Why it was refused.")
    figures = models.JSONField(null=True, help_text="Of that sentence: asked again, it is said as it was.")
    actor = models.CharField(max_length=60)
    handed_at = models.DateTimeField(null=True, help_text="When the prize was handed over.")
    handed_by = models.CharField(max_length=60, blank=True)
    store = models.ForeignKey(Store, null=True, on_delete=models.PROTECT, db_index=False)

    class Meta:
        db_table = "loyalty_draw_ticket"
        constraints = [
            models.UniqueConstraint(fields=["merchant", "key"], name="loyalty_draw_ticket_key"),
            models.UniqueConstraint(
                fields=["merchant", "draw", "number"],
                name="loyalty_draw_ticket_number",
                condition=Q(number__isnull=False),
            ),
            models.UniqueConstraint(
                fields=["merchant", "draw", "source"],
                name="loyalty_draw_ticket_source",
                condition=Q(number__isnull=False) & ~Q(source=""),
            ),
        ]
        indexes = [models.Index(fields=["merchant", "member", "at"], name="loyalty_draw_ticket_member")]
