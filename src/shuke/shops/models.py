"""Tables of the seller."""

from __future__ import annotations

from zoneinfo import ZoneInfo

from django.contrib.auth.models import AbstractBaseUser, BaseUserManager
from django.contrib.sessions.base_session import AbstractBaseSession
from django.db import models

from shuke.kit import ids


class FactorAsked(models.TextChoices):
    """Of whom signing in asks more than a password. Whoever is not asked may have a second factor all the same."""

    NOBODY = "nobody"
    OFFICE = "office"  # everybody but assistants at the counter
    ALL = "all"


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
    factor_asked = models.CharField(
        max_length=8, choices=FactorAsked.choices, default=FactorAsked.NOBODY, db_default=FactorAsked.NOBODY
    )
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
    # Where they stand today, one of the places they work at (Post); none: wherever they are.
    store = models.ForeignKey(Store, null=True, blank=True, on_delete=models.SET_NULL, db_index=False)
    is_active = models.BooleanField(default=True, help_text="No: the account is closed. Its history stays.")
    # A password somebody else made opens one door: choosing one's own, until this moment. Null: the password is their own.
    one_time_until = models.DateTimeField(null=True)
    factor_since = models.DateTimeField(
        null=True, help_text="Since when signing in asks for a code as well; null: the password is enough."
    )
    seen_at = models.DateTimeField(null=True, help_text="By the real clock, to a few minutes.")
    revision = models.PositiveIntegerField(
        default=1, help_text="Grows with every change that others make to the account."
    )

    USERNAME_FIELD = "username"

    objects = BaseUserManager()  # signing in asks it for the person by name

    class Meta:
        db_table = "shops_staff"
        constraints = [models.UniqueConstraint(fields=["merchant", "username"], name="shops_staff_username")]

    def __str__(self) -> str:
        return self.name or self.username


class SecondFactor(models.Model):
    """The secret somebody's phone makes codes from (RFC 6238), sealed: a stolen database signs in nobody."""

    id = models.BigIntegerField(primary_key=True, default=ids.new, editable=False)
    merchant = models.ForeignKey(Merchant, on_delete=models.PROTECT, db_index=False)
    staff = models.ForeignKey(Staff, on_delete=models.CASCADE, db_index=False)
    secret = models.BinaryField(null=True, help_text="In force; null: none was ever confirmed.")
    coming = models.BinaryField(null=True, help_text="Shown to be scanned, not in force before a code of it was typed.")
    key_number = models.PositiveSmallIntegerField(default=1, help_text="Master key both are sealed under.")
    last_step = models.BigIntegerField(default=0, help_text="Half-minute of the last code that was taken: none twice.")

    class Meta:
        db_table = "shops_second_factor"
        constraints = [models.UniqueConstraint(fields=["merchant", "staff"], name="shops_second_factor_staff")]

    def __str__(self) -> str:
        return f"second factor of {self.staff_id}"


class RecoveryCode(models.Model):
    """Signs in once in place of the phone. Kept as a keyed hash; the code itself is shown once, when it is made."""

    id = models.BigIntegerField(primary_key=True, default=ids.new, editable=False)
    merchant = models.ForeignKey(Merchant, on_delete=models.PROTECT, db_index=False)
    staff = models.ForeignKey(Staff, on_delete=models.CASCADE, db_index=False)
    digest = models.BinaryField(max_length=32)
    key_number = models.PositiveSmallIntegerField(default=1)
    used_at = models.DateTimeField(null=True)

    class Meta:
        db_table = "shops_recovery_code"
        indexes = [models.Index(fields=["merchant", "staff"], name="shops_recovery_code_staff")]

    def __str__(self) -> str:
        return f"recovery code of {self.staff_id}"


class Post(models.Model):
    """A store somebody works at. Without any they work in all."""

    id = models.BigIntegerField(primary_key=True, default=ids.new, editable=False)
    merchant = models.ForeignKey(Merchant, on_delete=models.PROTECT, db_index=False)
    staff = models.ForeignKey(Staff, on_delete=models.CASCADE, related_name="posts", db_index=False)
    store = models.ForeignKey(Store, on_delete=models.CASCADE, db_index=False)

    class Meta:
        db_table = "shops_post"
        constraints = [models.UniqueConstraint(fields=["merchant", "staff", "store"], name="shops_post_once")]

    def __str__(self) -> str:
        return self.store.name


class Session(AbstractBaseSession):
    """One browser in which somebody is signed in. Who deletes the row ends it at once. All moments by the real clock."""

    BEGUN, ADDRESS, AGENT = "begun", "address", "agent"  # what signing in writes into a session

    expire_date = models.DateTimeField()
    merchant = models.ForeignKey(Merchant, null=True, on_delete=models.CASCADE, db_index=False)
    staff = models.ForeignKey(Staff, null=True, on_delete=models.CASCADE, db_index=False)
    begun_at = models.DateTimeField()
    seen_at = models.DateTimeField()
    address = models.CharField(max_length=45, blank=True)
    agent = models.CharField(max_length=300, blank=True, help_text="What the browser calls itself.")

    class Meta:
        db_table = "shops_session"
        indexes = [models.Index(fields=["merchant", "staff", "seen_at"], name="shops_session_staff")]


class ApiToken(models.Model):
    """Lets other software in, for one merchant. Kept as a hash: the token itself is shown once, when it is made."""

    id = models.BigIntegerField(primary_key=True, default=ids.new, editable=False)
    merchant = models.ForeignKey(Merchant, on_delete=models.PROTECT, db_index=False)
    name = models.CharField(max_length=60, help_text="Whose it is: the till, the web shop.")
    shown = models.CharField(max_length=12, help_text="Its first letters, to tell tokens apart.")
    digest = models.BinaryField(max_length=32)
    may_write = models.BooleanField(default=False)
    # Who answers for it: it is revoked with their account, and its requests count as theirs where two people must agree.
    staff = models.ForeignKey(Staff, null=True, on_delete=models.PROTECT, db_index=False)
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
