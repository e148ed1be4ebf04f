"""Members who bring friends: what came of it, cases to look at, the tree, one member's link and friends."""

from __future__ import annotations

from collections.abc import Iterable
from datetime import timedelta
from typing import Any

from django.contrib import messages
from django.core.exceptions import PermissionDenied
from django.http import Http404, HttpResponse
from django.shortcuts import redirect, render
from django.urls import reverse
from django.utils.safestring import SafeString
from django.utils.translation import gettext as _
from django.views.decorators.http import require_GET, require_http_methods, require_POST

from shuke.doors.console import referral_words, words
from shuke.doors.console.access import StaffRequest, console
from shuke.engine.referral import codes
from shuke.engine.referral.tree import Node
from shuke.flows import referral as flow
from shuke.kit import numbers, symbols
from shuke.loyalty.actions import referral
from shuke.loyalty.actions.referral import ReferralRefused
from shuke.loyalty.models import Referral, ReferralCode
from shuke.loyalty.queries import referral as stored
from shuke.loyalty.queries import referral_worth as worth
from shuke.members import queries as members
from shuke.members.models import Member
from shuke.shops import queries as shops
from shuke.shops.models import Role

READERS = (Role.OWNER, Role.MANAGER, Role.SPECIALIST, Role.AUDITOR)
PAGE = 50
DEPTHS = (1, 2, 3, 6, 12)
STATES = [state.value for state in Referral.State]


@console(*READERS)
@require_GET
def overview(request: StaffRequest) -> HttpResponse:
    """What waits for a person, what came in lately, and what all of it was worth beside other newcomers."""
    merchant = request.merchant
    state = request.GET.get("state", "")
    state = state if state in STATES else ""
    page = _page(request)
    review = worth.to_review(merchant)
    rows = worth.listed(merchant, state=state, limit=PAGE + 1, offset=(page - 1) * PAGE)
    months = worth.months(merchant, request.now - timedelta(days=366), request.now + timedelta(seconds=1))
    context = {
        "tab": "referrals",
        "offered": stored.part_in_force(merchant, request.now) is not None,
        "may_charter": shops.may(request.staff, "charter"),
        "review": _shown(request, review),
        "bonds": _shown(request, rows[:PAGE]),
        "state": state,
        "states": [(code, referral_words.state(code)) for code in STATES],
        "page": page,
        "more": len(rows) > PAGE,
        "months": [m for m in reversed(months) if m.brought],
        "branches": worth.branches(merchant, request.now, 10),
        "wall": worth.wall(merchant, 20),
        "may_decide": shops.may(request.staff, "members"),
    }
    return render(request, "console/referrals.html", context)


@console(*READERS)
@require_GET
def case(request: StaffRequest, referral_id: int) -> HttpResponse:
    """One bond with everything that speaks for and against it."""
    row = worth.one(request.merchant, referral_id)
    if row is None:
        raise Http404
    [shown] = _shown(request, [row])
    open_case = not row.decision and row.state != "missed"  # nothing can be given or taken back where there is nothing
    context = {"bond": shown, "row": row, "may_decide": shops.may(request.staff, "members") and open_case}
    return render(request, "console/referral.html", context)


@console(*READERS)
@require_POST
def decide(request: StaffRequest, referral_id: int) -> HttpResponse:
    """Approve or decline, with a reason."""
    if not shops.may(request.staff, "members"):
        raise PermissionDenied
    try:
        row = referral.decide(
            merchant=request.merchant,
            referral_id=referral_id,
            approve=request.POST.get("say") == "approve",
            reason=request.POST.get("reason", ""),
            now=request.now,
            actor=request.staff.username,
        )
    except ReferralRefused as refused:
        if refused.code == "no_such_referral":
            raise Http404 from refused
        messages.warning(request, refused.say(words.language()))
        return redirect("console:reward-referral", referral_id)
    messages.success(request, _("Decided: %(state)s.") % {"state": referral_words.state(row.state)})
    return redirect("console:reward-referrals")


@console(*READERS)
@require_GET
def tree(request: StaffRequest, pk: int) -> HttpResponse:
    """Everybody one member brought, and those they brought, with what each branch is worth."""
    who = _member(request, pk)
    asked = numbers.whole(request.GET.get("depth", "3"))
    depth = asked if asked in DEPTHS else 3
    root = worth.tree_of(request.merchant, who.pk, request.now, depth)
    lines = list(_lines(root))[:500]
    people = Member.objects.filter(merchant=request.merchant).in_bulk([node.member for node in lines])
    context = {
        "who": who,
        "root": root,
        "rows": [{"node": node, "who": people.get(node.member), "step": min(node.depth, 6)} for node in lines],
        "full": len(lines) == 500,
        "depth": depth,
        "depths": DEPTHS,
    }
    return render(request, "console/referral_tree.html", context)


@console()
@require_http_methods(["GET", "POST"])
def of_member(request: StaffRequest, pk: int) -> HttpResponse:
    """A member's link, QR and code to show or print, whom they brought, and who brought them."""
    who = _member(request, pk)
    offered = stored.part_in_force(request.merchant, request.now) is not None
    if request.method == "POST":
        _do(request, who)
        return redirect("console:member-referral", who.pk)
    code = stored.code_in_use(request.merchant, who.pk)
    if code is None and offered:
        code = referral.code_for(merchant=request.merchant, member_id=who.pk, now=request.now)
    friends = worth.friends_of(request.merchant, who.pk)
    bond = stored.bond_of(request.merchant, who.pk)
    context = {
        "who": who,
        "offered": offered,
        **(link(request, code) if code is not None else {}),
        "friends": _shown(request, friends),
        "bond": _shown(request, [bond])[0] if bond is not None else None,
        "gifts": worth.gifts_waiting(request.merchant, who.pk),
        "may_record": shops.may(request.staff, "record"),
        "may_renew": shops.may(request.staff, "members"),
        "may_see_tree": request.staff.role in READERS,
    }
    return render(request, "console/member_referral.html", context)


def link(request: StaffRequest, code: ReferralCode) -> dict[str, Any]:
    """The link as address and QR code. Drawn by us from digits and letters, so it may stand in the page as it is."""
    path = reverse("console:invite", args=[f"{request.merchant.pk:x}", code.code])
    address = request.build_absolute_uri(path)
    return {
        "code": codes.shown(code.code),
        "visits": code.visits,
        "link": address,
        "qr": SafeString(symbols.qr_svg(address)),
    }


def _do(request: StaffRequest, who: Member) -> None:
    what = request.POST.get("do", "")
    if not shops.may(request.staff, "members" if what == "renew" else "record"):
        raise PermissionDenied
    told: dict[str, Any] = {"merchant": request.merchant, "now": request.now, "actor": request.staff.username}
    try:
        if what == "renew":
            referral.renew_code(member_id=who.pk, **told)
            messages.success(request, _("A new code; the old one binds nobody any more."))
        elif what == "bind":
            callers = [f"staff:{request.staff.pk}"]
            flow.bind_by_code(
                newcomer_id=who.pk, told=request.POST.get("code", ""), how="staff", callers=callers, **told
            )
            messages.success(request, _("Noted, for ever."))
        elif what == "gift" and (reward_id := numbers.whole(request.POST.get("reward", ""))) is not None:
            if reward_id not in {gift.pk for gift in worth.gifts_waiting(request.merchant, who.pk)}:
                raise ReferralRefused("no_such_gift")
            referral.hand_gift(reward_id=reward_id, **told)
            messages.success(request, _("Handed over."))
        else:
            raise Http404
    except ReferralRefused as refused:
        messages.warning(request, refused.say(words.language()))


def _shown(request: StaffRequest, rows: Iterable[Referral]) -> list[dict[str, Any]]:
    rows = list(rows)
    rewards = worth.rewards_of(request.merchant, [row.pk for row in rows])
    named = {m for row in rows for s in row.signals for m in s["members"]}
    people = Member.objects.filter(merchant=request.merchant).in_bulk(sorted(named))
    return [referral_words.bond(row, rewards.get(row.pk, []), people) for row in rows]


def _lines(node: Node) -> Iterable[Node]:
    """The tree line by line, without its root."""
    waiting = list(reversed(node.children))
    while waiting:
        one = waiting.pop()
        yield one
        waiting.extend(reversed(one.children))


def _page(request: StaffRequest) -> int:
    asked = request.GET.get("page", "1")
    return max(1, int(asked)) if asked.isascii() and asked.isdigit() and len(asked) < 7 else 1


def _member(request: StaffRequest, pk: int) -> Member:
    try:
        return members.member_for(request.staff, pk)
    except members.NoSuchMember as error:
        raise Http404(str(error)) from error
