"""The member handbook: a public page per shop and its PDF, from the charter in force. No sign-in, no cookie, cacheable."""

from __future__ import annotations

import hashlib
from functools import lru_cache

from django.http import Http404, HttpRequest, HttpResponse, HttpResponseNotModified
from django.template.loader import render_to_string
from django.urls import reverse
from django.utils import translation
from django.views.decorators.http import require_safe

from shuke import __version__
from shuke.connect.exporters import handbook_pdf
from shuke.doors.console.access import public
from shuke.engine.charter import document
from shuke.engine.charter.terms import Terms
from shuke.engine.handbook import Handbook, handbook
from shuke.kit import clock
from shuke.loyalty.models import PublishedCharter
from shuke.loyalty.queries import charters
from shuke.shops import queries as shops
from shuke.shops.models import Merchant

FRESH = 600  # seconds a copy may be shown: a new version is public ten minutes after it begins at the latest


@public
@require_safe
def page(request: HttpRequest, shop: str) -> HttpResponse:
    """The handbook as a web page; ?lang=zh|en, ?version=N for an earlier or a coming one."""
    merchant, row, coming = _asked(request, shop)
    language = _language(request)
    mark = _mark(merchant, row, language, coming)
    if request.headers.get("If-None-Match") == mark:
        return _cacheable(HttpResponseNotModified(), mark)
    book = _book(merchant.pk, merchant.name, merchant.zone, row.version, row.effective_from.isoformat(), language)
    here = reverse("console:handbook", args=[shop])
    context = {
        "book": book,
        "tables": {t.key: t for t in book.tables},
        "coming": coming,
        "coming_day": clock.day_of(coming.effective_from, merchant.tz) if coming else None,
        "pdf": f"{reverse('console:handbook-pdf', args=[shop])}?lang={language}&version={row.version}",
        "other": f"{here}?lang={'en' if language == 'zh' else 'zh'}&version={row.version}",
        "here": here,
        "language": language,
    }
    with translation.override("zh-hans" if language == "zh" else "en"):
        html = render_to_string("console/handbook.html", context)  # without the request: nothing of a visitor gets in
    return _cacheable(HttpResponse(html), mark)


@public
@require_safe
def pdf(request: HttpRequest, shop: str) -> HttpResponse:
    """The same as a PDF."""
    merchant, row, _coming = _asked(request, shop)
    language = _language(request)
    mark = _mark(merchant, row, language, None)
    if request.headers.get("If-None-Match") == mark:
        return _cacheable(HttpResponseNotModified(), mark)
    data = _pdf(merchant.pk, merchant.name, merchant.zone, row.version, row.effective_from.isoformat(), language)
    response = HttpResponse(data, content_type="application/pdf")
    response["Content-Disposition"] = f'inline; filename="handbook-v{row.version}-{language}.pdf"'
    return _cacheable(response, mark)


def address_of(merchant: Merchant) -> str:
    """The public address of a merchant's handbook."""
    return reverse("console:handbook", args=[f"{merchant.pk:x}"])


def _asked(request: HttpRequest, shop: str) -> tuple[Merchant, PublishedCharter, PublishedCharter | None]:
    """The merchant, the version asked for (default: in force), and one that is coming."""
    try:
        number = int(shop, 16)
    except ValueError:
        raise Http404 from None
    merchant = Merchant.objects.filter(pk=number).first() if 0 < number < 1 << 63 else None
    history = charters.history(merchant) if merchant is not None else []
    if merchant is None or not history:
        raise Http404
    now = shops.now(merchant)
    in_force = next((v for v in history if v.effective_from <= now), history[-1])
    asked = request.GET.get("version", "")
    shown = next((v for v in history if str(v.version) == asked), None) if asked else in_force
    if shown is None:
        raise Http404
    coming = next((v for v in reversed(history) if v.effective_from > now), None)
    return merchant, shown, coming if coming is not None and coming.version != shown.version else None


def _language(request: HttpRequest) -> str:
    asked = request.GET.get("lang", "")
    if asked in ("zh", "en"):
        return asked
    return "zh" if translation.get_language_from_request(request).startswith("zh") else "en"


def _mark(merchant: Merchant, row: PublishedCharter, language: str, coming: PublishedCharter | None) -> str:
    told = f"{__version__}|{merchant.pk}|{merchant.name}|{row.pk}|{language}|{coming.pk if coming else ''}"
    return f'"{hashlib.sha256(told.encode()).hexdigest()[:24]}"'


def _cacheable(response: HttpResponse, mark: str) -> HttpResponse:
    response["ETag"] = mark
    response["Cache-Control"] = f"public, max-age={FRESH}"
    return response


@lru_cache(maxsize=64)
def _book(merchant: int, name: str, zone: str, version: int, since: str, language: str) -> Handbook:
    """Made once per version and language; `since` tells a withdrawn version from one that took its number."""
    row = PublishedCharter.objects.select_related("merchant").get(merchant_id=merchant, version=version)
    tz = row.merchant.tz
    terms = Terms(document.published(row.document), tz, row.version)
    return handbook(terms, language=language, shop=name, since=clock.day_of(row.effective_from, tz))


@lru_cache(maxsize=32)
def _pdf(merchant: int, name: str, zone: str, version: int, since: str, language: str) -> bytes:
    return handbook_pdf.pdf(_book(merchant, name, zone, version, since, language))
