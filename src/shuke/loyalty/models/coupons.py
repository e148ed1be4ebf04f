"""Tables of coupons: templates with their versions, what was issued of each, and every move of a coupon."""

from __future__ import annotations

from django.db import models
from django.db.models import F, Q

from shuke.kit import ids
from shuke.members.models import Member
from shuke.shops.models import Merchant


class CouponState(models.TextChoices):
    OPEN = "open"
    HELD = "held"  # set aside for a basket
    REDEEMED = "redeemed"
    VOID = "void"
    EXPIRED = "expired"


class CouponTemplate(models.Model):
    """One version of a template. What was issued under it keeps its terms; the version with the highest number issues."""

    id = models.BigIntegerField(primary_key=True, default=ids.new, editable=False)
    merchant = models.ForeignKey(Merchant, on_delete=models.PROTECT, db_index=False)
    key = models.CharField(max_length=30)
    version = models.PositiveIntegerField()
    document = models.JSONField(help_text="engine.charter.selling.Coupon as plain values.")
    source = models.CharField(max_length=8, default="shop")  # shop | charter
    made_at = models.DateTimeField()
    made_by = models.CharField(max_length=60, blank=True)

    class Meta:
        db_table = "loyalty_coupon_template"
        constraints = [
            models.UniqueConstraint(fields=["merchant", "key", "version"], name="loyalty_coupon_template_version")
        ]

    def __str__(self) -> str:
        return f"{self.key} v{self.version}"


class CouponTally(models.Model):
    """Figures of one template over all its versions, and its limits. The check constraint is the hard stop."""

    id = models.BigIntegerField(primary_key=True, default=ids.new, editable=False)
    merchant = models.ForeignKey(Merchant, on_delete=models.PROTECT, db_index=False)
    key = models.CharField(max_length=30)
    paused = models.BooleanField(default=False, help_text="Nothing more is issued; what is out can be used.")
    most_issued = models.BigIntegerField(null=True)
    most_redeemed = models.BigIntegerField(null=True)
    budget_minor = models.BigIntegerField(null=True)
    issued = models.BigIntegerField(default=0)
    held = models.BigIntegerField(default=0)
    redeemed = models.BigIntegerField(default=0)
    void = models.BigIntegerField(default=0)
    expired = models.BigIntegerField(default=0)
    held_minor = models.BigIntegerField(default=0)
    spent_minor = models.BigIntegerField(default=0, help_text="Discounts given by what is redeemed now.")

    class Meta:
        db_table = "loyalty_coupon_tally"
        constraints = [
            models.UniqueConstraint(fields=["merchant", "key"], name="loyalty_coupon_tally_key"),
            models.CheckConstraint(
                condition=Q(issued__gte=0, held__gte=0, redeemed__gte=0, void__gte=0, expired__gte=0),
                name="loyalty_coupon_tally_signs",
            ),
            models.CheckConstraint(
                condition=Q(held_minor__gte=0, spent_minor__gte=0)
                & (Q(budget_minor__isnull=True) | Q(budget_minor__gte=F("held_minor") + F("spent_minor"))),
                name="loyalty_coupon_tally_budget",
            ),
            models.CheckConstraint(
                condition=Q(most_issued__isnull=True) | Q(most_issued__gte=F("issued")),
                name="loyalty_coupon_tally_issued",
            ),
            models.CheckConstraint(
                condition=Q(most_redeemed__isnull=True) | Q(most_redeemed__gte=F("held") + F("redeemed")),
                name="loyalty_coupon_tally_redeemed",
            ),
        ]


class CouponBatch(models.Model):
    """Unique codes made in one run. Codes follow from seed, number and the master key: they are stored nowhere."""

    id = models.BigIntegerField(primary_key=True, default=ids.new, editable=False)
    merchant = models.ForeignKey(Merchant, on_delete=models.PROTECT, db_index=False)
    template = models.ForeignKey(CouponTemplate, on_delete=models.PROTECT, db_index=False)
    label = models.CharField(max_length=80, blank=True)
    count = models.BigIntegerField()
    made = models.BigIntegerField(default=0, help_text="How many exist: a killed run goes on from here.")
    seed = models.BinaryField(max_length=16)
    salts = models.JSONField(default=dict, help_text="Chunk → salt, where a code happened to exist already.")
    key_number = models.PositiveSmallIntegerField(
        default=1, db_default=1, help_text="Number of the master key the codes are made and hashed with."
    )
    state = models.CharField(max_length=8, default="making")  # making | done | void
    made_at = models.DateTimeField()
    made_by = models.CharField(max_length=60, blank=True)

    class Meta:
        db_table = "loyalty_coupon_batch"
        indexes = [models.Index(fields=["merchant", "made_at"], name="loyalty_coupon_batch_time")]


class Coupon(models.Model):
    """One coupon: of a member, or a bearer's who knows its code."""

    id = models.BigIntegerField(primary_key=True, default=ids.new, editable=False)
    merchant = models.ForeignKey(Merchant, on_delete=models.PROTECT, db_index=False, db_constraint=False)
    template = models.ForeignKey(CouponTemplate, on_delete=models.PROTECT, db_index=False)
    key = models.CharField(max_length=30, help_text="Of the template.")
    member = models.ForeignKey(Member, null=True, on_delete=models.PROTECT, db_index=False)
    blind = models.BinaryField(max_length=16, null=True, help_text="Keyed hash of the code; the code is not stored.")
    hint = models.CharField(max_length=4, blank=True, help_text="Last four of the code.")
    state = models.CharField(max_length=8, choices=CouponState.choices, default=CouponState.OPEN)
    issued_at = models.DateTimeField()
    valid_from = models.DateTimeField(null=True)
    valid_until = models.DateTimeField(null=True, help_text="Exclusive.")
    source = models.CharField(max_length=16)  # birthday, tier_up …, batch, claim, hand, campaign
    source_ref = models.CharField(max_length=120, blank=True, help_text="What it was issued for; at most once.")
    batch = models.ForeignKey(CouponBatch, null=True, on_delete=models.PROTECT, db_index=False)
    checkout_id = models.BigIntegerField(null=True, help_text="Of the basket that holds it or used it.")
    amount_minor = models.BigIntegerField(default=0, help_text="The discount it is held for or gave.")

    class Meta:
        db_table = "loyalty_coupon"
        constraints = [
            models.UniqueConstraint(
                fields=["merchant", "blind"], name="loyalty_coupon_code", condition=Q(blind__isnull=False)
            ),
            models.UniqueConstraint(
                fields=["merchant", "key", "source_ref"], name="loyalty_coupon_source", condition=~Q(source_ref="")
            ),
            models.CheckConstraint(
                condition=Q(state__in=["held", "redeemed"], checkout_id__isnull=False)
                | Q(state__in=["open", "void", "expired"], checkout_id__isnull=True, amount_minor=0),
                name="loyalty_coupon_used",
            ),
        ]
        indexes = [
            models.Index(
                fields=["merchant", "member", "state"], name="loyalty_coupon_member", condition=Q(member__isnull=False)
            ),
            models.Index(fields=["merchant", "valid_until"], name="loyalty_coupon_expiring", condition=Q(state="open")),
            models.Index(
                fields=["merchant", "checkout_id"],
                name="loyalty_coupon_checkout",
                condition=Q(checkout_id__isnull=False),
            ),
            models.Index(fields=["merchant", "key", "state"], name="loyalty_coupon_template_state"),
        ]


class CouponMove(models.Model):
    """One change of a coupon's state. Append-only. What a batch made begins without a line: the batch says who and when."""

    id = models.BigIntegerField(primary_key=True, default=ids.new, editable=False)
    merchant = models.ForeignKey(Merchant, on_delete=models.PROTECT, db_index=False, db_constraint=False)
    coupon = models.ForeignKey(Coupon, on_delete=models.PROTECT, db_index=False)
    at = models.DateTimeField()
    kind = models.CharField(max_length=10)  # issue | claim | hold | release | redeem | return | void | expire
    before = models.CharField(max_length=8, blank=True)
    after = models.CharField(max_length=8)
    amount_minor = models.BigIntegerField(default=0)
    ref = models.CharField(max_length=260, blank=True, help_text="Basket or order; a reason.")
    actor = models.CharField(max_length=60, blank=True)

    class Meta:
        db_table = "loyalty_coupon_move"
        indexes = [
            models.Index(fields=["merchant", "coupon"], name="loyalty_coupon_move_coupon"),
            models.Index(
                fields=["merchant", "at"], name="loyalty_coupon_move_used", condition=Q(kind__in=["redeem", "return"])
            ),
        ]


class CouponRequest(models.Model):
    """What a caller asked about coupons under a key of their own, and what came of it: asked again, it is answered alike."""

    id = models.BigIntegerField(primary_key=True, default=ids.new, editable=False)
    merchant = models.ForeignKey(Merchant, on_delete=models.PROTECT, db_index=False)
    key = models.CharField(max_length=160, help_text="The caller's own; for ever.")
    payload = models.BinaryField(max_length=16, help_text="Hash of what was asked.")
    coupon = models.ForeignKey(Coupon, null=True, on_delete=models.PROTECT, db_index=False)
    code = models.CharField(max_length=30, blank=True, help_text="Why it was refused; empty: it was done.")
    figures = models.JSONField(default=dict, help_text="Of the refusal's sentence.")
    at = models.DateTimeField()
    actor = models.CharField(max_length=60, blank=True)

    class Meta:
        db_table = "loyalty_coupon_request"
        constraints = [models.UniqueConstraint(fields=["merchant", "key"], name="loyalty_coupon_request_key")]


class SharedCode(models.Model):
    """A code that many use, each once or as often as the template lets them: SPRING20. No secret, so it is readable."""

    id = models.BigIntegerField(primary_key=True, default=ids.new, editable=False)
    merchant = models.ForeignKey(Merchant, on_delete=models.PROTECT, db_index=False)
    key = models.CharField(max_length=30, help_text="Of the template.")
    code = models.CharField(max_length=30, help_text="As it is compared: upper case, without blanks and dashes.")
    ended_at = models.DateTimeField(null=True)
    made_at = models.DateTimeField()
    made_by = models.CharField(max_length=60, blank=True)

    class Meta:
        db_table = "loyalty_coupon_shared_code"
        constraints = [models.UniqueConstraint(fields=["merchant", "code"], name="loyalty_coupon_shared_code_once")]


class CodeTry(models.Model):
    """A code that was not good. Counted per caller and in all, to slow down whoever guesses; swept after a day."""

    id = models.BigIntegerField(primary_key=True, default=ids.new, editable=False)
    merchant = models.ForeignKey(Merchant, on_delete=models.PROTECT, db_index=False)
    caller = models.BinaryField(max_length=8, help_text="Hash of who asked.")
    at = models.DateTimeField()

    class Meta:
        db_table = "loyalty_code_try"
        indexes = [
            models.Index(fields=["merchant", "caller", "at"], name="loyalty_code_try_caller"),
            models.Index(fields=["merchant", "at"], name="loyalty_code_try_at"),
        ]
