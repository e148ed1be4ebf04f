"""Refund documents keep which lines came back.

What was told of documents before is all that is known of them: a sub-order is a line; of others each line comes back pro
rata, and the explanation of their points says so. Where that shares points between refunds otherwise than before, the books
of the buyers wait for the next settlement, as when goods change their category.
"""

from django.db import migrations, models

WAIT = """
UPDATE orders_product SET reclassified = %s WHERE id IN (SELECT l.product_id FROM orders_line l WHERE l.order_id IN (
  SELECT order_id FROM orders_refund WHERE done AND order_id IS NOT NULL GROUP BY order_id
  HAVING COUNT(*) > 1 OR MAX(CASE WHEN sub_number <> '' OR named <> '' THEN 1 ELSE 0 END) = 1))
"""


def let_books_wait(apps, schema_editor):
    with schema_editor.connection.cursor() as cursor:
        cursor.execute(WAIT, [True])


class Migration(migrations.Migration):
    dependencies = [("orders", "0004_stated_refund_at")]

    operations = [
        migrations.AddField(
            model_name="refund",
            name="lines",
            field=models.JSONField(
                null=True,
                help_text="What came back, as told: [sub-order, place from 1, goods, thousandths, minor units] of each.",
            ),
        ),
        migrations.AlterField(
            model_name="refund",
            name="sub_number",
            field=models.CharField(blank=True, max_length=60, help_text="The line that came back, by the platform."),
        ),
        migrations.RunPython(let_books_wait, migrations.RunPython.noop, elidable=True),
    ]
