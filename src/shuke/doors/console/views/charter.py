"""The charter as the member handbook: what the published document says, in sentences, always true."""

from __future__ import annotations

from django.http import Http404, HttpResponse
from django.shortcuts import render

from shuke.doors.console import board, tiers, words
from shuke.doors.console.access import StaffRequest, console
from shuke.doors.console.views import handbook
from shuke.engine.charter import describe, document
from shuke.loyalty.queries import charters
from shuke.shops import queries as shops


@console()
def charter(request: StaffRequest) -> HttpResponse:
    """The version in force, or with ?version=N another one: an old event stays explained by the version of its time."""
    history = charters.history(request.merchant)
    may_edit = shops.may(request.staff, "charter")
    if not history:
        return render(request, "console/charter_empty.html", {"may_edit": may_edit})
    in_force = next((one for one in history if one.effective_from <= request.now), None)
    asked = request.GET.get("version", "")
    if asked:
        shown = next((one for one in history if str(one.version) == asked), None)
        if shown is None:
            raise Http404
    else:
        shown = in_force or history[0]
    text = document.published(shown.document)
    language = "zh" if words.language().startswith("zh") else "en"
    ladder = [
        {
            "key": tier.key,
            "name": getattr(tier.name, language),
            "shade": tiers.shade(rank, len(text.tiers)),
            "times": tier.multiplier,
            "lowest": tier.reach is None,
            "url": board.members_url(tier=tier.key),
            "benefits": [getattr(benefit, language) for benefit in tier.benefits],
        }
        for rank, tier in enumerate(text.tiers)
    ]
    context = {
        "charter": text,
        "title": getattr(text.name, language),
        "ladder": ladder,
        "sections": describe.describe(text, language),
        "shown": shown,
        "in_force": in_force,
        "history": history,
        "may_edit": may_edit,
        "drafts": len(charters.drafts(request.merchant)) if may_edit else 0,
        "has_budgets": shops.may(request.staff, "insight") and any(rule.budget for rule in text.earning),
        "now": request.now,
        "handbook": handbook.address_of(request.merchant),
    }
    return render(request, "console/charter.html", context)
