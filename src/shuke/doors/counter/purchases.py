"""A purchase of which only the amount is told: for shops that type no goods. What was paid is booked as it stands, no price is made."""

from __future__ import annotations

from django.http import HttpResponse
from django.utils.translation import gettext as _

from shuke.doors.counter import till, till_form
from shuke.doors.counter.access import CounterRequest, counter
from shuke.doors.counter.deeds import answer, key_of
from shuke.doors.counter.till_form import NotUnderstood
from shuke.doors.counter.views import who_is
from shuke.flows import selling
from shuke.flows.checkout import CheckoutRefused
from shuke.kit import money
from shuke.loyalty import queries as loyalty


@counter(acts=True)
def purchase(request: CounterRequest, pk: int) -> HttpResponse:
    """One touch after the amount: booked, and what it earned is said."""
    who, posted = who_is(request, pk), request.POST
    key, paid_by = key_of(request, "purchase"), till_form.way(request)
    filled = {name: posted.get(name, "").strip()[:60] for name in ("amount", "number", "store")}
    try:
        made, document = till_form.whole(request, filled["amount"], till_form.store_of(request, filled["store"]))
        sold = selling.hold_and_sell(
            merchant=request.merchant, key=key, basket=made, told=document, member_id=who.pk, expect_due=None, callers=[],
            store=made.store, number=filled["number"], paid_by=paid_by, with_lines=False, staff=request.staff.username,
            ask_twice=not posted.get("again"), now=request.now, actor=request.staff.username,
        )  # fmt: skip
    except (NotUnderstood, CheckoutRefused, loyalty.NoCharter) as error:
        twice = isinstance(error, CheckoutRefused) and error.code == "sold_just_now"
        return answer(request, who, till.sentence(error), done=False, bought=filled | {"twice": twice})
    request.session[till.PAID_BY] = paid_by or "cash"
    return answer(request, who, till.say_sold(request, sold), done=True, sold=key if sold.booked else "")


@counter(acts=True)
def back(request: CounterRequest, pk: int) -> HttpResponse:
    """The purchase just booked was none: all of it comes back."""
    who, key = who_is(request, pk), request.POST.get("basket", "")[:160]
    try:
        told = selling.take_back(
            merchant=request.merchant, key=key, return_key=f"{key}:back", quantities=None, now=request.now,
            actor=request.staff.username,
        ).back  # fmt: skip
    except CheckoutRefused as error:
        return answer(request, who, till.sentence(error), done=False)
    due = money.show(told["in_all"]["due_minor"], request.merchant.currency)
    return answer(request, who, _("Taken back: give %(due)s of money back.") % {"due": due}, done=True)
