"""Tables of the seller."""

from __future__ import annotations

from zoneinfo import ZoneInfo

from django.contrib.auth.models import AbstractBaseUser, BaseUserManager
from django.db import models

from shuke.kit import ids


class Merchant(models.Model):
    """One business. Its zone decides what a day is, its currency what a minor unit is."""

    id = models.BigIntegerField(primary_key=True, default=ids.new, editable=False)
    name = models.CharField(max_length=100)
    zone = models.CharField(max_length=50, default="Asia/Shanghai")
    currency = models.CharField(max_length=3, default="CNY")
    # Seconds added to the real time: the demo lives at the end of its recorded history. 0 for every real shop.
    clock_shift = models.BigIntegerField(default=0)
    margin_permille = models.PositiveIntegerField(default=300, help_text="Assumed gross margin until costs are known.")
    next_card = models.BigIntegerField(default=1)
    created_at = models.DateTimeField()

    class Meta:
        db_table = "shops_merchant"

    def __str__(self) -> str:
        return self.name

    @property
    def tz(self) -> ZoneInfo:
        return ZoneInfo(self.zone)


class Store(models.Model):
    """A place of sale: a street shop, or a shop on a platform."""

    id = models.BigIntegerField(primary_key=True, default=ids.new, editable=False)
    merchant = models.ForeignKey(Merchant, on_delete=models.PROTECT, db_index=False)
    platform = models.CharField(
        max_length=20, default="pos", help_text="taobao, jd, youzan, … or pos for a street shop."
    )
    code = models.CharField(max_length=60, help_text="The shop's name or number as its files state it.")
    name = models.CharField(max_length=100)

    class Meta:
        db_table = "shops_store"
        constraints = [models.UniqueConstraint(fields=["merchant", "platform", "code"], name="shops_store_code")]

    def __str__(self) -> str:
        return self.name


class Role(models.TextChoices):
    OWNER = "owner"
    MANAGER = "manager"  # store manager
    SPECIALIST = "specialist"  # member specialist
    ASSISTANT = "assistant"  # counter and chat
    AUDITOR = "auditor"  # reads everything, changes nothing


class Staff(AbstractBaseUser):
    """Somebody who signs in to the console."""

    id = models.BigIntegerField(primary_key=True, default=ids.new, editable=False)
    merchant = models.ForeignKey(Merchant, on_delete=models.PROTECT, db_index=False)
    username = models.CharField(max_length=60, unique=True)
    name = models.CharField(max_length=60, blank=True)
    role = models.CharField(max_length=12, choices=Role.choices, default=Role.ASSISTANT)
    store = models.ForeignKey(Store, null=True, blank=True, on_delete=models.SET_NULL, db_index=False)
    is_active = models.BooleanField(default=True)

    USERNAME_FIELD = "username"

    objects = BaseUserManager()  # signing in asks it for the person by name

    class Meta:
        db_table = "shops_staff"
        constraints = [models.UniqueConstraint(fields=["merchant", "username"], name="shops_staff_username")]

    def __str__(self) -> str:
        return self.name or self.username


class ApiToken(models.Model):
    """Lets other software in, for one merchant. Kept as a hash: the token itself is shown once, when it is made."""

    id = models.BigIntegerField(primary_key=True, default=ids.new, editable=False)
    merchant = models.ForeignKey(Merchant, on_delete=models.PROTECT, db_index=False)
    name = models.CharField(max_length=60, help_text="Whose it is: the till, the web shop.")
    shown = models.CharField(max_length=12, help_text="Its first letters, to tell tokens apart.")
    digest = models.BinaryField(max_length=32)
    may_write = models.BooleanField(default=False)
    may_decide = models.BooleanField(
        default=False,
        db_default=False,
        help_text="What the office decides: charters, draws, code lists, who may have what.",
    )
    made_at = models.DateTimeField()
    revoked_at = models.DateTimeField(null=True)

    class Meta:
        db_table = "shops_api_token"
        constraints = [models.UniqueConstraint(fields=["merchant", "digest"], name="shops_api_token_digest")]

    def __str__(self) -> str:
        return self.name
