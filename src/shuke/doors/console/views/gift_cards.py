"""Gift cards in the console: made, printed, sold, looked up, renewed, void."""

from __future__ import annotations

from datetime import date, timedelta

from django.contrib import messages
from django.http import Http404, HttpResponse, StreamingHttpResponse
from django.http.response import HttpResponseBase
from django.shortcuts import redirect, render
from django.utils.safestring import SafeString
from django.utils.translation import gettext as _
from django.views.decorators.http import require_GET, require_http_methods, require_POST

from shuke.doors.console.access import StaffRequest, console
from shuke.doors.console.views.stored import amount, attempt, language, needs, way, where_on
from shuke.engine import tenders
from shuke.engine.stored import naming
from shuke.flows import stored as flow
from shuke.kit import ids, money, symbols
from shuke.kit.clock import day_start
from shuke.loyalty.actions import stored
from shuke.loyalty.actions.stored import StoredRefused
from shuke.loyalty.models import GiftCardBatch
from shuke.loyalty.queries import stored as books
from shuke.loyalty.queries.stored.cards import purses_of_card
from shuke.loyalty.queries.stored.views import lines_of
from shuke.shops import queries as shops

PRINTED, PER_SHEET = 480, 24


@console()
@require_http_methods(["GET", "POST"])
@where_on
def cards(request: StaffRequest) -> HttpResponse:
    """All batches; a new one is ordered here and made by a worker."""
    if request.method == "POST":
        needs(request, "members")

        def order() -> str:
            price = request.POST.get("price", "").strip()
            count = request.POST.get("count", "")
            ordered = flow.order_cards(
                merchant=request.merchant,
                count=int(count) if count.isdecimal() and len(count) < 9 else 0,
                value=amount(request, "value"),
                price=money.parse(price, request.merchant.currency) if price else None,
                label=request.POST.get("label", "").strip(),
                now=request.now,
                actor=request.staff.username,
            )
            return _("%(count)s cards are being made.") % {"count": f"{ordered.batch.count:,}"}

        attempt(request, order)
        return redirect("console:stored-cards")
    context = {
        "batches": [
            {"seen": one, **{state: one.states.get(state, 0) for state in ("made", "active", "redeemed", "void")}}
            for one in books.batches(request.merchant)
        ],
        "terms": books.terms_of(request.merchant, request.now),
        "ways": [(code, way(code)) for code in tenders.TAKEN],
        "key": f"console:{ids.new()}",
        "may_edit": shops.may(request.staff, "members"),
        "may_export": shops.may(request.staff, "export"),
        "may_record": shops.may(request.staff, "record"),
    }
    return render(request, "console/gift_cards.html", context)


@console()
@require_POST
@where_on
def sell(request: StaffRequest, batch_id: int) -> HttpResponse:
    """Cards of a batch were paid for, by their printed numbers."""
    needs(request, "record")
    batch = _batch(request, batch_id)

    def deed() -> str:
        told = [request.POST.get(name, "") for name in ("first", "last")]
        first, last = (int(n) if n.isdecimal() and len(n) < 9 else 0 for n in (told[0], told[1] or told[0]))
        chosen = books.cards_of_batch(request.merchant, batch.pk, first, last)
        answers = stored.sell_cards(
            merchant=request.merchant,
            cards=[one.pk for one in chosen],
            key=request.POST.get("key", "")[:160],
            paid_by=request.POST.get("paid_by", "")[:20],
            now=request.now,
            actor=request.staff.username,
        )
        total = money.show(sum(a.figures["amount"] for a in answers), request.merchant.currency)
        return _("%(count)s cards sold for %(total)s.") % {"count": len(answers), "total": total}

    attempt(request, deed)
    return redirect("console:stored-cards")


@console()
@require_GET
@where_on
def find(request: StaffRequest) -> HttpResponse:
    """A card by its code or printed number. Wrong codes of one person are counted, as everybody's are."""
    told = request.GET.get("q", "").strip()[:60]
    caller = [f"staff:{request.staff.pk}"]
    found = flow.card_named(merchant=request.merchant, told=told) if "/" in told else None
    if found is None and told:
        try:
            found = flow.find_card(merchant=request.merchant, code=told, callers=caller, now=request.now)
        except StoredRefused as refused:
            messages.warning(request, refused.say(language()))
    if found is None:
        return redirect("console:stored-cards")
    return redirect("console:stored-card", found.pk)


@console()
@require_http_methods(["GET", "POST"])
@where_on
def card(request: StaffRequest, pk: int) -> HttpResponse:
    """One card: what is on it and what happened; renewed or made void."""
    found = books.card_of(request.merchant, pk)
    if found is None:
        raise Http404
    if request.method == "POST":
        needs(request, "members")
        attempt(request, lambda: _renew(request, pk) if request.POST.get("do") == "renew" else _void(request, pk))
        return redirect("console:stored-card", pk)
    seen = books.seen(request.merchant, found, request.now)
    tone, state = states()[seen.state]
    context = {
        "card": found,
        "seen": seen,
        "tone": tone,
        "state": state,
        "lines": [
            {"row": x, "what": _("Sold") if x.kind == "top_up" else naming.kind(x.kind, language())}
            for x in lines_of(request.merchant, purses_of_card(request.merchant, pk))
        ],
        "until": found.expires_at - timedelta(minutes=1) if found.expires_at else None,
        "may_edit": shops.may(request.staff, "members"),
    }
    return render(request, "console/gift_card.html", context)


def _renew(request: StaffRequest, pk: int) -> str:
    try:
        day = date.fromisoformat(request.POST.get("day", ""))
    except ValueError:
        raise StoredRefused("not_later") from None
    until = day_start(day + timedelta(days=1), request.merchant.tz)
    stored.renew_card(merchant=request.merchant, card_id=pk, until=until, now=request.now, actor=request.staff.username)
    return _("The card can be used to the end of %(day)s.") % {"day": day}


def _void(request: StaffRequest, pk: int) -> str:
    gone = stored.void_card(
        merchant=request.merchant,
        card_id=pk,
        reason=request.POST.get("reason", ""),
        paid_out=bool(request.POST.get("paid_out")),
        now=request.now,
        actor=request.staff.username,
    )
    return _("The card is void; %(amount)s were on it.") % {"amount": money.show(gone, request.merchant.currency)}


@console()
@require_GET
@where_on
def export(request: StaffRequest, batch_id: int) -> HttpResponseBase:
    """All codes of a batch as a file; the audit log says who took them."""
    needs(request, "export")
    batch = _batch(request, batch_id)
    lines = flow.export_cards(
        merchant=request.merchant, batch_id=batch.pk, now=request.now, actor=request.staff.username
    )
    name = f"gift-cards-{batch.pk}.csv"
    return StreamingHttpResponse(
        lines, content_type="text/csv; charset=utf-8", headers={"Content-Disposition": f'attachment; filename="{name}"'}
    )


@console()
@require_GET
@where_on
def sheet(request: StaffRequest, batch_id: int) -> HttpResponse:
    """Cards to print and cut, with a QR each; `from` says which of a large batch."""
    needs(request, "export")
    batch = _batch(request, batch_id)
    start = request.GET.get("from", "0")
    first = min(int(start), batch.made) if start.isdecimal() and len(start) < 12 else 0
    count = min(PRINTED, batch.made - first)
    told = flow.printed(
        merchant=request.merchant, batch=batch, first=first, count=count, now=request.now, actor=request.staff.username
    )
    slips = [{"number": n, "code": code, "qr": SafeString(symbols.qr_svg(code))} for n, code in told]
    context = {
        "batch": batch,
        "sheets": [slips[i : i + PER_SHEET] for i in range(0, len(slips), PER_SHEET)],
        "count": count,
        "more": first + count if first + count < batch.made else 0,
    }
    return render(request, "console/gift_card_sheet.html", context)


def states() -> dict[str, tuple[str, str]]:
    return {
        "made": ("plain", _("for sale")),
        "active": ("good", _("sold")),
        "expired": ("warn", _("ran out")),
        "redeemed": ("plain", _("redeemed")),
        "void": ("bad", _("void")),
    }


def _batch(request: StaffRequest, batch_id: int) -> GiftCardBatch:
    found = books.batch(request.merchant, batch_id)
    if found is None:
        raise Http404
    return found
