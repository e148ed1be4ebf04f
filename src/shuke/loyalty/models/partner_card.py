"""Tables of co-branded cards 联名卡: a partner's programme, members' cards, its spend files line by line, what it owes.

No card number is anywhere: a token is kept as its keyed hash and its last four characters.
"""

from __future__ import annotations

from django.db import models
from django.db.models import Q

from shuke.kit import ids
from shuke.members.models import Member
from shuke.shops.models import Merchant

LIVE = ["earned", "nothing", "reversed", "unmatched"]  # states of lines that count: another file's same row is no other


class CardProgramme(models.Model):
    """A card of a partner whose spending earns here. What it earns is in its terms."""

    id = models.BigIntegerField(primary_key=True, default=ids.new, editable=False)
    merchant = models.ForeignKey(Merchant, on_delete=models.PROTECT, db_index=False)
    key = models.SlugField(max_length=40, db_index=False)
    name = models.CharField(max_length=60)
    issuer = models.CharField(max_length=60, blank=True)
    token_kind = models.CharField(max_length=6)  # hash | masked
    columns = models.JSONField(default=dict, help_text="Field → header, where the partner's headers are unusual.")
    in_minor = models.BooleanField(default=False, help_text="The file's amounts are in cents or fen.")
    ends_on = models.DateField(null=True, help_text="First day whose spending earns no more.")
    key_number = models.PositiveSmallIntegerField(
        default=1, db_default=1, help_text="Number of the master key cards are hashed with."
    )
    made_at = models.DateTimeField()
    made_by = models.CharField(max_length=60)

    class Meta:
        db_table = "loyalty_card_programme"
        constraints = [models.UniqueConstraint(fields=["merchant", "key"], name="loyalty_card_programme_key")]


class CardTerms(models.Model):
    """What holds from a day on. Changed only while no spending of that time was taken."""

    id = models.BigIntegerField(primary_key=True, default=ids.new, editable=False)
    merchant = models.ForeignKey(Merchant, on_delete=models.PROTECT, db_index=False)
    programme = models.ForeignKey(CardProgramme, on_delete=models.PROTECT, related_name="terms", db_index=False)
    starts_on = models.DateField()
    points = models.BigIntegerField()
    per_minor = models.BigIntegerField()
    price_micro = models.BigIntegerField(
        default=0, help_text="The partner pays so many millionths of a minor unit a point."
    )
    month_most = models.BigIntegerField(null=True)
    rules = models.JSONField(default=list, help_text="[[categories, points], …]")
    set_at = models.DateTimeField()
    set_by = models.CharField(max_length=60)

    class Meta:
        db_table = "loyalty_card_terms"
        constraints = [
            models.UniqueConstraint(fields=["merchant", "programme", "starts_on"], name="loyalty_card_terms_start"),
            models.CheckConstraint(
                condition=Q(points__gte=0, per_minor__gt=0, price_micro__gte=0), name="loyalty_card_terms_rate"
            ),
        ]


class PartnerCard(models.Model):
    """A member's card of a programme."""

    id = models.BigIntegerField(primary_key=True, default=ids.new, editable=False)
    merchant = models.ForeignKey(Merchant, on_delete=models.PROTECT, db_index=False)
    programme = models.ForeignKey(CardProgramme, on_delete=models.PROTECT, db_index=False)
    member = models.ForeignKey(Member, on_delete=models.PROTECT, db_index=False)
    blind = models.BinaryField(max_length=16)
    shown = models.CharField(max_length=8)
    since = models.DateField(help_text="What was spent before earns nothing.")
    bound_at = models.DateTimeField()
    bound_by = models.CharField(max_length=60)
    ended_at = models.DateTimeField(null=True)
    ended_on = models.DateField(null=True)

    class Meta:
        db_table = "loyalty_partner_card"
        constraints = [
            models.UniqueConstraint(
                fields=["merchant", "programme", "member", "blind"],
                name="loyalty_partner_card_once",
                condition=Q(ended_at__isnull=True),
            )
        ]
        indexes = [
            models.Index(fields=["merchant", "programme", "blind"], name="loyalty_partner_card_token"),
            models.Index(fields=["merchant", "member"], name="loyalty_partner_card_member"),
        ]


class CardFile(models.Model):
    """A spend file. The same bytes again are the same file, unless it was taken back."""

    id = models.BigIntegerField(primary_key=True, default=ids.new, editable=False)
    merchant = models.ForeignKey(Merchant, on_delete=models.PROTECT, db_index=False)
    programme = models.ForeignKey(CardProgramme, on_delete=models.PROTECT, db_index=False)
    name = models.CharField(max_length=200)
    digest = models.BinaryField(max_length=32)
    header = models.JSONField(default=list)
    columns = models.JSONField(default=dict, help_text="Field → place among the cells of a row.")
    kept = models.CharField(max_length=200, blank=True, help_text="Where its rows wait, without card numbers.")
    rows = models.IntegerField(default=0)
    state = models.CharField(max_length=8, default="waiting")  # waiting | running | done | undone
    taken_at = models.DateTimeField()
    taken_by = models.CharField(max_length=60)
    undone_at = models.DateTimeField(null=True)
    undone_by = models.CharField(max_length=60, blank=True)

    class Meta:
        db_table = "loyalty_card_file"
        constraints = [
            models.UniqueConstraint(
                fields=["merchant", "programme", "digest"], name="loyalty_card_file_once", condition=~Q(state="undone")
            )
        ]
        indexes = [models.Index(fields=["merchant", "taken_at"], name="loyalty_card_file_taken")]


class CardLine(models.Model):
    """One row of a spend file and what became of it."""

    id = models.BigIntegerField(primary_key=True, default=ids.new, editable=False)
    merchant = models.ForeignKey(Merchant, on_delete=models.PROTECT, db_index=False)
    programme = models.ForeignKey(CardProgramme, on_delete=models.PROTECT, db_index=False)
    file = models.ForeignKey(CardFile, on_delete=models.PROTECT, related_name="lines", db_index=False)
    row = models.IntegerField()
    key = models.BinaryField(max_length=16, null=True, help_text="What makes it the same spending in another file.")
    state = models.CharField(max_length=9)  # LIVE, or same | rejected | undone
    code = models.CharField(max_length=20, blank=True)
    value = models.CharField(max_length=40, blank=True)
    card = models.BinaryField(max_length=16, null=True)
    shown = models.CharField(max_length=8, blank=True)
    member = models.ForeignKey(Member, null=True, on_delete=models.PROTECT, db_index=False)
    about = models.ForeignKey("self", null=True, on_delete=models.PROTECT, db_index=False, help_text="What came back.")
    amount_minor = models.BigIntegerField(null=True)
    left_minor = models.BigIntegerField(default=0, help_text="Of a spending: what has not come back.")
    spent_on = models.DateField(null=True)
    month = models.IntegerField(null=True, help_text="Year × 12 + month − 1 of the spending the points are for.")
    category = models.CharField(max_length=80, blank=True)
    full = models.BigIntegerField(default=0, help_text="Points due for what is left, before the month's limit.")
    points = models.BigIntegerField(default=0, help_text="Given (> 0) or taken.")
    raw = models.JSONField(default=list, help_text="The cells of a rejected row.")

    class Meta:
        db_table = "loyalty_card_line"
        constraints = [
            models.UniqueConstraint(fields=["merchant", "file", "row"], name="loyalty_card_line_row"),
            models.UniqueConstraint(
                fields=["merchant", "programme", "key"], name="loyalty_card_line_once", condition=Q(state__in=LIVE)
            ),
        ]
        indexes = [
            models.Index(fields=["merchant", "file", "state"], name="loyalty_card_line_state"),
            models.Index(fields=["merchant", "programme", "card"], name="loyalty_card_line_card"),
            models.Index(fields=["merchant", "programme", "member", "month"], name="loyalty_card_line_month"),
            models.Index(
                fields=["merchant", "about"], name="loyalty_card_line_about", condition=Q(about__isnull=False)
            ),
            models.Index(
                fields=["merchant", "programme", "spent_on"],
                name="loyalty_card_line_waiting",
                condition=Q(state="unmatched"),
            ),
        ]


class CardStatement(models.Model):
    """What a partner owes for a time; closed once, the same for ever."""

    id = models.BigIntegerField(primary_key=True, default=ids.new, editable=False)
    merchant = models.ForeignKey(Merchant, on_delete=models.PROTECT, db_index=False)
    programme = models.ForeignKey(CardProgramme, on_delete=models.PROTECT, db_index=False)
    number = models.IntegerField()
    until = models.DateTimeField()
    due_minor = models.BigIntegerField()
    document = models.JSONField()
    digest = models.BinaryField(max_length=32)
    closed_at = models.DateTimeField()
    closed_by = models.CharField(max_length=60)

    class Meta:
        db_table = "loyalty_card_statement"
        constraints = [
            models.UniqueConstraint(fields=["merchant", "programme", "number"], name="loyalty_card_statement_number"),
            models.UniqueConstraint(fields=["merchant", "programme", "until"], name="loyalty_card_statement_until"),
        ]


class CardMove(models.Model):
    """Points that were posted for a line, with the price they are charged at. Changes once: when its statement is closed."""

    id = models.BigIntegerField(primary_key=True, default=ids.new, editable=False)
    merchant = models.ForeignKey(Merchant, on_delete=models.PROTECT, db_index=False)
    programme = models.ForeignKey(CardProgramme, on_delete=models.PROTECT, db_index=False)
    line = models.ForeignKey(CardLine, on_delete=models.PROTECT, db_index=False)
    kind = models.CharField(max_length=8)  # given | reversed | undone | restored | capped
    at = models.DateTimeField()
    month = models.IntegerField()
    points = models.BigIntegerField()
    price_micro = models.BigIntegerField()
    statement = models.ForeignKey(CardStatement, null=True, on_delete=models.PROTECT, db_index=False)

    class Meta:
        db_table = "loyalty_card_move"
        constraints = [models.CheckConstraint(condition=~Q(points=0), name="loyalty_card_move_points")]
        indexes = [
            models.Index(fields=["merchant", "statement"], name="loyalty_card_move_in"),
            models.Index(fields=["merchant", "line"], name="loyalty_card_move_line"),
            models.Index(
                fields=["merchant", "programme", "at"],
                name="loyalty_card_move_open",
                condition=Q(statement__isnull=True),
            ),
        ]
