"""Tables of members. All writes are in actions.py."""

from __future__ import annotations

from django.db import models
from django.db.models import F, Q

from shuke.kit import ids
from shuke.shops.models import Merchant, Staff, Store


class MemberState(models.TextChoices):
    ACTIVE = "active"
    UNDONE = "undone"  # made by an import that was undone; wakes up when recognised again
    MERGED = "merged"  # lives on in `merged_into`
    FORGOTTEN = "forgotten"  # erased on request; the ledger keeps the bare id


class Member(models.Model):
    """One person. Contact data is not here (see Contact)."""

    id = models.BigIntegerField(primary_key=True, default=ids.new, editable=False)
    merchant = models.ForeignKey(Merchant, on_delete=models.PROTECT, db_index=False)
    card = models.CharField(max_length=20, help_text="Card number with Luhn check digit.")
    state = models.CharField(max_length=10, choices=MemberState.choices, default=MemberState.ACTIVE)
    merged_into = models.ForeignKey("self", null=True, on_delete=models.PROTECT, db_index=False)
    name = models.CharField(max_length=100, blank=True)
    nickname = models.CharField(max_length=100, blank=True, help_text="The latest one; the others are identities.")
    nickname_at = models.DateTimeField(
        null=True, help_text="When it was last seen in use: an older file does not bring an old one back."
    )
    gender = models.CharField(max_length=1, blank=True)
    birth_year = models.SmallIntegerField(null=True)
    birth_month = models.SmallIntegerField(null=True)
    birth_day = models.SmallIntegerField(null=True)
    birth_lunar = models.BooleanField(default=False)
    province = models.CharField(max_length=40, blank=True)
    city = models.CharField(max_length=40, blank=True)
    phone_hint = models.CharField(max_length=20, blank=True, help_text="Masked: 138****5678.")
    home_store = models.ForeignKey(Store, null=True, on_delete=models.SET_NULL, db_index=False)
    served_by = models.ForeignKey("shops.Staff", null=True, on_delete=models.SET_NULL, db_index=False)
    referred_by = models.ForeignKey("self", null=True, on_delete=models.SET_NULL, related_name="+", db_index=False)
    acquired_by = models.CharField(max_length=60, blank=True)
    acquisition_cost_minor = models.BigIntegerField(null=True)
    joined_at = models.DateTimeField()
    attributes = models.JSONField(default=dict, help_text="Typed custom attributes by key (see AttributeKind).")
    tags = models.JSONField(default=list)
    note = models.TextField(blank=True)
    # Told by hand only; with defaults of the database, because recognition writes members without naming them.
    occupation = models.CharField(max_length=60, blank=True, db_default="")
    income_band = models.CharField(max_length=30, blank=True, db_default="")
    frozen_at = models.DateTimeField(null=True, help_text="Since when points cannot be spent or set aside.")
    frozen_because = models.CharField(max_length=200, blank=True, db_default="")

    class Meta:
        db_table = "members_member"
        constraints = [models.UniqueConstraint(fields=["merchant", "card"], name="members_member_card")]
        indexes = [
            models.Index(fields=["merchant", "joined_at"], name="members_member_joined"),
            models.Index(fields=["merchant", "home_store"], name="members_member_store"),
            # The few who are gone are found, and subtracted, without a look at the many who are not.
            models.Index(fields=["merchant", "state"], name="members_member_state"),
            models.Index(
                fields=["merchant", "merged_into"],
                name="members_member_merged",
                condition=Q(merged_into__isnull=False),
            ),
        ]

    _asked_as: int | None = None

    def __str__(self) -> str:
        return self.name or self.nickname or self.card

    @property
    def asked_as(self) -> int:
        """Id of the record by which somebody named this member (queries.member_of): their own, or one merged into it. What is
        asked under that id is that record's again when the two are parted."""
        return self._asked_as or self.pk


class AttributeKind(models.Model):
    """A custom attribute the shop keeps: skin type, a child's size, income band."""

    class Type(models.TextChoices):
        TEXT = "text"
        NUMBER = "number"
        DATE = "date"
        YES_NO = "yes_no"
        CHOICE = "choice"
        CHOICES = "choices"

    id = models.BigIntegerField(primary_key=True, default=ids.new, editable=False)
    merchant = models.ForeignKey(Merchant, on_delete=models.PROTECT, db_index=False)
    key = models.SlugField(max_length=40, db_index=False)
    label_zh = models.CharField(max_length=40)
    label_en = models.CharField(max_length=40)
    type = models.CharField(max_length=10, choices=Type.choices)
    options = models.JSONField(default=list, help_text="Allowed values of choice and choices.")
    sensitive = models.BooleanField(default=False)

    class Meta:
        db_table = "members_attribute_kind"
        constraints = [models.UniqueConstraint(fields=["merchant", "key"], name="members_attribute_key")]


class Identity(models.Model):
    """One value that tells who somebody is. `blind` is its keyed hash, the only thing ever compared."""

    id = models.BigIntegerField(primary_key=True, default=ids.new, editable=False)
    merchant = models.ForeignKey(Merchant, on_delete=models.PROTECT, db_index=False, db_constraint=False)
    member = models.ForeignKey(Member, on_delete=models.PROTECT, db_index=False)
    kind = models.CharField(max_length=12)  # engine.facts.IdentityKind
    realm = models.CharField(max_length=20, blank=True)
    blind = models.BinaryField(max_length=16)
    generation = models.PositiveSmallIntegerField(default=1, db_default=1, help_text="Of `blind`: queries/keys.py.")
    shown = models.CharField(
        max_length=100, blank=True, help_text="Readable for nicknames and cards, masked for phones."
    )
    verified = models.BooleanField(default=False)
    first_seen_at = models.DateTimeField()
    last_seen_at = models.DateTimeField()

    class Meta:
        db_table = "members_identity"
        constraints = [
            models.UniqueConstraint(fields=["merchant", "kind", "realm", "blind"], name="members_identity_value")
        ]
        indexes = [models.Index(fields=["merchant", "member"], name="members_identity_member")]


class Contact(models.Model):
    """A way to reach a member: phone, e-mail, address. The value is AES-GCM under the member's own data key."""

    id = models.BigIntegerField(primary_key=True, default=ids.new, editable=False)
    merchant = models.ForeignKey(Merchant, on_delete=models.PROTECT, db_index=False, db_constraint=False)
    member = models.ForeignKey(Member, on_delete=models.PROTECT, db_index=False)
    kind = models.CharField(max_length=8)  # phone | email | address
    blind = models.BinaryField(max_length=16)
    generation = models.PositiveSmallIntegerField(default=1, db_default=1, help_text="Of `blind`: queries/keys.py.")
    sealed = models.BinaryField()
    role = models.CharField(max_length=10, blank=True)
    virtual = models.BooleanField(default=False)
    masked = models.BooleanField(default=False)
    usable_until = models.DateTimeField(null=True)
    last_seen_at = models.DateTimeField()

    class Meta:
        db_table = "members_contact"
        constraints = [
            models.UniqueConstraint(fields=["merchant", "member", "kind", "blind"], name="members_contact_value")
        ]
        indexes = [models.Index(fields=["merchant", "kind", "blind"], name="members_contact_blind")]


class DataKey(models.Model):
    """A member's own data key, wrapped by the master key. Destroying it forgets the member, old backups included."""

    member = models.OneToOneField(Member, primary_key=True, on_delete=models.PROTECT)
    merchant = models.ForeignKey(Merchant, on_delete=models.PROTECT, db_index=False)
    wrapped = models.BinaryField()
    version = models.PositiveSmallIntegerField(default=1)

    class Meta:
        db_table = "members_data_key"


class SearchTerm(models.Model):
    """A text a member can be found by: pieces of names and nicknames from each character on, and their pinyin.

    Bytes, so that a prefix is a range on either engine whatever its collation. Its key is all there is of it: SQLite
    stores it WITHOUT ROWID (0002), and a member's rows are found again by working out the terms (terms.py).
    """

    pk = models.CompositePrimaryKey("merchant_id", "term", "member_id")
    merchant = models.ForeignKey(Merchant, on_delete=models.PROTECT, db_index=False, db_constraint=False)
    term = models.BinaryField(max_length=48)
    member = models.ForeignKey(Member, on_delete=models.PROTECT, db_index=False, db_constraint=False)

    class Meta:
        db_table = "members_search_term"


class PhoneGram(models.Model):
    """Four digits of somebody's phone, both sides keyed: rows of one phone cannot be put together without the key."""

    pk = models.CompositePrimaryKey("merchant_id", "gram", "posting")
    merchant = models.ForeignKey(Merchant, on_delete=models.PROTECT, db_index=False, db_constraint=False)
    gram = models.BinaryField(max_length=8, help_text="kit.crypto.gram of the digits.")
    posting = models.BinaryField(max_length=16, help_text="kit.crypto.postings of gram and member.")

    class Meta:
        db_table = "members_phone_gram"


class Consent(models.Model):
    """One statement of consent or its withdrawal. Append-only; the latest per channel and purpose holds."""

    id = models.BigIntegerField(primary_key=True, default=ids.new, editable=False)
    merchant = models.ForeignKey(Merchant, on_delete=models.PROTECT, db_index=False)
    member = models.ForeignKey(Member, on_delete=models.PROTECT, db_index=False)
    channel = models.CharField(max_length=12)
    purpose = models.CharField(max_length=12)  # order | care | promotion | new_goods | event | survey
    granted = models.BooleanField()
    at = models.DateTimeField()
    source = models.CharField(max_length=60)
    wording = models.CharField(max_length=40, blank=True, help_text="Version of the text agreed to.")
    actor = models.CharField(max_length=60, blank=True)
    evidence = models.TextField(blank=True)

    class Meta:
        db_table = "members_consent"
        indexes = [
            models.Index(fields=["merchant", "member", "channel", "purpose", "at"], name="members_consent_latest")
        ]


class Suspicion(models.Model):
    """Two members that may be one person. A human decides; recognition never merges."""

    id = models.BigIntegerField(primary_key=True, default=ids.new, editable=False)
    merchant = models.ForeignKey(Merchant, on_delete=models.PROTECT, db_index=False)
    member = models.ForeignKey(Member, on_delete=models.PROTECT, db_index=False)
    other = models.ForeignKey(Member, on_delete=models.PROTECT, related_name="+", db_index=False)
    reason = models.CharField(max_length=20)  # same_phone | same_name_address | two_matches | …
    state = models.CharField(max_length=10, default="open")  # open | merged | different
    noted_at = models.DateTimeField()

    class Meta:
        db_table = "members_suspicion"
        constraints = [
            models.UniqueConstraint(fields=["merchant", "member", "other", "reason"], name="members_suspicion_once"),
            models.CheckConstraint(condition=Q(member__lt=F("other")), name="members_suspicion_ordered"),
        ]


class Merge(models.Model):
    """One joining of two members by a person, and what is needed to take it back."""

    id = models.BigIntegerField(primary_key=True, default=ids.new, editable=False)
    merchant = models.ForeignKey(Merchant, on_delete=models.PROTECT, db_index=False)
    survivor = models.ForeignKey(Member, on_delete=models.PROTECT, related_name="+", db_index=False)
    absorbed = models.ForeignKey(Member, on_delete=models.PROTECT, related_name="+", db_index=False)
    merged_at = models.DateTimeField()
    actor = models.CharField(max_length=60)
    reason = models.CharField(max_length=200, blank=True)
    before = models.JSONField(default=dict, help_text="The survivor's fields that changed, as they were.")
    after = models.JSONField(default=dict, help_text="The same fields as the merge left them.")
    undone_at = models.DateTimeField(null=True)
    undone_by = models.CharField(max_length=60, blank=True)
    undone_because = models.CharField(max_length=200, blank=True)

    class Meta:
        db_table = "members_merge"
        constraints = [
            models.UniqueConstraint(
                fields=["merchant", "absorbed"], name="members_merge_once", condition=Q(undone_at__isnull=True)
            ),
            models.CheckConstraint(condition=~Q(survivor=F("absorbed")), name="members_merge_two"),
        ]
        indexes = [models.Index(fields=["merchant", "survivor"], name="members_merge_survivor")]


class MergedFact(models.Model):
    """A fact that counts for the survivor but was told of the absorbed member: undoing the merge gives it back."""

    id = models.BigIntegerField(primary_key=True, default=ids.new, editable=False)
    merchant = models.ForeignKey(Merchant, on_delete=models.PROTECT, db_index=False)
    merge = models.ForeignKey(Merge, on_delete=models.CASCADE, db_index=False)
    what = models.CharField(max_length=8)  # order | tier | request
    object_id = models.BigIntegerField()

    class Meta:
        db_table = "members_merged_fact"
        constraints = [
            models.UniqueConstraint(fields=["merchant", "merge", "what", "object_id"], name="members_merged_fact_once")
        ]


class Card(models.Model):
    """A card of ours that is not simply in use: lost, or replaced by another. The one in use stands on the member."""

    id = models.BigIntegerField(primary_key=True, default=ids.new, editable=False)
    merchant = models.ForeignKey(Merchant, on_delete=models.PROTECT, db_index=False)
    member = models.ForeignKey(Member, on_delete=models.PROTECT, related_name="+", db_index=False)
    number = models.CharField(max_length=20)
    state = models.CharField(max_length=10)  # lost | replaced
    at = models.DateTimeField()
    reason = models.CharField(max_length=200, blank=True)
    actor = models.CharField(max_length=60, blank=True)
    replaced_by = models.CharField(max_length=20, blank=True)

    class Meta:
        db_table = "members_card"
        constraints = [models.UniqueConstraint(fields=["merchant", "number"], name="members_card_number")]
        indexes = [models.Index(fields=["merchant", "member"], name="members_card_member")]


class SpecialDay(models.Model):
    """A day in a member's life beside the birthday: a wedding, a child's birthday. Year 0: not told."""

    id = models.BigIntegerField(primary_key=True, default=ids.new, editable=False)
    merchant = models.ForeignKey(Merchant, on_delete=models.PROTECT, db_index=False)
    member = models.ForeignKey(Member, on_delete=models.PROTECT, db_index=False)
    kind = models.CharField(max_length=10)  # wedding | child | other
    name = models.CharField(max_length=40, blank=True)
    year = models.SmallIntegerField(default=0)
    month = models.SmallIntegerField()
    day = models.SmallIntegerField()
    lunar = models.BooleanField(default=False)

    class Meta:
        db_table = "members_special_day"
        indexes = [
            models.Index(fields=["merchant", "member"], name="members_special_day_member"),
            models.Index(fields=["merchant", "month", "day"], name="members_special_day_on"),
        ]


class MemberCost(models.Model):
    """Money spent on one member, booked by the room that caused it or by hand. Never changed: what was wrong is taken back."""

    id = models.BigIntegerField(primary_key=True, default=ids.new, editable=False)
    merchant = models.ForeignKey(Merchant, on_delete=models.PROTECT, db_index=False)
    member = models.ForeignKey(Member, on_delete=models.PROTECT, db_index=False)
    kind = models.CharField(max_length=12, help_text="engine.insight.profit.KINDS")
    amount_minor = models.BigIntegerField(help_text="Below 0: taken back.")
    at = models.DateTimeField(help_text="When it was caused.")
    key = models.CharField(max_length=120, help_text="The same key again books nothing.")
    source = models.CharField(max_length=20, help_text="manual, or the room that caused it: service, engage …")
    note = models.CharField(max_length=200, blank=True)
    booked_at = models.DateTimeField()
    actor = models.CharField(max_length=80)

    class Meta:
        db_table = "members_cost"
        constraints = [models.UniqueConstraint(fields=["merchant", "key"], name="members_cost_key")]
        indexes = [models.Index(fields=["merchant", "member", "at"], name="members_cost_member")]


class TimelineLine(models.Model):
    """Something that happened to a member. Append-only; rooms above claim unread lines (docs/architecture.md)."""

    id = models.BigIntegerField(primary_key=True, default=ids.new, editable=False)
    merchant = models.ForeignKey(Merchant, on_delete=models.PROTECT, db_index=False, db_constraint=False)
    member = models.ForeignKey(Member, on_delete=models.PROTECT, db_index=False)
    at = models.DateTimeField(help_text="When it happened.")
    noted_at = models.DateTimeField(help_text="When we came to know.")
    kind = models.CharField(max_length=24)  # joined | order.paid | order.refunded | tier.up | points.expired | note …
    ref = models.CharField(max_length=120, blank=True, help_text="Order, posting, message … this line is about.")
    body = models.JSONField(default=dict)
    claimed_at = models.DateTimeField(null=True)

    class Meta:
        db_table = "members_timeline"
        indexes = [
            models.Index(fields=["merchant", "member", "at"], name="members_timeline_member"),
            models.Index(
                fields=["merchant", "kind"], name="members_timeline_unread", condition=Q(claimed_at__isnull=True)
            ),
        ]


class OwnCard(models.Model):
    """Which member a person of the shop is: they change nothing by hand there."""

    id = models.BigIntegerField(primary_key=True, default=ids.new, editable=False)
    merchant = models.ForeignKey(Merchant, on_delete=models.PROTECT, db_index=False)
    staff = models.ForeignKey(Staff, on_delete=models.PROTECT, db_index=False)
    member = models.ForeignKey(Member, on_delete=models.PROTECT, db_index=False)

    class Meta:
        db_table = "members_own_card"
        constraints = [models.UniqueConstraint(fields=["merchant", "staff"], name="members_own_card_once")]
