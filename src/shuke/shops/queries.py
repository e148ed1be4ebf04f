"""Reads about the seller: which merchant, what time it is there, which stores, who may do what."""

from __future__ import annotations

import hashlib
from datetime import date, datetime, timedelta
from functools import lru_cache

from shuke.kit import clock, instances, numbers
from shuke.kit.models import AuditLine
from shuke.shops.models import ApiToken, FactorAsked, Merchant, Post, RecoveryCode, Role, Session, Staff, Store

TOKEN_MARK = "shuke_"  # so that a token found in a log or a repository is known for what it is


class NoMerchant(LookupError):
    """Nothing has been set up yet, or nobody is called that."""


class SeveralMerchants(LookupError):
    """More than one merchant lives here, so one has to be named."""


# What each role may do beyond looking at members with their contact data masked.
ALLOWED: dict[str, frozenset[str]] = {
    Role.OWNER: frozenset(
        {"import", "export", "reveal", "record", "adjust", "members", "charter", "staff", "audit", "insight", "close"}
    ),
    Role.MANAGER: frozenset({"import", "export", "reveal", "record", "adjust", "members", "insight"}),
    Role.SPECIALIST: frozenset({"import", "export", "reveal", "record", "members", "insight"}),
    Role.ASSISTANT: frozenset({"record"}),
    Role.AUDITOR: frozenset({"audit", "insight"}),
}


def may(staff: Staff, what: str) -> bool:
    """Whether this person's role allows it. Unknown permissions are a mistake of ours, not a no."""
    assert any(what in allowed for allowed in ALLOWED.values()), f"no role knows the permission {what!r}"
    return staff.is_active and what in ALLOWED.get(staff.role, frozenset())


def now(merchant: Merchant) -> datetime:
    """The merchant's time: the real one, shifted for demos that live in recorded history."""
    return clock.utc_now() + timedelta(seconds=merchant.clock_shift)


def today(merchant: Merchant) -> date:
    """The merchant's calendar day, in its own zone."""
    return clock.day_of(now(merchant), merchant.tz)


def merchants() -> list[Merchant]:
    return list(Merchant.objects.order_by("id"))


def sole_merchant() -> Merchant:
    """The only merchant; doors that were not told which one ask for it."""
    found = list(Merchant.objects.order_by("id")[:2])
    if not found:
        raise NoMerchant("No shop has been set up here yet. Run `shuke init` (or `shuke demo` to look around).")
    if len(found) > 1:
        names = "”, “".join(Merchant.objects.order_by("id").values_list("name", flat=True))
        raise SeveralMerchants(f"Several merchants live here: “{names}”. Say which one with --merchant NAME.")
    return found[0]


def merchant_by_name(name: str) -> Merchant:
    """By name or id, exactly."""
    found = Merchant.objects.filter(name=name).order_by("id").first()
    if found is None and name.isdecimal():
        found = Merchant.objects.filter(pk=int(name)).first()
    if found is None:
        names = "”, “".join(Merchant.objects.order_by("id").values_list("name", flat=True))
        known = f" There are: “{names}”." if names else " None has been set up yet: run `shuke init`."
        raise NoMerchant(f"No merchant is called “{name}”.{known}")
    return found


def stores(merchant: Merchant) -> list[Store]:
    return list(Store.objects.filter(merchant=merchant).order_by("platform", "code"))


def stores_by_code(merchant: Merchant) -> dict[tuple[str, str], Store]:
    """All stores by (platform, code)."""
    return {(s.platform, s.code): s for s in instances.read(Store, "WHERE merchant_id = %s", [merchant.pk])}


def staff(merchant: Merchant) -> list[Staff]:
    """Everybody with an account, owners first, closed ones last."""
    found = Staff.objects.filter(merchant=merchant).select_related("store")
    return sorted(found, key=lambda one: (not one.is_active, Role.values.index(one.role), one.username))


def posts(staff: Staff) -> list[Store]:
    """The stores somebody works at; none means all."""
    found = Post.objects.filter(merchant_id=staff.merchant_id, staff_id=staff.pk).select_related("store")
    return sorted((post.store for post in found), key=lambda store: (store.platform, store.code))


def posts_of_all(merchant: Merchant) -> dict[int, list[Store]]:
    """The same of everybody, by account."""
    found: dict[int, list[Store]] = {}
    for post in (
        Post.objects.filter(merchant=merchant).select_related("store").order_by("store__platform", "store__code")
    ):
        found.setdefault(post.staff_id, []).append(post.store)
    return found


def sessions(staff: Staff, at: datetime) -> list[Session]:
    """Where somebody is signed in at this (real) moment, latest first."""
    return list(
        Session.objects.filter(merchant_id=staff.merchant_id, staff_id=staff.pk, expire_date__gt=at).order_by(
            "-seen_at"
        )
    )


def account_history(merchant: Merchant, staff: Staff, count: int = 30) -> list[AuditLine]:
    """What was done with an account and when its owner signed in, newest first."""
    found = AuditLine.objects.filter(merchant_id=merchant.pk, object=f"staff {staff.pk}", verb__startswith="staff.")
    return list(found.order_by("-at", "-id")[:count])


def deciders(merchant: Merchant) -> list[Staff]:
    """Who may agree to what needs a second person."""
    return [person for person in staff(merchant) if may(person, "adjust")]


def person_behind(merchant: Merchant, actor: str) -> str:
    """The user name of whoever answers for an actor: the person a token belongs to, else the actor as it is."""
    kind, _sign, number = actor.partition(":")
    if kind != "token" or not number.isdecimal():
        return actor
    token = ApiToken.objects.filter(merchant=merchant, pk=numbers.whole(number) or 0).select_related("staff").first()
    return token.staff.username if token is not None and token.staff is not None else actor


def staff_by_username(merchant: Merchant, username: str) -> Staff | None:
    return Staff.objects.filter(merchant=merchant, username=username).first()


def token_digest(text: str) -> bytes:
    """What is kept of a token. Plain SHA-256 is enough: a token has 256 random bits, nobody can try them."""
    return hashlib.sha256(text.encode()).digest()


def token_of(text: str) -> ApiToken | None:
    """The token in force that this text is, with its merchant."""
    merchant, _, secret = text.removeprefix(TOKEN_MARK).partition("_")
    if not text.startswith(TOKEN_MARK) or not secret or len(text) > 120:
        return None
    try:
        merchant_id = int(merchant, 16)
    except ValueError:
        return None
    if not 0 < merchant_id < 1 << 63:
        return None
    found = instances.read_joined(
        {"t": ApiToken, "m": Merchant},
        "FROM shops_api_token t JOIN shops_merchant m ON m.id = t.merchant_id "
        "WHERE t.merchant_id = %s AND t.digest = %s AND t.revoked_at IS NULL",
        [merchant_id, token_digest(text)],
    )
    for token, merchant in found:
        token.merchant = merchant
        return token
    return None


def factor_asked_of(staff: Staff, asked: str | None = None) -> bool:
    """Whether the shop wants a second factor of them; `asked`: whether it would, were that its rule."""
    asked = asked or staff.merchant.factor_asked
    return asked == FactorAsked.ALL or (asked == FactorAsked.OFFICE and staff.role != Role.ASSISTANT)


def recovery_codes_left(staff: Staff) -> int:
    return RecoveryCode.objects.filter(merchant_id=staff.merchant_id, staff=staff, used_at__isnull=True).count()


def tokens(merchant: Merchant) -> list[ApiToken]:
    return list(ApiToken.objects.filter(merchant=merchant).select_related("staff").order_by("id"))


@lru_cache(maxsize=1000)
def token_name(number: str) -> str:
    """What a token was called when it was made; "" if there is none. A name never changes."""
    return ApiToken.objects.filter(pk=numbers.whole(number) or 0).values_list("name", flat=True).first() or ""
