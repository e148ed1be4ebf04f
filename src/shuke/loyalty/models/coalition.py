"""Tables of a coalition of merchants. A row belongs to the merchant it is about; what is common belongs to the founder.

Movements, periods and statements are never changed or deleted (triggers on both engines); closing a period marks its movements.
"""

from __future__ import annotations

from django.db import models
from django.db.models import Q

from shuke.kit import ids
from shuke.loyalty.models.books import Txn
from shuke.members.models import Member
from shuke.shops.models import Merchant


class Coalition(models.Model):
    """Merchants of one installation whose members' points are worth something at each other's tills. Its founder keeps the pool."""

    id = models.BigIntegerField(primary_key=True, default=ids.new, editable=False)
    merchant = models.ForeignKey(Merchant, on_delete=models.PROTECT, db_index=False, help_text="Who founded it.")
    name = models.CharField(max_length=60)
    currency = models.CharField(max_length=3)
    starts_at = models.DateTimeField()
    ends_at = models.DateTimeField(null=True)
    notice_days = models.PositiveIntegerField(
        default=30, help_text="How long before it leaves a partner has to say so."
    )
    wording = models.CharField(max_length=40, help_text="Version of the text members agree to.")
    made_at = models.DateTimeField()
    made_by = models.CharField(max_length=60)

    class Meta:
        db_table = "loyalty_coalition"
        indexes = [models.Index(fields=["merchant", "id"], name="loyalty_coalition_founder")]

    def __str__(self) -> str:
        return self.name


class CoalitionPartner(models.Model):
    """A merchant in a coalition; in one at a time."""

    id = models.BigIntegerField(primary_key=True, default=ids.new, editable=False)
    merchant = models.ForeignKey(Merchant, on_delete=models.PROTECT, db_index=False)
    coalition = models.ForeignKey(Coalition, on_delete=models.PROTECT, related_name="partners", db_index=False)
    state = models.CharField(max_length=8, default="invited")  # invited | in | left | declined
    invited_at = models.DateTimeField()
    invited_by = models.CharField(max_length=60)
    joined_at = models.DateTimeField(null=True)
    joined_by = models.CharField(max_length=60, blank=True)
    leaves_at = models.DateTimeField(null=True, help_text="From then on it takes part no more.")
    leaves_because = models.CharField(max_length=200, blank=True)
    open_micro = models.BigIntegerField(
        default=0, help_text="Money since the last closing, as last gathered: > 0 it will be paid, packs left out."
    )

    class Meta:
        db_table = "loyalty_coalition_partner"
        constraints = [
            models.UniqueConstraint(fields=["merchant", "coalition"], name="loyalty_coalition_partner_once"),
            models.UniqueConstraint(
                fields=["merchant"], name="loyalty_coalition_one_at_a_time", condition=Q(state="in")
            ),
        ]


class CoalitionTerms(models.Model):
    """What a partner pays per point its members get and is paid per point burnt at its till. Holds once both sides agreed."""

    id = models.BigIntegerField(primary_key=True, default=ids.new, editable=False)
    merchant = models.ForeignKey(Merchant, on_delete=models.PROTECT, db_index=False)
    coalition = models.ForeignKey(Coalition, on_delete=models.PROTECT, db_index=False)
    version = models.PositiveIntegerField()
    effective_from = models.DateTimeField()
    issue_micro = models.BigIntegerField(help_text="Millionths of a minor unit per point.")
    redeem_micro = models.BigIntegerField()
    prepaid = models.BooleanField(default=False)
    warn_below = models.BigIntegerField(default=0, help_text="Points left in prepaid packs.")
    credit_limit_minor = models.BigIntegerField(null=True, help_text="The most it may owe beyond its packs.")
    spend_most_per_day = models.BigIntegerField(null=True, help_text="Points of one member at this till.")
    proposed_at = models.DateTimeField()
    proposed_by = models.CharField(max_length=60)
    agreed_at = models.DateTimeField(null=True)
    agreed_by = models.CharField(max_length=60, blank=True)

    class Meta:
        db_table = "loyalty_coalition_terms"
        constraints = [
            models.UniqueConstraint(
                fields=["merchant", "coalition", "version"], name="loyalty_coalition_terms_version"
            ),
            models.CheckConstraint(
                condition=Q(issue_micro__gte=0, redeem_micro__gte=0, warn_below__gte=0), name="loyalty_coalition_prices"
            ),
        ]


class CoalitionLink(models.Model):
    """A member who takes part, under a number that says nothing of them. The same person has the same number at each partner."""

    id = models.BigIntegerField(primary_key=True, default=ids.new, editable=False)
    merchant = models.ForeignKey(Merchant, on_delete=models.PROTECT, db_index=False)
    coalition = models.ForeignKey(Coalition, on_delete=models.PROTECT, db_index=False)
    member = models.ForeignKey(Member, on_delete=models.PROTECT, db_index=False)
    number = models.CharField(max_length=16)
    brought_by = models.ForeignKey(
        Merchant,
        on_delete=models.PROTECT,
        related_name="+",
        db_index=False,
        help_text="Where the person was linked first.",
    )
    linked_at = models.DateTimeField()
    linked_by = models.CharField(max_length=60)
    source = models.CharField(max_length=60)
    wording = models.CharField(max_length=40)
    evidence = models.TextField(blank=True)
    code = models.BinaryField(
        max_length=32, null=True, help_text="Hash of the code that links another partner's account."
    )
    code_until = models.DateTimeField(null=True)
    gathered = models.BigIntegerField(help_text="Number of the last leg in this member's books that was looked at.")
    ended_at = models.DateTimeField(null=True)
    ended_by = models.CharField(max_length=60, blank=True)
    ended_because = models.CharField(max_length=60, blank=True)

    class Meta:
        db_table = "loyalty_coalition_link"
        constraints = [
            models.UniqueConstraint(
                fields=["merchant", "member"], name="loyalty_coalition_link_member", condition=Q(ended_at__isnull=True)
            ),
            models.UniqueConstraint(
                fields=["merchant", "coalition", "number"],
                name="loyalty_coalition_link_number",
                condition=Q(ended_at__isnull=True),
            ),
        ]
        indexes = [
            models.Index(fields=["merchant", "coalition", "linked_at"], name="loyalty_coalition_link_since"),
            models.Index(
                fields=["merchant", "code"], name="loyalty_coalition_link_code", condition=Q(code__isnull=False)
            ),
        ]


class CoalitionPeriod(models.Model):
    """A time that was settled: who pays whom. Closed once; `digest` covers the document and the period before."""

    id = models.BigIntegerField(primary_key=True, default=ids.new, editable=False)
    merchant = models.ForeignKey(Merchant, on_delete=models.PROTECT, db_index=False)
    coalition = models.ForeignKey(Coalition, on_delete=models.PROTECT, db_index=False)
    number = models.PositiveIntegerField()
    until = models.DateTimeField(help_text="Exclusive.")
    closed_at = models.DateTimeField()
    closed_by = models.CharField(max_length=60)
    pool_due_minor = models.BigIntegerField()
    document = models.JSONField()
    previous = models.BinaryField(max_length=32)
    digest = models.BinaryField(max_length=32)

    class Meta:
        db_table = "loyalty_coalition_period"
        constraints = [
            models.UniqueConstraint(fields=["merchant", "coalition", "number"], name="loyalty_coalition_period_number"),
            models.UniqueConstraint(fields=["merchant", "coalition", "until"], name="loyalty_coalition_period_until"),
        ]


class CoalitionStatement(models.Model):
    """One partner's statement of a period. The document says what comes next too: carry and what is left of packs."""

    id = models.BigIntegerField(primary_key=True, default=ids.new, editable=False)
    merchant = models.ForeignKey(Merchant, on_delete=models.PROTECT, db_index=False)
    period = models.ForeignKey(CoalitionPeriod, on_delete=models.PROTECT, related_name="statements", db_index=False)
    due_minor = models.BigIntegerField(help_text="> 0: the partner is paid.")
    document = models.JSONField()

    class Meta:
        db_table = "loyalty_coalition_statement"
        constraints = [models.UniqueConstraint(fields=["merchant", "period"], name="loyalty_coalition_statement_once")]


class CoalitionMovement(models.Model):
    """Points of a linked member that came in, left or were burnt, at the price agreed then (engine.coalition.charging)."""

    id = models.BigIntegerField(primary_key=True, default=ids.new, editable=False)
    merchant = models.ForeignKey(Merchant, on_delete=models.PROTECT, db_index=False)
    coalition = models.ForeignKey(Coalition, on_delete=models.PROTECT, db_index=False)
    member = models.ForeignKey(Member, on_delete=models.PROTECT, db_index=False)
    number = models.CharField(max_length=16, help_text="The member's coalition number.")
    kind = models.CharField(max_length=10)
    other = models.ForeignKey(
        Merchant, null=True, on_delete=models.PROTECT, related_name="+", db_index=False,
        help_text="redeemed: whose points; used: at whose till.",
    )  # fmt: skip
    points = models.BigIntegerField()
    price_micro = models.BigIntegerField()
    amount_micro = models.BigIntegerField(help_text="> 0: the merchant is paid.")
    at = models.DateTimeField()
    noted_at = models.DateTimeField()
    txn = models.ForeignKey(Txn, null=True, on_delete=models.PROTECT, db_index=False)
    period = models.ForeignKey(CoalitionPeriod, null=True, on_delete=models.PROTECT, db_index=False)

    class Meta:
        db_table = "loyalty_coalition_movement"
        constraints = [models.CheckConstraint(condition=~Q(points=0), name="loyalty_coalition_movement_not_zero")]
        indexes = [
            models.Index(fields=["merchant", "coalition", "at"], name="loyalty_coalition_movement_at"),
            models.Index(fields=["merchant", "period"], name="loyalty_coalition_movement_in"),
            models.Index(
                fields=["merchant", "coalition"], name="loyalty_coalition_open", condition=Q(period__isnull=True)
            ),
            models.Index(fields=["merchant", "member"], name="loyalty_coalition_of_member"),
        ]


class CoalitionPack(models.Model):
    """Points paid for in advance, at the price of issue agreed when they were bought."""

    id = models.BigIntegerField(primary_key=True, default=ids.new, editable=False)
    merchant = models.ForeignKey(Merchant, on_delete=models.PROTECT, db_index=False)
    coalition = models.ForeignKey(Coalition, on_delete=models.PROTECT, db_index=False)
    key = models.CharField(max_length=80)
    points = models.BigIntegerField()
    price_micro = models.BigIntegerField()
    paid_minor = models.BigIntegerField()
    bought_at = models.DateTimeField()
    bought_by = models.CharField(max_length=60)
    period = models.ForeignKey(CoalitionPeriod, null=True, on_delete=models.PROTECT, db_index=False)

    class Meta:
        db_table = "loyalty_coalition_pack"
        constraints = [
            models.UniqueConstraint(fields=["merchant", "key"], name="loyalty_coalition_pack_key"),
            models.CheckConstraint(condition=Q(points__gt=0, paid_minor__gte=0), name="loyalty_coalition_pack_size"),
        ]
        indexes = [models.Index(fields=["merchant", "coalition"], name="loyalty_coalition_pack_of")]
