"""Tables of the loyalty books. Entries, uses and postings are never updated or deleted (triggers on both engines)."""

from __future__ import annotations

from django.db import models
from django.db.models import F, Q

from shuke.kit import ids
from shuke.members.models import Member
from shuke.shops.models import Merchant


class PublishedCharter(models.Model):
    """One version of the charter, in force from a moment on. Old events stay explained by the version of their time."""

    id = models.BigIntegerField(primary_key=True, default=ids.new, editable=False)
    merchant = models.ForeignKey(Merchant, on_delete=models.PROTECT, db_index=False)
    version = models.PositiveIntegerField()
    effective_from = models.DateTimeField()
    document = models.JSONField()
    published_at = models.DateTimeField()
    published_by = models.CharField(max_length=60, blank=True)
    note = models.CharField(max_length=200, blank=True)

    class Meta:
        db_table = "loyalty_charter"
        constraints = [
            models.UniqueConstraint(fields=["merchant", "version"], name="loyalty_charter_version"),
            models.UniqueConstraint(fields=["merchant", "effective_from"], name="loyalty_charter_moment"),
        ]


class DeedRequest(models.Model):
    """A deed of the office (a version published, a batch ordered, pieces that came in) under a caller's key: sent again, it is
    answered alike."""

    id = models.BigIntegerField(primary_key=True, default=ids.new, editable=False)
    merchant = models.ForeignKey(Merchant, on_delete=models.PROTECT, db_index=False)
    key = models.CharField(max_length=160, help_text="The caller's own; for ever.")
    payload = models.BinaryField(max_length=16, help_text="Hash of what was asked.")
    answer = models.JSONField()
    at = models.DateTimeField()
    actor = models.CharField(max_length=60, blank=True)

    class Meta:
        db_table = "loyalty_deed_request"
        constraints = [models.UniqueConstraint(fields=["merchant", "key"], name="loyalty_deed_request_key")]


class Wallet(models.Model):
    """One member's account head: cached figures, the standing of the engine, and the row to lock."""

    member = models.OneToOneField(Member, primary_key=True, on_delete=models.PROTECT)
    merchant = models.ForeignKey(Merchant, on_delete=models.PROTECT, db_index=False, db_constraint=False)
    balance = models.BigIntegerField(
        default=0, help_text="Sum of what is left in all lots: available, pending and held."
    )
    held = models.BigIntegerField(default=0)
    debt = models.BigIntegerField(default=0)
    seq = models.BigIntegerField(default=0, help_text="Number of the last entry on this member's accounts.")
    tier = models.CharField(max_length=30, blank=True)
    tier_since = models.DateTimeField(null=True)
    growth = models.BigIntegerField(default=0, help_text="Growth value 成长值.")
    next_expiry_at = models.DateTimeField(null=True, help_text="Earliest expiry of an open lot.")
    next_review_at = models.DateTimeField(null=True)
    settled_to = models.DateTimeField(null=True, help_text="Event time of the last event in the books.")
    birthdays = models.JSONField(
        default=list, help_text="[[since or null, month, day, lunar], …] as the books know them."
    )
    standing = models.JSONField(
        default=dict, help_text="engine.ledger.Standing: windows and counters, a cache of replay."
    )

    class Meta:
        db_table = "loyalty_wallet"
        constraints = [
            models.CheckConstraint(condition=Q(balance__gte=0, debt__gte=0, held__gte=0), name="loyalty_wallet_signs"),
            models.CheckConstraint(condition=Q(held__lte=F("balance")), name="loyalty_wallet_held"),
            # I7: who owes has nothing free; every point that comes in repays first.
            models.CheckConstraint(condition=Q(debt=0) | Q(balance=F("held")), name="loyalty_wallet_debt"),
        ]
        indexes = [
            models.Index(fields=["merchant", "tier"], name="loyalty_wallet_tier"),
            models.Index(fields=["merchant", "next_expiry_at"], name="loyalty_wallet_expiry"),
            models.Index(fields=["merchant", "next_review_at"], name="loyalty_wallet_review"),
        ]


class Txn(models.Model):
    """One posting, or a remembered refusal (no entries). `key` is for ever: the same key again gives the same answer."""

    id = models.BigIntegerField(primary_key=True, default=ids.new, editable=False)
    merchant = models.ForeignKey(Merchant, on_delete=models.PROTECT, db_index=False, db_constraint=False)
    key = models.CharField(max_length=300, help_text="member|event#revision, or the caller's own key of a request.")
    payload = models.BinaryField(max_length=16, default=b"", help_text="Hash of the canonical request.")
    # The wallet names the member and was locked before: a credit does not look the member up again (I18 checks it).
    member = models.ForeignKey(Member, null=True, on_delete=models.PROTECT, db_index=False, db_constraint=False)
    event = models.CharField(max_length=260)
    kind = models.CharField(
        max_length=16
    )  # earn | expire | burn | refund | hold | capture | release | adjust | correct | refused …
    at = models.DateTimeField(help_text="Event time.")
    posted_at = models.DateTimeField()
    actor = models.CharField(max_length=60, blank=True)
    charter_version = models.PositiveIntegerField(null=True)
    why = models.JSONField(default=list, help_text="How the figure came about: rule, base, points.")
    outcome = models.JSONField(null=True, help_text="The answer given to the caller, for a replay.")
    growth = models.BigIntegerField(null=True, help_text="Change of growth value: a ledger of its own (decision 0012).")
    growth_expires_at = models.DateTimeField(null=True)
    seal = models.BigIntegerField(null=True, help_text="Number of the seal that covers it (hash chain).")

    class Meta:
        db_table = "loyalty_txn"
        constraints = [models.UniqueConstraint(fields=["merchant", "key"], name="loyalty_txn_key")]
        indexes = [
            models.Index(fields=["merchant", "member", "at"], name="loyalty_txn_member"),
        ]


class Account(models.TextChoices):
    """Accounts of the double entry. The first two are per member, the others per merchant without a cached balance."""

    MEMBER = "member"  # points a member holds
    DEBT = "debt"  # what a member owes (negative)
    ISSUED = "issued"  # contra of everything earned
    SPENT = "spent"
    BREAKAGE = "breakage"  # expired
    ADJUSTED = "adjusted"
    OPENING = "opening"  # balances carried over from another system
    TRANSFERRED = "transferred"  # from one member to another: 0 in all
    SETTLEMENT = "settlement"  # crossed to (+) or from (−) a partner of a coalition: 0 over all partners
    WRITTEN_OFF = "written_off"


class Entry(models.Model):
    """One leg. Legs of a posting add up to 0. Member legs carry a running number and balance."""

    id = models.BigIntegerField(primary_key=True, default=ids.new, editable=False)
    merchant = models.ForeignKey(Merchant, on_delete=models.PROTECT, db_index=False, db_constraint=False)
    txn = models.ForeignKey(Txn, on_delete=models.PROTECT, db_index=False)
    account = models.CharField(max_length=12, choices=Account.choices)
    member = models.ForeignKey(Member, null=True, on_delete=models.PROTECT, db_index=False, db_constraint=False)
    amount = models.BigIntegerField()
    seq = models.BigIntegerField(null=True)
    balance_after = models.BigIntegerField(null=True)

    class Meta:
        db_table = "loyalty_entry"
        constraints = [
            models.CheckConstraint(condition=~Q(amount=0), name="loyalty_entry_not_zero"),
            models.CheckConstraint(
                condition=Q(
                    account__in=["member", "debt"], member__isnull=False, seq__isnull=False, balance_after__isnull=False
                )
                | (~Q(account__in=["member", "debt"]) & Q(seq__isnull=True, balance_after__isnull=True)),
                name="loyalty_entry_member_leg",
            ),
            models.UniqueConstraint(
                fields=["merchant", "member", "seq"], name="loyalty_entry_seq", condition=Q(seq__isnull=False)
            ),
        ]
        indexes = [models.Index(fields=["merchant", "txn"], name="loyalty_entry_txn")]


class Lot(models.Model):
    """One credit of points: granted − remaining = Σ uses. A late fact that changes what was earned changes `granted`."""

    id = models.BigIntegerField(primary_key=True, default=ids.new, editable=False)
    merchant = models.ForeignKey(Merchant, on_delete=models.PROTECT, db_index=False, db_constraint=False)
    member = models.ForeignKey(Member, on_delete=models.PROTECT, db_index=False, db_constraint=False)
    key = models.CharField(max_length=260, help_text="Event that granted it.")
    txn = models.ForeignKey(Txn, on_delete=models.PROTECT, db_index=False)
    granted = models.BigIntegerField()
    remaining = models.BigIntegerField()
    held = models.BigIntegerField(default=0)
    earned_at = models.DateTimeField()
    available_at = models.DateTimeField()
    expires_at = models.DateTimeField(null=True)
    cost_micro = models.BigIntegerField(default=0, help_text="Cost of one point in millionths of a minor unit.")
    funder = models.BigIntegerField(
        null=True, db_column="funder_id", help_text="Merchant of a coalition, or card programme, that pays for it."
    )

    class Meta:
        db_table = "loyalty_lot"
        constraints = [
            models.UniqueConstraint(fields=["merchant", "member", "key"], name="loyalty_lot_key"),
            models.CheckConstraint(
                condition=Q(
                    remaining__gte=0, held__gte=0, granted__gte=0, held__lte=F("remaining"), remaining__lte=F("granted")
                ),
                name="loyalty_lot_range",
            ),
            models.CheckConstraint(
                condition=Q(expires_at__isnull=True) | Q(expires_at__gt=F("earned_at")), name="loyalty_lot_expiry"
            ),
        ]
        indexes = [
            models.Index(
                fields=["merchant", "member", "expires_at"], name="loyalty_lot_open", condition=Q(remaining__gt=0)
            ),
        ]


class Use(models.Model):
    """What one posting did to one lot: `amount` > 0 takes from it, < 0 gives back."""

    id = models.BigIntegerField(primary_key=True, default=ids.new, editable=False)
    merchant = models.ForeignKey(Merchant, on_delete=models.PROTECT, db_index=False, db_constraint=False)
    txn = models.ForeignKey(Txn, on_delete=models.PROTECT, db_index=False)
    lot = models.ForeignKey(Lot, on_delete=models.PROTECT, db_index=False)
    kind = models.CharField(max_length=10)  # burn | expire | claw | debt | adjust | extend
    amount = models.BigIntegerField()

    class Meta:
        db_table = "loyalty_use"
        constraints = [models.CheckConstraint(condition=~Q(amount=0), name="loyalty_use_not_zero")]
        indexes = [
            models.Index(fields=["merchant", "lot"], name="loyalty_use_lot"),
            models.Index(fields=["merchant", "txn"], name="loyalty_use_txn"),
        ]


class Hold(models.Model):
    """Points set aside for a basket. Resolved exactly once: captured, released or timed out."""

    id = models.BigIntegerField(primary_key=True, default=ids.new, editable=False)
    merchant = models.ForeignKey(Merchant, on_delete=models.PROTECT, db_index=False, db_constraint=False)
    member = models.ForeignKey(Member, on_delete=models.PROTECT, db_index=False)
    key = models.CharField(max_length=200)
    amount = models.BigIntegerField()
    captured = models.BigIntegerField(default=0)
    state = models.CharField(max_length=10, default="open")  # open | captured | released | timed_out
    placed_at = models.DateTimeField()
    times_out_at = models.DateTimeField()
    resolved_at = models.DateTimeField(null=True)
    lots = models.JSONField(default=list, help_text="[[lot key, amount], …] set aside, oldest expiry first.")

    class Meta:
        db_table = "loyalty_hold"
        constraints = [
            models.UniqueConstraint(fields=["merchant", "key"], name="loyalty_hold_key"),
            models.CheckConstraint(
                condition=Q(amount__gt=0, captured__gte=0, captured__lte=F("amount")), name="loyalty_hold_range"
            ),
        ]
        indexes = [models.Index(fields=["merchant", "state", "times_out_at"], name="loyalty_hold_due")]


class TierChange(models.Model):
    """History of grades with cause. A change that a late fact made untrue is kept and marked."""

    id = models.BigIntegerField(primary_key=True, default=ids.new, editable=False)
    merchant = models.ForeignKey(Merchant, on_delete=models.PROTECT, db_index=False, db_constraint=False)
    member = models.ForeignKey(Member, on_delete=models.PROTECT, db_index=False)
    at = models.DateTimeField()
    before = models.CharField(max_length=30, blank=True)
    after = models.CharField(max_length=30)
    cause = models.CharField(max_length=16)  # joined | reached | review | manual | invited | charter
    why = models.JSONField(default=dict, help_text="Figures and thresholds that decided.")
    event = models.CharField(max_length=260, blank=True)
    charter_version = models.PositiveIntegerField(null=True)
    superseded_at = models.DateTimeField(null=True)

    class Meta:
        db_table = "loyalty_tier_change"
        indexes = [models.Index(fields=["merchant", "member", "at"], name="loyalty_tier_change_member")]


class ManualTier(models.Model):
    """A grade given by hand: a floor until its end date, with a reason."""

    id = models.BigIntegerField(primary_key=True, default=ids.new, editable=False)
    merchant = models.ForeignKey(Merchant, on_delete=models.PROTECT, db_index=False)
    member = models.ForeignKey(Member, on_delete=models.PROTECT, db_index=False)
    tier = models.CharField(max_length=30)
    at = models.DateTimeField()
    until = models.DateTimeField(null=True)
    cause = models.CharField(max_length=10, default="manual")  # manual: a floor | invited: one way to reach the tier
    reason = models.CharField(max_length=200)
    actor = models.CharField(max_length=60)
    key = models.CharField(max_length=200, blank=True, default="", help_text="The caller's own; for ever.")

    class Meta:
        db_table = "loyalty_manual_tier"
        constraints = [
            models.UniqueConstraint(fields=["merchant", "key"], name="loyalty_manual_tier_key", condition=~Q(key=""))
        ]
        indexes = [models.Index(fields=["merchant", "member", "at"], name="loyalty_manual_tier_member")]


class RequestOwner(models.Model):
    """Whose fact a request is, where that is not the member it was posted to: members were merged, or parted again.

    Postings are never changed, so what a merge moves is written beside them.
    """

    txn = models.OneToOneField(Txn, primary_key=True, on_delete=models.PROTECT)
    merchant = models.ForeignKey(Merchant, on_delete=models.PROTECT, db_index=False)
    member = models.ForeignKey(Member, on_delete=models.PROTECT, db_index=False)

    class Meta:
        db_table = "loyalty_request_owner"
        indexes = [models.Index(fields=["merchant", "member"], name="loyalty_request_owner_member")]


class Seal(models.Model):
    """A link of the hash chain over postings: what was booked cannot be changed unseen."""

    id = models.BigIntegerField(primary_key=True, default=ids.new, editable=False)
    merchant = models.ForeignKey(Merchant, on_delete=models.PROTECT, db_index=False)
    number = models.BigIntegerField()
    count = models.IntegerField()
    previous = models.BinaryField(max_length=32)
    digest = models.BinaryField(max_length=32)
    first_id = models.BigIntegerField(
        null=True, help_text="First and last posting it covers; those between may be others'."
    )
    last_id = models.BigIntegerField(null=True)
    sealed_at = models.DateTimeField()

    class Meta:
        db_table = "loyalty_seal"
        constraints = [models.UniqueConstraint(fields=["merchant", "number"], name="loyalty_seal_number")]
