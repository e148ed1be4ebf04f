"""Server-Timing for every answer, a memory for those who only look, a content policy that lets nothing in from elsewhere,
no letter that is none, and a sentence for every refusal."""

import time
from contextlib import nullcontext
from itertools import chain

from django.shortcuts import render
from django.utils.translation import get_language

from shuke.kit import once
from shuke.kit.refusal import Refusal
from shuke.kit.strict_json import NotRead, is_text

POLICY = (
    "default-src 'self'; img-src 'self' data:; style-src 'self'; script-src 'self'; "
    "frame-ancestors 'none'; base-uri 'self'; form-action 'self'"
)


def server_timing_and_csp(get_response):
    def middleware(request):
        start = time.perf_counter()
        with once.looking() if request.method in ("GET", "HEAD") else nullcontext():
            response = get_response(request)
        response["Server-Timing"] = f"app;dur={(time.perf_counter() - start) * 1e3:.2f}"
        response.headers.setdefault("Content-Security-Policy", POLICY)
        return response

    return middleware


class OnlyText:
    """What browsers send is text: U+0000 and halves of surrogate pairs, which PostgreSQL cannot keep, are refused before any view.

    Stands before the session, whose key is a cookie. Programs (views without a CSRF check) read strictly by themselves.
    """

    def __init__(self, get_response):
        self.get_response = get_response

    def __call__(self, request):
        # Nobody's browser got such a cookie from us.
        request.COOKIES = {name: told for name, told in request.COOKIES.items() if is_text(name + told)}
        return self.get_response(request)

    def process_view(self, request, view, _args, kwargs):
        if getattr(view, "csrf_exempt", False):
            return None
        fields = chain(request.GET.lists(), request.POST.lists())
        words = chain(map(str, kwargs.values()), chain.from_iterable((name, *told) for name, told in fields))
        if all(map(is_text, words)):
            return None
        return _refused(request, NotRead("bad_text"), 400)

    def process_exception(self, request, error):
        """What no form of ours asks for, a page need not foresee: a room's refusal is its sentence, not our mistake."""
        return _refused(request, error, 422) if isinstance(error, Refusal) else None


def _refused(request, refusal: Refusal, status: int):
    said = refusal.say(get_language() or "zh")
    return render(request, "400.html", {"said": said, "code": refusal.code}, status=status)
