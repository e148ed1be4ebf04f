"""What the shop says of its goods that no order tells: needs, what lasts, what cannot be had now."""

from __future__ import annotations

from collections.abc import Mapping
from urllib.parse import urlencode

from django.contrib import messages
from django.core.exceptions import PermissionDenied
from django.http import HttpResponse
from django.shortcuts import redirect, render
from django.urls import reverse
from django.utils.translation import ngettext
from django.views.decorators.http import require_http_methods

from shuke.doors.console.access import StaffRequest, console
from shuke.insight import actions
from shuke.insight.queries import goods_marks
from shuke.shops import queries as shops

MAY_MARK = "members"  # owner, managers, specialists


@console()
@require_http_methods(["GET", "POST"])
def marks(request: StaffRequest) -> HttpResponse:
    """A page of products with what is said of them; sending it keeps what was changed."""
    if not shops.may(request.staff, "insight"):
        raise PermissionDenied
    may_mark = shops.may(request.staff, MAY_MARK)
    asked = request.POST if request.method == "POST" else request.GET
    text, only = asked.get("q", "").strip()[:60], asked.get("only") == "1"
    number = asked.get("page", "1")
    page = min(max(int(number), 1), 10_000) if number.isascii() and number.isdigit() and len(number) < 7 else 1
    rows, more = goods_marks.products(request.merchant, text, only_marked=only, page=page)
    if request.method == "POST":
        if not may_mark:
            raise PermissionDenied
        changed = [mark for place, row in enumerate(rows) if (mark := _changed(request.POST, place, row)) is not None]
        if changed:
            actions.mark_goods(merchant=request.merchant, marks=changed, now=request.now, actor=request.staff.username)
        said = ngettext(
            "%(n)s product was marked. What cannot be had is not suggested from now on; needs count from tonight on.",
            "%(n)s products were marked. What cannot be had is not suggested from now on; needs count from tonight on.",
            len(changed),
        )
        messages.success(request, said % {"n": len(changed)})
        kept = [("q", text), ("only", "1" if only else ""), ("page", str(page) if page > 1 else "")]
        again = urlencode([(name, value) for name, value in kept if value])
        return redirect(reverse("console:insight-goods-marks") + (f"?{again}" if again else ""))
    context = {
        "tab": "goods", "rows": list(enumerate(rows)), "more": more, "page": page, "q": text, "only": only, "may_mark": may_mark,
        "needs": goods_marks.needs(request.merchant),
    }  # fmt: skip
    return render(request, "console/insight_goods_marks.html", context)


def _changed(typed: Mapping[str, str], place: int, row: goods_marks.Marked) -> actions.Mark | None:
    """What the row of this product says otherwise than before; the row names its product, so that a list that moved marks nothing else."""
    if typed.get(f"code-{place}") != row.code:
        return None
    need = typed.get(f"need-{place}", row.need).strip()[:60]
    durable = typed.get(f"durable-{place}", row.durable)
    gone = typed.get(f"gone-{place}") == "1"
    if durable not in ("", "yes", "no") or (need, durable, gone) == (row.need, row.durable, row.out_of_stock):
        return None
    return actions.Mark(row.code, need, durable, gone)
