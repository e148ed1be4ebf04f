"""Tables of money paid in advance 储值 and of gift cards 礼品卡. Postings, legs, uses and seals are never changed or deleted."""

from __future__ import annotations

from django.db import models
from django.db.models import F, Q

from shuke.kit import ids
from shuke.members.models import Member
from shuke.shops.models import Merchant


class StoredPurse(models.Model):
    """What one member or one gift card holds: cached figures, and the row to lock."""

    id = models.BigIntegerField(primary_key=True, default=ids.new, editable=False)
    merchant = models.ForeignKey(Merchant, on_delete=models.PROTECT, db_index=False)
    member = models.ForeignKey(Member, null=True, on_delete=models.PROTECT, db_index=False)
    card = models.ForeignKey("GiftCard", null=True, on_delete=models.PROTECT, db_index=False)
    currency = models.CharField(max_length=3)
    principal_minor = models.BigIntegerField(default=0)
    bonus_minor = models.BigIntegerField(default=0)
    held_minor = models.BigIntegerField(default=0)
    seq = models.BigIntegerField(default=0, help_text="Number of the last leg of this purse.")
    next_due_at = models.DateTimeField(null=True, help_text="Earliest end of bonus or of a hold.")

    class Meta:
        db_table = "loyalty_stored_purse"
        constraints = [
            models.UniqueConstraint(
                fields=["merchant", "member"], name="loyalty_stored_purse_member", condition=Q(member__isnull=False)
            ),
            models.UniqueConstraint(
                fields=["merchant", "card"], name="loyalty_stored_purse_card", condition=Q(card__isnull=False)
            ),
            models.CheckConstraint(
                condition=Q(member__isnull=False, card__isnull=True) | Q(member__isnull=True, card__isnull=False),
                name="loyalty_stored_purse_holder",
            ),
            models.CheckConstraint(
                condition=Q(principal_minor__gte=0, bonus_minor__gte=0, held_minor__gte=0)
                & Q(held_minor__lte=F("principal_minor") + F("bonus_minor")),
                name="loyalty_stored_purse_signs",
            ),
        ]
        indexes = [models.Index(fields=["merchant", "next_due_at"], name="loyalty_stored_purse_due")]


class StoredTxn(models.Model):
    """One posting, or a remembered refusal (no legs). `key` is for ever: the same key again gives the same answer."""

    id = models.BigIntegerField(primary_key=True, default=ids.new, editable=False)
    merchant = models.ForeignKey(Merchant, on_delete=models.PROTECT, db_index=False, db_constraint=False)
    purse = models.ForeignKey(StoredPurse, on_delete=models.PROTECT, db_index=False)
    key = models.CharField(max_length=300)
    payload = models.BinaryField(max_length=16, default=b"")
    kind = models.CharField(max_length=12)  # top_up | spend | hold | capture | release | timeout | return | withdraw …
    about = models.BigIntegerField(null=True, help_text="return: the posting of the spend.")
    at = models.DateTimeField()
    actor = models.CharField(max_length=60, blank=True)
    request = models.JSONField(default=dict, help_text="What was asked: amount, ref, paid_by, reason.")
    answer = models.JSONField(default=dict, help_text="The answer given, for a replay.")
    seal = models.BigIntegerField(null=True)

    class Meta:
        db_table = "loyalty_stored_txn"
        constraints = [models.UniqueConstraint(fields=["merchant", "key"], name="loyalty_stored_txn_key")]
        indexes = [
            models.Index(fields=["merchant", "purse", "at"], name="loyalty_stored_txn_purse"),
            models.Index(
                fields=["merchant", "about"], name="loyalty_stored_txn_about", condition=Q(about__isnull=False)
            ),
            models.Index(fields=["merchant", "at"], name="loyalty_stored_txn_at"),
        ]


class StoredLeg(models.Model):
    """One leg. Those of a posting add up to 0; those of a purse carry a running number and the balance after them."""

    id = models.BigIntegerField(primary_key=True, default=ids.new, editable=False)
    merchant = models.ForeignKey(Merchant, on_delete=models.PROTECT, db_index=False, db_constraint=False)
    txn = models.ForeignKey(StoredTxn, on_delete=models.PROTECT, db_index=False)
    account = models.CharField(max_length=14)  # principal | bonus | received | granted | sold | sold_bonus | paid_out …
    purse = models.ForeignKey(StoredPurse, null=True, on_delete=models.PROTECT, db_index=False)
    amount = models.BigIntegerField()
    seq = models.BigIntegerField(null=True)
    balance_after = models.BigIntegerField(null=True)

    class Meta:
        db_table = "loyalty_stored_leg"
        constraints = [
            models.CheckConstraint(condition=~Q(amount=0), name="loyalty_stored_leg_not_zero"),
            models.CheckConstraint(
                condition=Q(account__in=["principal", "bonus"], purse__isnull=False, seq__isnull=False)
                & Q(balance_after__gte=0)
                | ~Q(account__in=["principal", "bonus"])
                & Q(purse__isnull=True, seq__isnull=True, balance_after__isnull=True),
                name="loyalty_stored_leg_holder",
            ),
            models.UniqueConstraint(
                fields=["merchant", "purse", "seq"], name="loyalty_stored_leg_seq", condition=Q(seq__isnull=False)
            ),
        ]
        indexes = [models.Index(fields=["merchant", "txn"], name="loyalty_stored_leg_txn")]


class StoredLot(models.Model):
    """One credit of money or bonus: granted − remaining = Σ uses. Money a member paid in has no end."""

    id = models.BigIntegerField(primary_key=True, default=ids.new, editable=False)
    merchant = models.ForeignKey(Merchant, on_delete=models.PROTECT, db_index=False, db_constraint=False)
    purse = models.ForeignKey(StoredPurse, on_delete=models.PROTECT, db_index=False)
    txn = models.ForeignKey(StoredTxn, on_delete=models.PROTECT, db_index=False)
    key = models.CharField(max_length=300)
    kind = models.CharField(max_length=9)  # principal | bonus
    source = models.CharField(max_length=300, help_text="Key of the top-up: bonus goes with its principal.")
    granted = models.BigIntegerField()
    remaining = models.BigIntegerField()
    held = models.BigIntegerField(default=0)
    at = models.DateTimeField()
    expires_at = models.DateTimeField(null=True)

    class Meta:
        db_table = "loyalty_stored_lot"
        constraints = [
            models.UniqueConstraint(fields=["merchant", "key"], name="loyalty_stored_lot_key"),
            models.CheckConstraint(
                condition=Q(granted__gt=0, remaining__gte=0, held__gte=0)
                & Q(held__lte=F("remaining"), remaining__lte=F("granted")),
                name="loyalty_stored_lot_range",
            ),
            models.CheckConstraint(
                condition=Q(kind="bonus") | Q(kind="principal", expires_at__isnull=True),
                name="loyalty_stored_lot_money_stays",
            ),
        ]
        indexes = [
            models.Index(fields=["merchant", "purse"], name="loyalty_stored_lot_open", condition=Q(remaining__gt=0)),
        ]


class StoredUse(models.Model):
    """What one posting did to one lot: `amount` > 0 takes from it, < 0 gives back."""

    id = models.BigIntegerField(primary_key=True, default=ids.new, editable=False)
    merchant = models.ForeignKey(Merchant, on_delete=models.PROTECT, db_index=False, db_constraint=False)
    txn = models.ForeignKey(StoredTxn, on_delete=models.PROTECT, db_index=False)
    lot = models.ForeignKey(StoredLot, on_delete=models.PROTECT, db_index=False)
    kind = models.CharField(max_length=10)  # spend | back | moved | lapse | withdraw | forfeit | adjust | void
    amount = models.BigIntegerField()

    class Meta:
        db_table = "loyalty_stored_use"
        constraints = [models.CheckConstraint(condition=~Q(amount=0), name="loyalty_stored_use_not_zero")]
        indexes = [
            models.Index(fields=["merchant", "lot"], name="loyalty_stored_use_lot"),
            models.Index(fields=["merchant", "txn"], name="loyalty_stored_use_txn"),
        ]


class StoredHold(models.Model):
    """Money set aside for a basket. Resolved exactly once."""

    id = models.BigIntegerField(primary_key=True, default=ids.new, editable=False)
    merchant = models.ForeignKey(Merchant, on_delete=models.PROTECT, db_index=False, db_constraint=False)
    purse = models.ForeignKey(StoredPurse, on_delete=models.PROTECT, db_index=False)
    key = models.CharField(max_length=300)
    amount = models.BigIntegerField()
    captured = models.BigIntegerField(default=0)
    state = models.CharField(max_length=10, default="open")  # open | captured | released | timed_out
    placed_at = models.DateTimeField()
    times_out_at = models.DateTimeField()
    resolved_at = models.DateTimeField(null=True)
    parts = models.JSONField(default=list, help_text="[[lot key, minor units], …]")

    class Meta:
        db_table = "loyalty_stored_hold"
        constraints = [
            models.UniqueConstraint(fields=["merchant", "key"], name="loyalty_stored_hold_key"),
            models.CheckConstraint(
                condition=Q(amount__gt=0, captured__gte=0, captured__lte=F("amount")), name="loyalty_stored_hold_range"
            ),
        ]
        indexes = [
            models.Index(fields=["merchant", "purse"], name="loyalty_stored_hold_open", condition=Q(state="open"))
        ]


class StoredSeal(models.Model):
    """One link of the hash chain over postings of stored value."""

    id = models.BigIntegerField(primary_key=True, default=ids.new, editable=False)
    merchant = models.ForeignKey(Merchant, on_delete=models.PROTECT, db_index=False)
    number = models.BigIntegerField()
    count = models.BigIntegerField()
    previous = models.BinaryField(max_length=32)
    digest = models.BinaryField(max_length=32)
    first_id = models.BigIntegerField(
        null=True, help_text="First and last posting it covers; those between may be others'."
    )
    last_id = models.BigIntegerField(null=True)
    sealed_at = models.DateTimeField()

    class Meta:
        db_table = "loyalty_stored_seal"
        constraints = [models.UniqueConstraint(fields=["merchant", "number"], name="loyalty_stored_seal_number")]


class GiftCardBatch(models.Model):
    """Gift cards made in one run. Codes follow from seed, number and the master key: they are stored nowhere."""

    id = models.BigIntegerField(primary_key=True, default=ids.new, editable=False)
    merchant = models.ForeignKey(Merchant, on_delete=models.PROTECT, db_index=False)
    label = models.CharField(max_length=80, blank=True)
    count = models.BigIntegerField()
    made = models.BigIntegerField(default=0, help_text="How many exist: a killed run goes on from here.")
    value_minor = models.BigIntegerField()
    price_minor = models.BigIntegerField(help_text="What a card is sold for; the rest of its value is bonus.")
    months = models.PositiveIntegerField(default=0, help_text="Usable so long after it was sold; 0: for ever.")
    seed = models.BinaryField(max_length=16)
    salts = models.JSONField(default=dict)
    key_number = models.PositiveSmallIntegerField(
        default=1, db_default=1, help_text="Number of the master key the codes are made and hashed with."
    )
    state = models.CharField(max_length=8, default="making")  # making | done
    made_at = models.DateTimeField()
    made_by = models.CharField(max_length=60, blank=True)

    class Meta:
        db_table = "loyalty_gift_card_batch"
        constraints = [
            models.CheckConstraint(
                condition=Q(value_minor__gt=0, price_minor__gte=0, price_minor__lte=F("value_minor")),
                name="loyalty_gift_card_batch_price",
            )
        ]
        indexes = [models.Index(fields=["merchant", "made_at"], name="loyalty_gift_card_batch_time")]


class GiftCard(models.Model):
    """One gift card: worthless until it is sold, then money of whoever knows its code."""

    id = models.BigIntegerField(primary_key=True, default=ids.new, editable=False)
    merchant = models.ForeignKey(Merchant, on_delete=models.PROTECT, db_index=False, db_constraint=False)
    batch = models.ForeignKey(GiftCardBatch, on_delete=models.PROTECT, db_index=False)
    number = models.BigIntegerField(help_text="Within its batch, from 1: printed on the card, no secret.")
    blind = models.BinaryField(max_length=16, help_text="Keyed hash of the code; the code is not stored.")
    hint = models.CharField(max_length=4)
    state = models.CharField(max_length=8, default="made")  # made | active | redeemed | void
    sold_at = models.DateTimeField(null=True)
    expires_at = models.DateTimeField(null=True)
    member = models.ForeignKey(
        Member, null=True, on_delete=models.PROTECT, db_index=False, help_text="Who redeemed it."
    )

    class Meta:
        db_table = "loyalty_gift_card"
        constraints = [
            models.UniqueConstraint(fields=["merchant", "blind"], name="loyalty_gift_card_code"),
            models.UniqueConstraint(fields=["merchant", "batch", "number"], name="loyalty_gift_card_number"),
            models.CheckConstraint(
                condition=Q(state__in=["made", "void"]) | Q(sold_at__isnull=False), name="loyalty_gift_card_sold"
            ),
        ]
