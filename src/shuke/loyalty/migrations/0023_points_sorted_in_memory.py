from django.db import migrations


class Migration(migrations.Migration):
    # The lists that this index sorted are sorted in memory (insight/queries/crowd.py).
    dependencies = [("loyalty", "0022_charter_requests")]

    operations = [migrations.RemoveIndex(model_name="wallet", name="loyalty_wallet_balance")]
