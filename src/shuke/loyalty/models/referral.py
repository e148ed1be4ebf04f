"""Members who bring friends: their codes, who was brought by whom, what was given for it (docs/algorithms/referral.md)."""

from __future__ import annotations

from django.db import models
from django.db.models import F, Q

from shuke.kit import ids
from shuke.members.models import Member
from shuke.shops.models import Merchant


class ReferralCode(models.Model):
    """A member's own code, which the link and the QR code carry. One in use per member; former ones end and stay known."""

    id = models.BigIntegerField(primary_key=True, default=ids.new, editable=False)
    merchant = models.ForeignKey(Merchant, on_delete=models.PROTECT, db_index=False)
    member = models.ForeignKey(Member, on_delete=models.PROTECT, db_index=False)
    code = models.CharField(max_length=12)
    made_at = models.DateTimeField()
    ended_at = models.DateTimeField(null=True)
    visits = models.BigIntegerField(default=0, help_text="How often its link was opened.")

    class Meta:
        db_table = "loyalty_referral_code"
        constraints = [
            models.UniqueConstraint(fields=["merchant", "code"], name="loyalty_referral_code_once"),
            models.UniqueConstraint(
                fields=["merchant", "member"], name="loyalty_referral_code_in_use", condition=Q(ended_at__isnull=True)
            ),
        ]

    def __str__(self) -> str:
        return self.code


class Referral(models.Model):
    """A newcomer and who brought them, for ever; and what became of it, which is worked out anew from the facts."""

    class State(models.TextChoices):
        WAITING = "waiting"  # for the first order
        PENDING = "pending"  # for the end of its return window
        HELD = "held"  # for a person to look at it
        REWARDED = "rewarded"
        RETURNED = "returned"  # the order came back afterwards, and the reward with it
        MISSED = "missed"  # `reason` says why

    id = models.BigIntegerField(primary_key=True, default=ids.new, editable=False)
    merchant = models.ForeignKey(Merchant, on_delete=models.PROTECT, db_index=False)
    newcomer = models.ForeignKey(Member, on_delete=models.PROTECT, related_name="+", db_index=False)
    referrer = models.ForeignKey(Member, on_delete=models.PROTECT, related_name="+", db_index=False)
    how = models.CharField(max_length=10)  # link | code | form | import | staff | api
    code = models.CharField(max_length=12, blank=True)
    bound_at = models.DateTimeField(help_text="From when it holds; an import states it.")
    made_at = models.DateTimeField()
    actor = models.CharField(max_length=60)
    device = models.BinaryField(max_length=16, null=True, help_text="Keyed hash of the browser's cookie.")
    state = models.CharField(max_length=10, choices=State.choices, default=State.WAITING)
    reason = models.CharField(max_length=20, blank=True)
    rank = models.PositiveIntegerField(default=0, help_text="The referrer's how manieth success this is.")
    order = models.CharField(max_length=200, blank=True, help_text="Event of the order that counts.")
    due_at = models.DateTimeField(null=True)
    net_minor = models.BigIntegerField(default=0)
    signals = models.JSONField(default=list, help_text="What a person should look at: kind, members, figure.")
    decision = models.CharField(max_length=10, blank=True)  # approved | declined
    decided_at = models.DateTimeField(null=True)
    decided_by = models.CharField(max_length=60, blank=True)
    decided_because = models.CharField(max_length=200, blank=True)
    look_at = models.DateTimeField(null=True, help_text="When it has to be judged again; null: when something changes.")

    class Meta:
        db_table = "loyalty_referral"
        constraints = [
            models.UniqueConstraint(fields=["merchant", "newcomer"], name="loyalty_referral_once"),
            models.CheckConstraint(condition=~Q(newcomer=F("referrer")), name="loyalty_referral_two"),
        ]
        indexes = [
            models.Index(fields=["merchant", "referrer", "bound_at"], name="loyalty_referral_by"),
            models.Index(
                fields=["merchant", "look_at"], name="loyalty_referral_due", condition=Q(look_at__isnull=False)
            ),
            models.Index(fields=["merchant", "state", "due_at"], name="loyalty_referral_state"),
            models.Index(
                fields=["merchant", "device"], name="loyalty_referral_device", condition=Q(device__isnull=False)
            ),
        ]


class ReferralReward(models.Model):
    """One thing one side has of a bond. `amount` is what they have of it now; it is brought to what they should have."""

    id = models.BigIntegerField(primary_key=True, default=ids.new, editable=False)
    merchant = models.ForeignKey(Merchant, on_delete=models.PROTECT, db_index=False)
    referral = models.ForeignKey(Referral, on_delete=models.PROTECT, db_index=False)
    member = models.ForeignKey(Member, on_delete=models.PROTECT, db_index=False)
    side = models.CharField(max_length=10)  # friend | referrer
    kind = models.CharField(max_length=10)  # points | growth | coupon | gift | honour
    what = models.CharField(max_length=40, blank=True, help_text="Key of the coupon.")
    name = models.JSONField(default=dict, help_text="Of gift or honour, in both languages.")
    amount = models.BigIntegerField(default=0)
    owed = models.BigIntegerField(default=0, help_text="Given too much and not there any more to be taken back.")
    short = models.CharField(max_length=20, blank=True, help_text="Why less was given than is due: budget, paused …")
    cost_minor = models.BigIntegerField(default=0)
    turns = models.PositiveIntegerField(default=0, help_text="Movements so far; each has a key of its own.")
    at = models.DateTimeField(help_text="Of the last movement.")
    handed_at = models.DateTimeField(null=True, help_text="Gifts: when it was handed over.")
    handed_by = models.CharField(max_length=60, blank=True)

    class Meta:
        db_table = "loyalty_referral_reward"
        constraints = [
            models.UniqueConstraint(
                fields=["merchant", "referral", "side", "kind", "what"], name="loyalty_referral_reward_once"
            ),
            models.CheckConstraint(condition=Q(amount__gte=0), name="loyalty_referral_reward_amount"),
        ]
        indexes = [models.Index(fields=["merchant", "member"], name="loyalty_referral_reward_of")]


class ReferralBudget(models.Model):
    """Points given by referral so far: the row that whoever draws from the charter's budget locks."""

    merchant = models.OneToOneField(Merchant, primary_key=True, on_delete=models.PROTECT)
    points = models.BigIntegerField(default=0)

    class Meta:
        db_table = "loyalty_referral_budget"
