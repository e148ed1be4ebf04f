"""The page a member's link leads to: who invites, what both get, and a short form to join. No sign-in, no script needed.

Nobody learns here who is a member: a phone that is known gets the same answer as one that is not. Joining is braked per
network address, wrong codes like codes of coupons.
"""

from __future__ import annotations

import hashlib
import hmac
import secrets
from datetime import timedelta

from django.conf import settings
from django.core import signing
from django.http import Http404, HttpRequest, HttpResponse
from django.shortcuts import render
from django.urls import reverse
from django.utils.translation import gettext as _
from django.views.decorators.cache import never_cache
from django.views.decorators.http import require_http_methods

from shuke.doors.console import words
from shuke.doors.console.access import public
from shuke.engine.charter.referring import reward_words
from shuke.engine.charter.sentences_en import English
from shuke.engine.charter.sentences_zh import Chinese
from shuke.engine.charter.terms import Terms
from shuke.flows import referral as flow
from shuke.flows.join_by_link import BadVisitor, join_by_link
from shuke.kit import audit, clock
from shuke.kit.models import AuditLine
from shuke.loyalty.actions import referral
from shuke.loyalty.actions.referral import ReferralRefused
from shuke.loyalty.models import ReferralCode
from shuke.loyalty.queries import referral as stored
from shuke.shops import queries as shops
from shuke.shops.models import Merchant

COOKIE, SALT = "shuke_visit", "shuke.referral.visit"
WINDOW, PER_ADDRESS = timedelta(minutes=15), 20
VERB = "referral.link_joined"


@public
@never_cache
@require_http_methods(["GET", "POST"])
def invite(request: HttpRequest, shop: str, code: str) -> HttpResponse:
    """Show the invitation; with POST, join."""
    merchant = _merchant(shop)
    now = shops.now(merchant)
    address = request.META.get("REMOTE_ADDR", "")
    try:
        found = flow.find_code(merchant=merchant, told=code, callers=[f"link:{address}"], now=now)
        terms = stored.part_in_force(merchant, now)
        if terms is None:
            raise ReferralRefused("off")
    except ReferralRefused as refused:
        status = 429 if refused.code == "try_later" else 404
        says = refused.say(words.language()) if refused.code == "try_later" else ""
        return render(request, "console/invite_gone.html", {"shop_name": merchant.name, "says": says}, status=status)
    device = _device(request)
    if request.method == "POST":
        return _join(request, merchant, found, terms, device, address)
    if _visited(request) != found.code:
        referral.count_visit(merchant=merchant, code_id=found.pk)
    return _page(request, merchant, found, terms, device)


def _join(
    request: HttpRequest, merchant: Merchant, code: ReferralCode, terms: Terms, device: str, address: str
) -> HttpResponse:
    told = {"name": request.POST.get("name", "")[:60], "phone": request.POST.get("phone", "")[:30]}
    part = terms.charter.referral
    assert part is not None
    try:
        opened = signing.loads(request.POST.get("visit", ""), salt=SALT, max_age=timedelta(days=part.link_days or 1))
    except signing.BadSignature:
        opened = None
    if opened != code.code:
        wrong = _("This page was open for too long. Look at it again, then join.")
        return _page(request, merchant, code, terms, device, told, wrong, 422)
    if request.POST.get("agree") != "1":
        return _page(request, merchant, code, terms, device, told, _("Please agree to become a member."), 422)
    real = clock.utc_now()
    lately = AuditLine.objects.filter(merchant_id=merchant.pk, verb=VERB, address=address, at__gt=real - WINDOW)
    if lately.count() >= PER_ADDRESS:
        wrong = _("Many people have joined from here just now. Try again in a quarter of an hour, or join in the shop.")
        return _page(request, merchant, code, terms, device, told, wrong, 429)
    try:
        made = join_by_link(
            merchant=merchant,
            code=code,
            name=told["name"],
            phone=told["phone"],
            device=_hashed(merchant, device),
            now=shops.now(merchant),
        )
    except BadVisitor as bad:
        wrong = {
            "name": _("Fill in your name."),
            "phone": _("A phone number has 11 digits; from abroad, begin with +."),
        }[bad.field]
        return _page(request, merchant, code, terms, device, told, wrong, 422)
    audit.record(
        merchant_id=merchant.pk, at=real, actor="link", verb=VERB, object=f"referral code {code.pk}", address=address,
        detail={"new": made is not None},
    )  # fmt: skip
    return _keep(render(request, "console/invite_done.html", {"shop_name": merchant.name}), code, device)


def _page(
    request: HttpRequest, merchant: Merchant, code: ReferralCode, terms: Terms, device: str,
    told: dict[str, str] | None = None, wrong: str = "", status: int = 200,
) -> HttpResponse:  # fmt: skip
    charter = terms.charter
    assert charter.referral is not None
    say = Chinese(charter) if words.language().startswith("zh") else English(charter)
    context = {
        "shop_name": merchant.name,
        "by": masked(code.member.name or code.member.nickname),
        "friend": reward_words(say, charter.referral.friend),
        "least": say.money(charter.referral.min_amount) if charter.referral.min_amount else "",
        "handbook": reverse("console:handbook", args=[f"{merchant.pk:x}"]),
        "visit": signing.dumps(code.code, salt=SALT),
        "told": told or {},
        "wrong": wrong,
    }
    return _keep(render(request, "console/invite.html", context, status=status), code, device)


def masked(name: str) -> str:
    """张**: whoever opens a link knows who sent it; whoever finds one need not."""
    return f"{name[0]}**" if name else ""


def _keep(response: HttpResponse, code: ReferralCode, device: str) -> HttpResponse:
    """The browser remembers which link it opened, and a number of its own; only its keyed hash is kept with a bond."""
    value = signing.dumps([code.code, device], salt=SALT)
    response.set_cookie(
        COOKIE, value, max_age=90 * 86_400, path="/r/", httponly=True, samesite="Lax", secure=settings.HTTPS
    )  # fmt: skip
    return response


def _cookie(request: HttpRequest) -> tuple[str, str]:
    try:
        code, device = signing.loads(request.COOKIES.get(COOKIE, ""), salt=SALT)
    except (signing.BadSignature, ValueError, TypeError):
        return "", ""
    return str(code), str(device)


def _visited(request: HttpRequest) -> str:
    return _cookie(request)[0]


def _device(request: HttpRequest) -> str:
    return _cookie(request)[1] or secrets.token_hex(16)


def _hashed(merchant: Merchant, device: str) -> bytes:
    told = f"{merchant.pk}:{device}".encode()
    return hmac.new(settings.SECRET_KEY.encode(), told, hashlib.sha256).digest()[:16]


def _merchant(shop: str) -> Merchant:
    try:
        number = int(shop, 16)
    except ValueError:
        raise Http404 from None
    found = Merchant.objects.filter(pk=number).first() if 0 < number < 1 << 63 else None
    if found is None:
        raise Http404
    return found
