"""Nobody is found: whoever stands there becomes a member, by a phone and, if they like, a name."""

from __future__ import annotations

import re
from typing import Any

from django.contrib import messages
from django.http import HttpResponse
from django.shortcuts import redirect, render
from django.utils.translation import gettext as _

from shuke.doors.counter.access import CounterRequest, counter
from shuke.flows.join import IdentityTaken, PhoneKnown, Said, join
from shuke.members.actions import BadContact, BadProfile


def starts_with(text: str) -> dict[str, str]:
    """What was looked for, in the field it belongs to."""
    digits = re.sub(r"[\s\-]", "", text)
    is_number = digits.lstrip("+").isdecimal()
    return {"phone": digits if is_number and len(digits) > 6 else "", "name": "" if is_number else text}


@counter(acts=True)
def new(request: CounterRequest) -> HttpResponse:
    """Pressed twice it is one member: the phone is known by then, and whoever has it is opened."""
    told = {name: request.POST.get(name, "").strip()[:60] for name in ("phone", "name")}
    profile: dict[str, Any] = {"name": told["name"]} if told["name"] else {}
    if request.staff.store:
        profile["home_store"] = request.staff.store.pk
    if not told["phone"]:
        return _again(request, told, _("Write the phone: the member is found by it next time."))
    try:
        who = join(
            merchant=request.merchant, said=Said(profile=profile, phones=[told["phone"]]), source="counter", now=request.now,
            actor=request.staff.username,
        ).member  # fmt: skip
    except PhoneKnown as there:
        messages.info(request, _("This phone is known already. This is who has it."))
        return redirect("counter:member", there.holders[0].pk)
    except BadContact:
        said = _("A phone needs its whole number, an e-mail looks like name@example.org; neither may have stars.")
        return _again(request, told, said)
    except (BadProfile, IdentityTaken) as error:
        return _again(request, told, str(error))
    messages.success(request, _("Welcome: card %(card)s.") % {"card": who.card})
    return redirect("counter:member", who.pk)


def _again(request: CounterRequest, told: dict[str, str], said: str) -> HttpResponse:
    context = {"text": told["phone"] or told["name"], "starts": told, "may_act": True, "said": said}
    return render(request, "counter/home.html", context, status=422)
