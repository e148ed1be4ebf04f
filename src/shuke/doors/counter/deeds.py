"""What is done at the counter. Each view is one action; the answer is the panel, with what happened on top of it."""

from __future__ import annotations

from typing import Any

from django.contrib import messages
from django.http import Http404, HttpResponse
from django.shortcuts import redirect, render
from django.utils.translation import get_language, ngettext
from django.utils.translation import gettext as _

from shuke.doors.counter.access import CounterRequest, counter
from shuke.doors.counter.panel import panel
from shuke.doors.counter.views import who_is
from shuke.engine import tenders
from shuke.kit import money, numbers, refusal
from shuke.loyalty import actions as loyalty
from shuke.loyalty.actions import benefits, draws, gifts, stored
from shuke.loyalty.actions.asking import LONGEST_KEY
from shuke.loyalty.actions.asking import REFUSALS as POINTS
from shuke.loyalty.models import BenefitUse, DrawTicket, GiftOrder
from shuke.loyalty.queries import activities
from shuke.loyalty.queries.benefits import doings_of, known
from shuke.loyalty.queries.draws import prize as prize_of
from shuke.members.models import Member
from shuke.members.queries.families import family
from shuke.shops import queries as shops


def answer(request: CounterRequest, who: Member, said: str, *, done: bool, **more: Any) -> HttpResponse:
    if request.htmx:
        context = panel(request, who, said=said, done=done, **more)
        return render(request, "counter/panel.html", context, status=200 if done else 422)
    (messages.success if done else messages.warning)(request, said)
    return redirect("counter:member", who.pk)


def key_of(request: CounterRequest, what: str) -> str:
    """The name of this request: the button's own, so that tapping it twice is one request."""
    token = request.POST.get("token", "")[:40]
    if not token:
        raise Http404("No token.")
    return f"counter:{token}:{what}"[:170]


def language() -> str:
    return get_language() or "zh"


def _local(named: Any) -> str:
    return str((named or {}).get("zh" if language().startswith("zh") else "en", ""))


@counter(acts=True)
def benefit(request: CounterRequest, pk: int) -> HttpResponse:
    """One tap: handed out."""
    who = who_is(request, pk)
    wanted = request.POST.get("benefit", "")[:40]
    told = benefits.hand_out(
        merchant=request.merchant, member_id=who.pk, benefit=wanted, key=key_of(request, wanted), now=request.now,
        actor=request.staff.username, store=request.staff.store, note_text=request.POST.get("note", ""),
    )  # fmt: skip
    if not told.done or told.use is None:
        return answer(request, who, told.say(language()), done=False)
    said = (
        _("The points of %(what)s are there. The thing waits at the top: give it, and press Hand over.")
        if told.use.waits
        else _("Handed out: %(what)s")
    )
    return answer(request, who, said % {"what": _local(told.use.label)}, done=True, undo=told.use)


@counter(acts=True)
def undo(request: CounterRequest, pk: int) -> HttpResponse:
    """Take back what was handed out a moment ago; a manager also later."""
    who = who_is(request, pk)
    row = BenefitUse.objects.filter(
        merchant=request.merchant, pk=_number(request, "use"), member_id__in=family(request.merchant.pk, who.pk)
    ).first()
    if row is None:
        raise Http404
    told = benefits.take_back(
        merchant=request.merchant, use_id=row.pk, now=request.now, actor=request.staff.username,
        late=shops.may(request.staff, "adjust"),
    )  # fmt: skip
    said = _("Taken back: %(what)s") % {"what": _local(row.label)} if told.done else told.say(language())
    return answer(request, who, said, done=told.done)


@counter(acts=True)
def activity(request: CounterRequest, pk: int) -> HttpResponse:
    """The member did something the charter rewards: signed in, answered, came to an evening. What it gave is said, and how the row stands."""
    who = who_is(request, pk)
    what = request.POST.get("activity", "")[:30]
    one = loyalty.Ask(key_of(request, f"did:{what}"), "activity", who.pk, ref=what)
    (told,) = loyalty.ask(merchant=request.merchant, asks=[one], now=request.now, actor=request.staff.username)
    if not told.done:
        return answer(request, who, _refusal(told, ref=what), done=False)
    found = next((one for one in doings_of(known(request.merchant, who.pk, request.now), request.now) if one.activity == what), None)  # fmt: skip
    name = _local(found.names[0].model_dump()) if found and found.names else what
    points, growth = told.figures.get("amount", 0), told.figures.get("growth", 0)
    gave = [_("%(n)s points") % {"n": f"+{points:,}"}] if points else []
    gave += [_("growth value %(n)s") % {"n": f"+{growth:,}"}] if growth else []
    said = f"{name}: " + (", ".join(gave) or _("noted; the charter gives nothing more for it now"))
    if found and found.need:
        row = ngettext("%(n)s day in a row", "%(n)s days in a row", found.days) % {"n": found.days}
        left = found.need - found.days
        more = ngettext("one more day: +%(extra)s", "%(n)s more days: +%(extra)s", left) % {"n": left, "extra": f"{found.extra:,}"}  # fmt: skip
        said += f" · {row} · {more}"
    return answer(request, who, said, done=True, did=next(iter(activities.of_member(request.merchant, who.pk, key=one.key)), None))  # fmt: skip


@counter(acts=True)
def activity_back(request: CounterRequest, pk: int) -> HttpResponse:
    """It was tapped for the wrong member: by whom it was tapped, on the same day; a manager also later."""
    who = who_is(request, pk)
    key = request.POST.get("did", "")[:LONGEST_KEY]
    found = next(iter(activities.of_member(request.merchant, who.pk, key=key)), None) if key else None
    if found is None:
        raise Http404
    told = loyalty.take_back_activity(
        merchant=request.merchant, key=f"undo:{found.pk}", member_id=who.pk, activity=key, now=request.now,
        actor=request.staff.username, late=shops.may(request.staff, "adjust"),
    )  # fmt: skip
    if not told.done:
        return answer(request, who, _refusal(told, ref=key), done=False)
    name = _local(activities.name_of(request.merchant, found.activity, request.now)) or found.activity
    return answer(request, who, _taken_back(name, told.figures), done=True)


def _taken_back(name: str, figures: dict[str, int]) -> str:
    """Said after an activity was taken back."""
    points, growth = figures.get("amount", 0), figures.get("growth", 0)
    gone = [_("%(n)s points") % {"n": f"{-points:+,}"}] if points else []
    gone += [_("growth value %(n)s") % {"n": f"{-growth:+,}"}] if growth else []
    return _("Taken back: %(what)s") % {"what": " · ".join([name, *gone])}


@counter(acts=True)
def points(request: CounterRequest, pk: int) -> HttpResponse:
    """Points off the bill."""
    who = who_is(request, pk)
    amount, key = _number(request, "amount"), key_of(request, "points")
    told = loyalty.ask(
        merchant=request.merchant, asks=[loyalty.Ask(key, "burn", who.pk, amount, reason="counter")], now=request.now,
        actor=request.staff.username,
    )[0]  # fmt: skip
    if not told.done:
        return answer(request, who, _refusal(told), done=False)
    said = _("%(n)s points redeemed, %(left)s are left") % {
        "n": f"{amount:,}",
        "left": f"{told.figures.get('available', 0):,}",
    }
    return answer(request, who, said, done=True, burnt=key, burnt_amount=amount)


@counter(acts=True)
def points_back(request: CounterRequest, pk: int) -> HttpResponse:
    """The points just redeemed come back."""
    who = who_is(request, pk)
    burn, amount = request.POST.get("burn", "")[:170], _number(request, "amount")
    if not burn.startswith("counter:"):
        raise Http404
    told = loyalty.ask(
        merchant=request.merchant, asks=[loyalty.Ask(f"{burn}:back", "return", who.pk, amount, burn)], now=request.now,
        actor=request.staff.username,
    )[0]  # fmt: skip
    said = _("%(n)s points given back") % {"n": f"{amount:,}"} if told.done else _refusal(told)
    return answer(request, who, said, done=told.done)


@counter(acts=True)
def top_up(request: CounterRequest, pk: int) -> HttpResponse:
    """Money for stored value went into the till; the charter's bonus comes with it."""
    who = who_is(request, pk)
    currency, paid_by = request.merchant.currency, request.POST.get("paid_by", "")
    if paid_by not in tenders.TAKEN:
        raise Http404
    try:
        paid = money.parse(request.POST.get("amount", ""), currency)
        one = stored.Ask(key_of(request, "top-up"), "top_up", who.pk, paid, paid_by=paid_by)
        [booked] = stored.ask(merchant=request.merchant, asks=[one], now=request.now, actor=request.staff.username)
        stored.done(one, booked, currency)
    except money.NotMoney:
        return answer(request, who, _("Write an amount of money, such as 100 or 39.90."), done=False)
    except stored.StoredRefused as refused:
        return answer(request, who, refused.say(language()), done=False)
    except stored.KeyReused:
        said = _("This form was sent before with something else. Look at what is there now, then send it again.")
        return answer(request, who, said, done=False)
    told = {name: money.show(n, currency) for name, n in booked.figures.items()}
    said = _("%(principal)s paid in, %(bonus)s added; %(available)s can be used.") % told
    return answer(request, who, said, done=True)


def _refusal(told: loyalty.Answer, ref: str = "") -> str:
    return refusal.sentence(POINTS, told.code, {"ref": ref, **told.figures}, language())


@counter(acts=True)
def gift(request: CounterRequest, pk: int) -> HttpResponse:
    """A gift over the counter: stock and points at once, money into the till."""
    who = who_is(request, pk)
    wanted = request.POST.get("gift", "")[:40]
    told = gifts.order(
        merchant=request.merchant, member_id=who.pk, gift=wanted, key=key_of(request, f"gift:{wanted}"), now=request.now,
        actor=request.staff.username, at_once=True, store=request.staff.store,
    )  # fmt: skip
    if not told.done or told.order is None:
        return answer(request, who, told.say(language()), done=False)
    row = told.order
    said = _("Handed over: %(what)s for %(points)s points") % {"what": _gift(row), "points": f"{row.points:,}"}
    if row.cash_minor:
        said += " " + _("and %(money)s") % {"money": money.show(row.cash_minor, request.merchant.currency)}
    return answer(request, who, said, done=True, gave=row)


@counter(acts=True)
def order(request: CounterRequest, pk: int) -> HttpResponse:
    """What was set aside: handed over, cancelled, or (handed over a moment ago) taken back."""
    who = who_is(request, pk)
    row = GiftOrder.objects.filter(
        merchant=request.merchant, pk=_number(request, "order"), member_id__in=family(request.merchant.pk, who.pk)
    ).first()
    if row is None:
        raise Http404
    same: dict[str, Any] = {
        "merchant": request.merchant,
        "order_id": row.pk,
        "now": request.now,
        "actor": request.staff.username,
    }
    deed = request.POST.get("do", "")
    if deed == "cancel":
        told, said = gifts.cancel(**same), _("Cancelled, points and piece are back: %(what)s")
    elif deed == "back":
        told, said = gifts.give_back(**same, key=f"{row.key}:counter", count=row.count), _("Taken back: %(what)s")
    else:
        told, said = gifts.hand_over(**same, store=request.staff.store), _("Handed over: %(what)s")
    return answer(request, who, said % {"what": _gift(row)} if told.done else told.say(language()), done=told.done)


def _gift(row: GiftOrder) -> str:
    return row.gift.name_zh if language().startswith("zh") else row.gift.name_en


@counter(acts=True)
def draw(request: CounterRequest, pk: int) -> HttpResponse:
    """One ticket, drawn before the member's eyes."""
    who = who_is(request, pk)
    way, wanted = request.POST.get("way", "points"), request.POST.get("draw", "")[:40]
    if way == "given" and not shops.may(request.staff, "adjust"):
        raise Http404
    told = draws.draw_ticket(
        merchant=request.merchant, draw=wanted, member_id=who.pk, key=key_of(request, f"draw:{wanted}:{way}"), way=way,
        word=request.POST.get("word", "").strip(), now=request.now, actor=request.staff.username,
    )  # fmt: skip
    if not told.done or told.ticket is None:
        return answer(request, who, told.say(language()), done=False)
    row = told.ticket
    won = _local(prize_of(row.draw, row.won).get("name")) if row.won else _("nothing this time")
    said = _("Ticket %(n)s: %(won)s") % {"n": row.number, "won": won}
    return answer(request, who, said, done=True, receipt=f"{row.number}:{row.link[:16]}")


@counter(acts=True)
def prize(request: CounterRequest, pk: int) -> HttpResponse:
    """A prize that was won before, or the thing that goes with the points of a plan's step."""
    who = who_is(request, pk)
    if "use" in request.POST:
        return _thing(request, who)
    row = DrawTicket.objects.filter(
        merchant=request.merchant, pk=_number(request, "ticket"), member_id__in=family(request.merchant.pk, who.pk)
    ).first()
    if row is None:
        raise Http404
    told = draws.hand_over_prize(
        merchant=request.merchant,
        ticket_id=row.pk,
        now=request.now,
        actor=request.staff.username,
        store=request.staff.store,
    )
    said = _("Handed over: %(what)s") % {"what": _local(prize_of(row.draw, row.won).get("name"))}
    return answer(request, who, said if told.done else told.say(language()), done=told.done)


def _thing(request: CounterRequest, who: Member) -> HttpResponse:
    row = BenefitUse.objects.filter(
        merchant=request.merchant, pk=_number(request, "use"), member_id__in=family(request.merchant.pk, who.pk)
    ).first()
    if row is None:
        raise Http404
    told = benefits.hand_over(
        merchant=request.merchant,
        use_id=row.pk,
        now=request.now,
        actor=request.staff.username,
        store=request.staff.store,
    )
    said = _("Handed over: %(what)s") % {"what": _local(row.label)}
    return answer(request, who, said if told.done else told.say(language()), done=told.done)


def _number(request: CounterRequest, name: str) -> int:
    return numbers.whole(request.POST.get(name, "").strip().replace(",", "")) or 0
