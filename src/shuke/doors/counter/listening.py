"""Complaints at the counter: written down while the member stands there, and settled."""

from __future__ import annotations

from typing import Any

from django.http import HttpResponse
from django.utils.translation import gettext as _

from shuke.doors.counter.access import CounterRequest, counter
from shuke.doors.counter.deeds import answer, key_of, language
from shuke.doors.counter.views import who_is
from shuke.flows import complaints as flow
from shuke.kit import numbers
from shuke.service import actions
from shuke.service.actions import ComplaintRefused
from shuke.service.queries import complaints_of


@counter(acts=True)
def complaint(request: CounterRequest, pk: int) -> HttpResponse:
    """In the words of whoever listened."""
    who, told = who_is(request, pk), request.POST.get("what", "")
    number = request.POST.get("number", "")[:60]
    try:
        actions.open_complaint(
            merchant=request.merchant, key=key_of(request, "complaint"), member_id=who.pk, what=told, channel="counter",
            order_number=number, now=request.now, actor=request.staff.username,
        )  # fmt: skip
    except ComplaintRefused as refused:
        return answer(request, who, refused.say(language()), done=False, complained={"what": told, "number": number})
    return answer(request, who, _("Written down. It stays open until somebody settles it."), done=True)


@counter(acts=True)
def settle(request: CounterRequest, pk: int) -> HttpResponse:
    """Settled, with how; what the charter gives for it is said, so that it can be handed over at once."""
    who = who_is(request, pk)
    wanted = numbers.whole(request.POST.get("complaint", "")) or 0
    own: dict[int, Any] = {one.pk: one for one in complaints_of(request.merchant, who.pk, limit=1000)}
    note = request.POST.get("note", "")
    try:
        if wanted not in own:
            raise ComplaintRefused("no_such_complaint", complaint=wanted)
        done = flow.settle(
            merchant=request.merchant, complaint_id=wanted, note=note, now=request.now, actor=request.staff.username
        )
    except ComplaintRefused as refused:
        return answer(request, who, refused.say(language()), done=False)
    return answer(request, who, _("Settled.") + " " + done.say(language()), done=True)
