"""A lucky draw as everybody may see it: odds, promise, tickets under pseudonyms, and once it is over the seed."""

from __future__ import annotations

from django.core.paginator import Paginator
from django.http import Http404, HttpRequest, HttpResponse, JsonResponse
from django.shortcuts import render
from django.views.decorators.http import require_GET

from shuke.engine import draws as engine
from shuke.loyalty.models import Draw
from shuke.loyalty.queries import draws as stored
from shuke.shops import queries as shops

TICKETS = 100


@require_GET
def draw(request: HttpRequest, name: str) -> HttpResponse:
    row = _found(name)
    terms = engine.read_terms(row.terms)
    prizes = [
        {
            "name": p.name,
            "odds": p.odds,
            "share": float(p.odds),
            "stock": p.stock,
            "gone": dict(terms.prize(p.when_gone).name) if p.when_gone else None,  # type: ignore[union-attr]
            "given": row.given.get(p.key, 0),
        }
        for p in terms.prizes
    ]
    names = {p.key: p.name for p in terms.prizes}
    page = Paginator(stored.tickets(row), TICKETS).get_page(request.GET.get("page"))
    context = {
        "draw": row,
        "merchant": row.merchant,
        "prizes": prizes,
        "ways": row.terms["ways"],
        "limits": row.terms.get("limits") or {},
        "page": page,
        "tickets": [{"row": t, "drew": names.get(t.drew), "won": names.get(t.won)} for t in page],
        "open": stored.is_open(row, shops.now(row.merchant)),
        "name": name,
    }
    return render(request, "public/draw.html", context)


@require_GET
def draw_file(request: HttpRequest, name: str) -> HttpResponse:
    """The file `shuke draws verify` reads."""
    row = _found(name)
    response = JsonResponse(stored.file(row), json_dumps_params={"ensure_ascii": False, "indent": 1})
    response["Content-Disposition"] = f'attachment; filename="draw-{row.code}.json"'
    return response


def _found(name: str) -> Draw:
    row = stored.by_public_name(name)
    if row is None:
        raise Http404("No such draw.")
    return row
