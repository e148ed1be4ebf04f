"""Tables of orders. All writes are in actions.py."""

from __future__ import annotations

from django.db import models
from django.db.models import Q

from shuke.kit import ids
from shuke.members.models import Member
from shuke.shops.models import Merchant, Store


class Product(models.Model):
    """A good, as far as the seller's files know it."""

    id = models.BigIntegerField(primary_key=True, default=ids.new, editable=False)
    merchant = models.ForeignKey(Merchant, on_delete=models.PROTECT, db_index=False)
    code = models.CharField(max_length=80)
    title = models.CharField(max_length=200, blank=True)
    category = models.CharField(max_length=160, blank=True, help_text="Levels joined by '/'.")
    brand = models.CharField(max_length=80, blank=True)
    unit = models.CharField(max_length=30, blank=True)
    reclassified = models.BooleanField(
        default=False, help_text="Category or brand changed; the books of its buyers wait."
    )

    class Meta:
        db_table = "orders_product"
        constraints = [models.UniqueConstraint(fields=["merchant", "code"], name="orders_product_code")]
        indexes = [models.Index(fields=["merchant"], name="orders_product_moved", condition=Q(reclassified=True))]


class Order(models.Model):
    """One order in its latest known state."""

    id = models.BigIntegerField(primary_key=True, default=ids.new, editable=False)
    merchant = models.ForeignKey(Merchant, on_delete=models.PROTECT, db_index=False, db_constraint=False)
    store = models.ForeignKey(
        Store, on_delete=models.PROTECT, db_index=False, help_text="Shop whose numbering this is."
    )
    number = models.CharField(max_length=60)
    member = models.ForeignKey(Member, null=True, on_delete=models.PROTECT, db_index=False)  # null: nobody known bought
    sold_at = models.ForeignKey(
        Store, null=True, on_delete=models.PROTECT, related_name="+", db_index=False
    )  # street store
    status = models.SmallIntegerField()  # engine.facts.OrderStatus
    created_at = models.DateTimeField(null=True)
    paid_at = models.DateTimeField(null=True)
    shipped_at = models.DateTimeField(null=True)
    finished_at = models.DateTimeField(null=True)
    closed_at = models.DateTimeField(null=True)
    close_reason = models.CharField(max_length=100, blank=True)
    currency = models.CharField(max_length=3)
    goods_minor = models.BigIntegerField(default=0)
    discount_minor = models.BigIntegerField(default=0)
    freight_minor = models.BigIntegerField(default=0)
    paid_minor = models.BigIntegerField(default=0)
    refunded_minor = models.BigIntegerField(default=0, help_text="The larger of stated total and finished documents.")
    stated_refund_minor = models.BigIntegerField(default=0)
    refunded_at = models.DateTimeField(
        null=True, help_text="Of the last refund; best known moment if the file has none."
    )
    stated_refund_at = models.DateTimeField(null=True, help_text="Of the last refund, as an order itself tells it.")
    net_minor = models.BigIntegerField(
        default=0, help_text="Counts as spent: paid less freight and refunds, never below 0."
    )
    pieces_milli = models.BigIntegerField(default=0)
    line_count = models.IntegerField(default=0)
    lines_minor = models.BigIntegerField(default=0, help_text="Sum of the lines' amounts.")
    channel = models.CharField(max_length=30, blank=True)
    staff_code = models.CharField(max_length=40, blank=True)
    buyer_note = models.TextField(blank=True)
    seller_note = models.TextField(blank=True)
    excluded = models.CharField(max_length=40, blank=True)
    tax_minor = models.BigIntegerField(null=True, help_text="Within what was paid; null: not told.")
    tenders = models.JSONField(null=True, help_text="How it was paid, as far as told: [[code, minor units], …].")
    digest = models.BinaryField(max_length=16, help_text="Of the last statement taken in: the same one again is SAME.")
    lines_digest = models.BinaryField(max_length=16, null=True, help_text="Of the lines as stated.")
    said = models.IntegerField(default=0, help_text="Bit per field that some statement has stated (orders/merging.py).")
    older = models.JSONField(null=True, help_text="Fields whose statement is older than stated_at, with its time.")
    stated_at = models.DateTimeField(null=True, help_text="When the latest statement taken in was made.")
    batch_id = models.BigIntegerField(null=True, help_text="Batch that first brought it.")
    last_batch_id = models.BigIntegerField(null=True, help_text="Batch that last changed it; null: a single recording.")

    class Meta:
        db_table = "orders_order"
        constraints = [models.UniqueConstraint(fields=["merchant", "store", "number"], name="orders_order_number")]
        indexes = [
            models.Index(fields=["merchant", "member", "paid_at"], name="orders_order_member"),
            models.Index(fields=["merchant", "paid_at"], name="orders_order_paid"),
            models.Index(fields=["merchant", "number"], name="orders_order_lookup"),
            models.Index(
                fields=["merchant", "batch_id"], name="orders_order_batch", condition=Q(batch_id__isnull=False)
            ),
        ]


class OrderLine(models.Model):
    """One position. Lines of an order are replaced together."""

    id = models.BigIntegerField(primary_key=True, default=ids.new, editable=False)
    merchant = models.ForeignKey(Merchant, on_delete=models.PROTECT, db_index=False, db_constraint=False)
    order = models.ForeignKey(Order, on_delete=models.CASCADE, db_index=False)
    position = models.SmallIntegerField()
    product = models.ForeignKey(Product, null=True, on_delete=models.PROTECT, db_index=False)
    title = models.CharField(max_length=200, blank=True, help_text="Empty where the product says it.")
    sku = models.CharField(max_length=80, blank=True)
    spec = models.CharField(max_length=200, blank=True)
    quantity_milli = models.BigIntegerField()
    price_minor = models.BigIntegerField(null=True)
    amount_minor = models.BigIntegerField()
    discount_minor = models.BigIntegerField(default=0)
    refunded_minor = models.BigIntegerField(default=0)
    sub_number = models.CharField(max_length=60, blank=True)

    class Meta:
        db_table = "orders_line"
        constraints = [models.UniqueConstraint(fields=["merchant", "order", "position"], name="orders_line_position")]
        indexes = [  # refund reports that name the sub-order find their order by it
            models.Index(fields=["merchant", "sub_number"], name="orders_line_sub", condition=Q(sub_number__gt=""))
        ]


class Refund(models.Model):
    """A refund document. `order` is null while its order has not arrived (parked)."""

    id = models.BigIntegerField(primary_key=True, default=ids.new, editable=False)
    merchant = models.ForeignKey(Merchant, on_delete=models.PROTECT, db_index=False)
    store = models.ForeignKey(Store, on_delete=models.PROTECT, db_index=False)
    order = models.ForeignKey(Order, null=True, on_delete=models.PROTECT, db_index=False)
    order_number = models.CharField(max_length=60, help_text="Of its order; of what it names, while that is unknown.")
    named = models.CharField(
        max_length=60, blank=True, default="", help_text="The sub-order it named; empty where it named the order."
    )
    number = models.CharField(max_length=60)
    amount_minor = models.BigIntegerField()
    requested_at = models.DateTimeField(null=True)
    finished_at = models.DateTimeField(null=True)
    done = models.BooleanField(default=True)
    status = models.CharField(max_length=40, blank=True)
    reason = models.CharField(max_length=200, blank=True)
    sub_number = models.CharField(max_length=60, blank=True, help_text="The line that came back, by the platform.")
    lines = models.JSONField(
        null=True,
        help_text="What came back, as told: [sub-order, place from 1, goods, thousandths, minor units] of each.",
    )
    older = models.JSONField(
        null=True,
        help_text="Fields told by an earlier statement, with its mark; goods that do not fit this one's amount.",
    )
    batch_id = models.BigIntegerField(null=True)

    class Meta:
        db_table = "orders_refund"
        constraints = [models.UniqueConstraint(fields=["merchant", "store", "number"], name="orders_refund_number")]
        indexes = [
            models.Index(fields=["merchant", "store", "order_number"], name="orders_refund_order"),
            models.Index(fields=["merchant", "order"], name="orders_refund_of"),
        ]


class ImportBatch(models.Model):
    """One import of one or several files, from upload to undo."""

    class State(models.TextChoices):
        PREVIEWED = "previewed"
        RUNNING = "running"
        DONE = "done"
        FAILED = "failed"  # can be resumed from `offset`
        UNDONE = "undone"

    id = models.BigIntegerField(primary_key=True, default=ids.new, editable=False)
    merchant = models.ForeignKey(Merchant, on_delete=models.PROTECT, db_index=False)
    state = models.CharField(max_length=10, choices=State.choices)
    files = models.JSONField(default=list, help_text="name, sha256, layout, path of each.")
    options = models.JSONField(default=dict, help_text="store, layout, column mapping.")
    started_at = models.DateTimeField()
    finished_at = models.DateTimeField(null=True)
    actor = models.CharField(max_length=60, blank=True)
    offset = models.BigIntegerField(default=0, help_text="Facts already taken in: a killed import goes on from here.")
    total = models.BigIntegerField(null=True)
    counts = models.JSONField(default=dict)
    rejects_path = models.CharField(max_length=200, blank=True)
    error = models.TextField(blank=True)

    class Meta:
        db_table = "orders_batch"
        indexes = [models.Index(fields=["merchant", "started_at"], name="orders_batch_started")]


class BatchChange(models.Model):
    """What a batch did to one order, refund or member, so that it can be undone."""

    id = models.BigIntegerField(primary_key=True, default=ids.new, editable=False)
    merchant = models.ForeignKey(Merchant, on_delete=models.PROTECT, db_index=False)
    batch = models.ForeignKey(ImportBatch, on_delete=models.PROTECT, db_index=False)
    what = models.CharField(max_length=8)  # order | refund | member (made) | profile (changed) | opening
    object_id = models.BigIntegerField()
    before = models.JSONField(null=True, help_text="The former values; null if the batch made it.")

    class Meta:
        db_table = "orders_batch_change"
        constraints = [
            models.UniqueConstraint(fields=["merchant", "batch", "what", "object_id"], name="orders_batch_change_once")
        ]
        indexes = [models.Index(fields=["merchant", "what", "object_id"], name="orders_batch_change_object")]


class ColumnMapping(models.Model):
    """A saved answer of the mapping wizard for one kind of plain file."""

    id = models.BigIntegerField(primary_key=True, default=ids.new, editable=False)
    merchant = models.ForeignKey(Merchant, on_delete=models.PROTECT, db_index=False)
    name = models.CharField(max_length=60)
    header_digest = models.CharField(
        max_length=32, help_text="Of the normalised header row: the next such file is known."
    )
    mapping = models.JSONField()
    saved_at = models.DateTimeField()

    class Meta:
        db_table = "orders_column_mapping"
        constraints = [models.UniqueConstraint(fields=["merchant", "name"], name="orders_column_mapping_name")]
