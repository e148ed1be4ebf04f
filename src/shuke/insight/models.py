"""Tables of insight. All writes are in actions.py."""

from __future__ import annotations

from django.db import models

from shuke.kit import ids
from shuke.members.models import Member
from shuke.orders.models import Product
from shuke.shops.models import Merchant


class OfDay(models.Model):
    """Figures as of the end of a shop day."""

    id = models.BigIntegerField(primary_key=True, default=ids.new, editable=False)
    merchant = models.ForeignKey(Merchant, on_delete=models.PROTECT, db_index=False)
    day = models.DateField()
    made_at = models.DateTimeField()
    figures = models.JSONField(default=dict)

    class Meta:
        abstract = True


class Snapshot(OfDay):
    """One run of the analyses, as of the end of a shop day. Aggregates for the dashboard are in `figures`."""

    figures = models.JSONField(default=dict, help_text="Shape: insight/queries/figures.py.")
    cuts = models.JSONField(default=dict, help_text="Measures in force: engine.insight.standing.Published.")

    class Meta:
        db_table = "insight_snapshot"
        constraints = [models.UniqueConstraint(fields=["merchant", "day"], name="insight_snapshot_day")]


class CutPoints(models.Model):
    """RFM cut points from one day on: learnt by a night, or set by a person. Never changed, only followed by the next."""

    id = models.BigIntegerField(primary_key=True, default=ids.new, editable=False)
    merchant = models.ForeignKey(Merchant, on_delete=models.PROTECT, db_index=False)
    day = models.DateField(help_text="The first snapshot that was scored by them.")
    made_at = models.DateTimeField()
    actor = models.CharField(max_length=80, blank=True, help_text="Who set them, or gave up own ones; empty: a night.")
    own = models.BooleanField(default=False)
    cuts = models.JSONField(help_text="engine.insight.rfm.RfmCuts.to_json()")

    class Meta:
        db_table = "insight_cut_points"
        indexes = [models.Index(fields=["merchant", "day"], name="insight_cut_points_day")]


class StoredReport(models.Model):
    """The answer to a question that pages ask every day, made by the night. Read it through the queries of what it answers.

    It counts under the mark of its snapshot only (queries.figures.mark); the next night takes its place.
    """

    id = models.BigIntegerField(primary_key=True, default=ids.new, editable=False)
    merchant = models.ForeignKey(Merchant, on_delete=models.PROTECT, db_index=False)
    question = models.CharField(max_length=40, help_text="growth:month:store, cohorts:week:, moved:rfm")
    mark = models.CharField(max_length=40)
    source = models.CharField(max_length=64, help_text="Fingerprint of what it was made from: the same, and it stays.")
    format = models.SmallIntegerField()
    body = models.BinaryField()

    class Meta:
        db_table = "insight_stored_report"
        constraints = [models.UniqueConstraint(fields=["merchant", "question"], name="insight_stored_report_once")]


class Touched(models.Model):
    """Log of members whose state, home store, joining, source, tier or points changed, written by triggers (migration 0010) in the
    transaction that changed them. Read it through queries/touched.py only; the night cuts its beginning off."""

    id = models.BigAutoField(primary_key=True)
    merchant_id = models.BigIntegerField()
    member_id = models.BigIntegerField()
    xid = models.BigIntegerField(null=True, help_text="PostgreSQL only, and there indexed: the transaction.")

    class Meta:
        db_table = "insight_touched"


class MemberScore(models.Model):
    """The latest figures of one member, one row each: what member lists filter and sort by (from copies: queries/at_hand.py)."""

    member = models.OneToOneField(Member, primary_key=True, on_delete=models.CASCADE)
    merchant = models.ForeignKey(Merchant, on_delete=models.PROTECT, db_index=False)
    day = models.DateField(help_text="When this row last changed; the figures are as of the latest snapshot.")
    first_paid_at = models.DateTimeField(null=True)
    last_paid_at = models.DateTimeField(null=True)
    order_count = models.IntegerField(default=0, help_text="Purchases. The F of RFM is order_days.")
    order_days = models.IntegerField(default=0)
    year_order_days = models.IntegerField(default=0, help_text="Of these, within the window of the figures.")
    net_minor = models.BigIntegerField(default=0)
    year_net_minor = models.BigIntegerField(default=0)
    refunded_minor = models.BigIntegerField(default=0)
    usual_gap_days = models.FloatField(null=True, help_text="Shrunk own gap between order days.")
    r5 = models.SmallIntegerField(null=True)
    f5 = models.SmallIntegerField(null=True)
    m5 = models.SmallIntegerField(null=True)
    rfm = models.CharField(max_length=3, blank=True, help_text="Two-level class 222 … 111, R F M.")
    layer = models.CharField(max_length=12, blank=True, help_text="key | main | potential | target")
    stage = models.CharField(max_length=12, blank=True, help_text="observing | forming | stable | degrading | lost")

    bond = models.CharField(max_length=12, blank=True, help_text="loyal | drifting | potential")

    class Meta:
        db_table = "insight_member_score"
        indexes = [
            models.Index(fields=["merchant", "rfm"], name="insight_score_rfm"),
            models.Index(fields=["merchant", "r5", "f5"], name="insight_score_map"),
            models.Index(fields=["merchant", "stage"], name="insight_score_stage"),
            models.Index(fields=["merchant", "layer"], name="insight_score_layer"),
            models.Index(fields=["merchant", "bond"], name="insight_score_bond"),
        ]


class Movement(models.Model):
    """A member who changed class, layer or stage between two snapshots."""

    id = models.BigIntegerField(primary_key=True, default=ids.new, editable=False)
    merchant = models.ForeignKey(Merchant, on_delete=models.PROTECT, db_index=False)
    member = models.ForeignKey(Member, on_delete=models.CASCADE, db_index=False)
    day = models.DateField()
    what = models.CharField(max_length=8)  # rfm | layer | stage
    before = models.CharField(max_length=12, blank=True)
    after = models.CharField(max_length=12)

    class Meta:
        db_table = "insight_movement"
        constraints = [
            models.UniqueConstraint(fields=["merchant", "member", "day", "what"], name="insight_movement_once")
        ]
        indexes = [models.Index(fields=["merchant", "day", "what"], name="insight_movement_day")]


class GoodsMark(models.Model):
    """What the seller says about a product that no order tells: which need it meets, whether it lasts, whether it can be had."""

    id = models.BigIntegerField(primary_key=True, default=ids.new, editable=False)
    merchant = models.ForeignKey(Merchant, on_delete=models.PROTECT, db_index=False)
    product = models.ForeignKey(Product, on_delete=models.CASCADE, db_index=False)
    need = models.CharField(max_length=60, blank=True, help_text="Empty: its category stands for the need.")
    durable = models.BooleanField(null=True, help_text="Null: as its buyers show.")
    out_of_stock = models.BooleanField(default=False)
    marked_at = models.DateTimeField()
    actor = models.CharField(max_length=80)

    class Meta:
        db_table = "insight_goods_mark"
        constraints = [models.UniqueConstraint(fields=["merchant", "product"], name="insight_goods_mark_once")]


class GoodsReport(OfDay):
    """What sold, opened, went together, came again and led on, as of the end of a shop day. Figures: insight/queries/goods.py."""

    level = models.CharField(max_length=8, help_text="product | kind")

    class Meta:
        db_table = "insight_goods_report"
        constraints = [models.UniqueConstraint(fields=["merchant", "level", "day"], name="insight_goods_report_day")]


class MemberValue(models.Model):
    """What one member will probably buy and spend, one row each. Read it through insight/queries/value.py only.

    No row: nothing can be told of this member, or of anybody (the latest ValueReport says why).
    """

    member = models.OneToOneField(Member, primary_key=True, on_delete=models.CASCADE)
    merchant = models.ForeignKey(Merchant, on_delete=models.PROTECT, db_index=False)
    as_of = models.DateField(help_text="When this row last changed; the figures are as of the latest report.")
    chance_30 = models.SmallIntegerField(help_text="Chance to buy within 30 days, permille.")
    chance_90 = models.SmallIntegerField(help_text="The same within 90 days.")
    expected_orders = models.IntegerField(help_text="Order days within 12 months, thousandths.")
    expected_spend = models.BigIntegerField(null=True, help_text="Net, within 12 months. Null: too few members to say.")
    spend_low = models.BigIntegerField(
        null=True, help_text="Half of members of such an expectation spend between low …"
    )
    spend_high = models.BigIntegerField(null=True, help_text="… and high.")
    rule = models.CharField(max_length=8, help_text="model | plain")

    class Meta:
        db_table = "insight_membervalue"
        indexes = [
            models.Index(fields=["merchant", "expected_spend", "member"], name="insight_value_by_spend"),
        ]


class ValueReport(OfDay):
    """What all members will probably buy and spend, and how good that is, as of a shop day. Figures: insight/queries/value.py."""

    class Meta:
        db_table = "insight_value_report"
        constraints = [models.UniqueConstraint(fields=["merchant", "day"], name="insight_value_report_day")]


class StatedCost(models.Model):
    """What the seller says no order tells: the margin of goods, or what one piece costs; what a newcomer of a channel or store costs."""

    id = models.BigIntegerField(primary_key=True, default=ids.new, editable=False)
    merchant = models.ForeignKey(Merchant, on_delete=models.PROTECT, db_index=False)
    what = models.CharField(max_length=8, help_text="product | category | channel | store")
    key = models.CharField(max_length=160, help_text="Product code, category, channel, or name of the store.")
    margin_permille = models.IntegerField(null=True, help_text="Of goods, thousandths of the price.")
    cost_minor = models.BigIntegerField(null=True, help_text="Of one piece, or of one newcomer.")
    stated_at = models.DateTimeField()
    actor = models.CharField(max_length=80)

    class Meta:
        db_table = "insight_stated_cost"
        constraints = [models.UniqueConstraint(fields=["merchant", "what", "key"], name="insight_stated_cost_once")]


class ProfitPolicy(models.Model):
    """What a shop states about all its members. Null: nothing was stated, and an assumption stands in, named so."""

    merchant = models.OneToOneField(Merchant, primary_key=True, on_delete=models.PROTECT)
    margin_permille = models.IntegerField(null=True, help_text="Null: Merchant.margin_permille, an assumption.")
    uplift_permille = models.IntegerField(null=True, help_text="Share of leavers an effort keeps.")
    uplift_source = models.CharField(max_length=80, blank=True, help_text="What measured it; empty: an assumption.")
    years_tenths = models.IntegerField(null=True, help_text="Years of the plain formula.")
    stated_at = models.DateTimeField()
    actor = models.CharField(max_length=80)

    class Meta:
        db_table = "insight_profit_policy"


class MemberProfit(models.Model):
    """What one member earned the shop and cost it, why they come back, and what keeping them is worth. Written at night.

    Columns `year_…` are of the last 365 days, the others of all time. Money in minor units of the merchant's currency.
    """

    member = models.OneToOneField(Member, primary_key=True, on_delete=models.CASCADE)
    merchant = models.ForeignKey(Merchant, on_delete=models.PROTECT, db_index=False)
    day = models.DateField(help_text="When this row last changed; the figures are as of the latest report.")
    net_minor = models.BigIntegerField()
    year_net_minor = models.BigIntegerField()
    margin_minor = models.BigIntegerField()
    year_margin_minor = models.BigIntegerField()
    acquisition_minor = models.BigIntegerField()
    care_minor = models.BigIntegerField()
    service_minor = models.BigIntegerField()
    reward_minor = models.BigIntegerField()
    recovery_minor = models.BigIntegerField()
    year_acquisition_minor = models.BigIntegerField()
    year_care_minor = models.BigIntegerField()
    year_service_minor = models.BigIntegerField()
    year_reward_minor = models.BigIntegerField()
    year_recovery_minor = models.BigIntegerField()
    profit_minor = models.BigIntegerField()
    year_profit_minor = models.BigIntegerField()
    stated_permille = models.SmallIntegerField(
        help_text="Of what they kept, the share whose margin or cost was stated."
    )
    price_permille = models.SmallIntegerField(null=True, help_text="Price sensitivity; null: too few orders to say.")
    price_orders = models.IntegerField()
    returned_permille = models.SmallIntegerField()
    friends = models.IntegerField(help_text="Brought by them, and bought.")
    loyalty = models.CharField(max_length=8, blank=True, help_text="habit | price | high")
    quality = models.CharField(max_length=8, blank=True, help_text="quality | costly")
    leaving_permille = models.SmallIntegerField(null=True)
    stays_minor = models.BigIntegerField(null=True, help_text="Spend of a year if they stay.")
    worth_minor = models.BigIntegerField(null=True, help_text="What such a year leaves the shop.")
    budget_minor = models.BigIntegerField(null=True, help_text="What it is worth at most to keep or win them back.")
    budget_low = models.BigIntegerField(null=True)
    budget_high = models.BigIntegerField(null=True)
    advice = models.CharField(max_length=8, blank=True, help_text="at_ease | keep | win_back | let_go")

    class Meta:
        db_table = "insight_memberprofit"
        indexes = [
            models.Index(fields=["merchant", "loyalty"], name="insight_profit_loyalty"),
            models.Index(fields=["merchant", "quality"], name="insight_profit_quality"),
            models.Index(fields=["merchant", "advice", "budget_minor"], name="insight_profit_advice"),
            models.Index(fields=["merchant", "year_profit_minor", "member"], name="insight_profit_year"),
        ]


class ProfitReport(OfDay):
    """Profit, costs, types and budgets of all members as of the end of a shop day. Shape: insight/queries/profit.py."""

    class Meta:
        db_table = "insight_profit_report"
        constraints = [models.UniqueConstraint(fields=["merchant", "day"], name="insight_profit_report_day")]


class MouthPolicy(models.Model):
    """What a shop assumes about word of mouth; null: the trade's assumption stands in (engine.insight.word_of_mouth)."""

    merchant = models.OneToOneField(Merchant, primary_key=True, on_delete=models.PROTECT)
    anyway_permille = models.IntegerField(null=True, help_text="Of friends brought, who would have come anyway.")
    hear = models.IntegerField(null=True, help_text="People who hear of it from one satisfied member.")
    want = models.IntegerField(null=True, help_text="Of these, who would like to buy.")
    buy = models.IntegerField(null=True, help_text="Of these, who buy.")
    stated_at = models.DateTimeField()
    actor = models.CharField(max_length=80)

    class Meta:
        db_table = "insight_mouth_policy"
