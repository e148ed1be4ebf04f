"""What a request is answered that cannot be done: `{"error": sentence, "code": code}`, in the caller's language.

A route that answers refusals of its own room says so itself; what every route can meet is here.
"""

from __future__ import annotations

import logging
from collections.abc import Callable, Iterable
from functools import wraps
from typing import Any

from django.core.exceptions import RequestDataTooBig
from django.db import DataError, InterfaceError, OperationalError
from django.http import HttpRequest, HttpResponse, JsonResponse
from django.urls import URLPattern, URLResolver
from django.views.decorators.csrf import csrf_exempt
from ninja import NinjaAPI
from ninja.errors import AuthenticationError, HttpError, ValidationError

from shuke.doors.api import (
    charter_drafts,
    charters,
    coalition,
    complaints,
    deeds,
    partner_cards,
    referral,
    stored,
    till,
    trouble,
)
from shuke.doors.api.reading import check_address
from shuke.doors.api.simulations import NoSimulation
from shuke.doors.api.speaking import language
from shuke.doors.api.tokens import Forbidden, OfficeOnly
from shuke.engine.checkout.document import BasketInvalid
from shuke.engine.draws import DrawInvalid
from shuke.engine.insight.port import EngineFailed, EngineStopped
from shuke.flows.checkout import CheckoutRefused
from shuke.flows.join import PhoneKnown
from shuke.flows.simulate_charter import TooFar
from shuke.insight.queries.figures import NoFigures
from shuke.kit import misread
from shuke.kit.refusal import Refusal
from shuke.kit.strict_json import NotRead
from shuke.loyalty.actions import CharterRefused, CorrectionRefused, FamilyRefused, KeyReused, NotAsked
from shuke.loyalty.actions.coalition import CoalitionRefused
from shuke.loyalty.actions.coupons import CouponRefused
from shuke.loyalty.actions.draws import DrawRefused
from shuke.loyalty.actions.gifts import GiftWrong
from shuke.loyalty.actions.partner_cards import CardRefused
from shuke.loyalty.actions.referral import ReferralRefused
from shuke.loyalty.actions.stored import StoredRefused
from shuke.loyalty.queries import NoCharter
from shuke.members.actions import CardRefused as LostCardRefused
from shuke.members.actions import IdentityTaken
from shuke.members.queries import NoSuchMember
from shuke.orders.actions import OrderRefused
from shuke.service.actions import ComplaintRefused

LOG = logging.getLogger(__name__)
MOST_PLACES = 20
ROOMS: tuple[tuple[type[Exception], Callable[[str], int]], ...] = (
    (KeyReused, lambda code: 422),
    (NotAsked, lambda code: 422),
    (CheckoutRefused, till.status_of),
    (CouponRefused, till.status_of),
    (ReferralRefused, referral.status_of),
    (CoalitionRefused, coalition.status_of),
    (CardRefused, partner_cards.status_of),
    (ComplaintRefused, complaints.status_of),
    (OrderRefused, lambda code: 422),
    (CharterRefused, charters.status_of),
    (charter_drafts.DraftRefused, lambda code: 422 if code == "charter_invalid" else deeds.status_of(code)),
    (NoSimulation, lambda code: 404),
    (TooFar, lambda code: 422),
    (BasketInvalid, lambda code: 400),
    (NoFigures, lambda code: 409),
    (StoredRefused, stored.status_of),
    (FamilyRefused, deeds.status_of),
    (CorrectionRefused, deeds.status_of),
    (DrawRefused, deeds.status_of),
    (LostCardRefused, deeds.status_of),
    (IdentityTaken, deeds.status_of),
    (PhoneKnown, deeds.status_of),
    # What is wrong in itself, whatever the books hold; and what a room says that nobody named here.
    (GiftWrong, lambda code: 404 if code == "no_such_gift" else 422),
    (DrawInvalid, lambda code: 422),
    (Refusal, lambda code: 404 if code.startswith("no_such") else 422),
)
CHINESE = {
    "no_such_member": "没有卡号或编号为 {asked} 的会员，请核对卡号，或按手机尾号、姓名查找。",
    "no_charter": "尚未发布会员章程，请先在后台发布。",
    "read_only": "令牌“{name}”只能读取。请用 `shuke tokens make 名称 --write` 新建可写的令牌。",
    "office_only": "令牌“{name}”不能代办公室决定。请用 `shuke tokens make 名称 --office` 新建。",
    "no_token": "请求头 Authorization 缺少有效的令牌：Bearer 加令牌。用 `shuke tokens make 名称` 新建。",
    "too_far": "其中有数字、文字或时刻超出账册所能容纳的范围，未作任何更改。",
    "too_big": "请求正文超过本服务器的上限，请分几次发送。",
    "too_long": "计算时间过长，已中止。请缩短天数，或改用更粗的粒度（季度、年）。",
    "engine": "分析引擎没有给出结果，请稍后重试；若反复出现，请让管理员运行 `shuke doctor`。引擎说：{why}",
    "no_such_method": "{path} 不支持 {method}，可用：{allowed}。",
}
NO_TOKEN = (
    "The header Authorization has no token in force: Bearer and the token. Make one with `shuke tokens make NAME`."
)
TOO_LONG = ("too_long", "This takes too long and was stopped. Ask for fewer days, or a coarser grain (quarter, year).")
TOO_FAR = "A number, a text or a moment here is larger than the books can hold. Nothing was changed."
TOO_BIG = "The body of the request is larger than this server takes. Send it in several parts."
NO_SUCH_METHOD = "{path} does not know {method}. It knows {allowed}."


def answer_refusals(api: NinjaAPI) -> None:
    """Whatever a route raises that the caller can do something about is answered with a sentence and a code."""

    def say(request: HttpRequest, status: int, code: str, error: object, **figures: object) -> HttpResponse:
        told = CHINESE[code].format(**figures) if language(request) == "zh" and code in CHINESE else str(error)
        return api.create_response(request, {"error": told, "code": code}, status=status)

    @api.exception_handler(ValidationError)
    def not_understood(request: HttpRequest, error: ValidationError) -> HttpResponse:
        # Before its first field the place of an error names the body and what the route calls it.
        found = [{**one, "loc": one["loc"][2:] or one["loc"][1:]} for one in error.errors[:MOST_PLACES]]
        return say(request, 400, "not_understood", misread.sentence(found, language(request)))

    @api.exception_handler(HttpError)
    def refused(request: HttpRequest, error: HttpError) -> HttpResponse:
        if isinstance(error.__cause__, NotRead):
            return not_read(request, error.__cause__)
        return say(request, error.status_code, "refused", error)

    @api.exception_handler(RequestDataTooBig)
    def too_big(request: HttpRequest, error: RequestDataTooBig) -> HttpResponse:
        return say(request, 413, "too_big", TOO_BIG)

    @api.exception_handler(AuthenticationError)
    def nobody_known(request: HttpRequest, error: AuthenticationError) -> HttpResponse:
        return say(request, 401, "no_token", NO_TOKEN)

    @api.exception_handler(Forbidden)
    def forbidden(request: HttpRequest, error: Forbidden) -> HttpResponse:
        return say(request, 403, "read_only", error, name=error.name)

    @api.exception_handler(OfficeOnly)
    def office_only(request: HttpRequest, error: OfficeOnly) -> HttpResponse:
        return say(request, 403, "office_only", error, name=error.name)

    @api.exception_handler(NoSuchMember)
    def nobody(request: HttpRequest, error: NoSuchMember) -> HttpResponse:
        return say(request, 404, "no_such_member", error, asked=error.asked)

    @api.exception_handler(NoCharter)
    def no_charter(request: HttpRequest, error: NoCharter) -> HttpResponse:
        return say(request, 409, "no_charter", error)

    @api.exception_handler(EngineFailed)
    def no_analysis(request: HttpRequest, error: EngineFailed) -> HttpResponse:
        return say(request, 503, *TOO_LONG if isinstance(error, EngineStopped) else ("engine", error), why=error)

    @api.exception_handler(OperationalError)
    @api.exception_handler(InterfaceError)
    def in_trouble(request: HttpRequest, error: OperationalError | InterfaceError) -> HttpResponse:
        return trouble.answer(request, error)

    @api.exception_handler(OverflowError)
    @api.exception_handler(DataError)
    def too_far(request: HttpRequest, error: OverflowError | DataError) -> HttpResponse:
        LOG.error("%s %s: too far", request.method, request.path, exc_info=error)
        return say(request, 400, "too_far", TOO_FAR)

    for kind, status_of in ROOMS:
        api.add_exception_handler(kind, _refused_by(api, status_of))


@csrf_exempt
def no_such_path(request: HttpRequest, rest: str) -> HttpResponse:
    """An address of the API that there is not: a program is told so in its own way, not by a page."""
    told = f"没有这个地址：{request.path}。" if language(request) == "zh" else f"There is no {request.path}."
    return JsonResponse({"error": told, "code": "no_such_path"}, status=404)


def guard(patterns: Iterable[URLPattern | URLResolver]) -> None:
    """An address with a word that is no text is refused before any route; a path asked in a way it does not know is told
    so in JSON too."""
    for pattern in patterns:
        if isinstance(pattern, URLPattern):
            pattern.callback = _guarded(pattern.callback)


def _guarded(view: Callable[..., HttpResponse]) -> Callable[..., HttpResponse]:
    @wraps(view)
    def told(request: HttpRequest, *args: Any, **values: Any) -> HttpResponse:
        try:
            check_address(request, values.values())
        except NotRead as error:
            return not_read(request, error)
        answer = view(request, *args, **values)
        if answer.status_code != 405:
            return answer
        figures = {
            "path": request.path,
            "method": request.method,
            "allowed": ", ".join(sorted(answer["Allow"].split(", "))),
        }
        said = CHINESE["no_such_method"] if language(request) == "zh" else NO_SUCH_METHOD
        body = {"error": said.format(**figures), "code": "no_such_method"}
        return JsonResponse(body, status=405, headers={"Allow": figures["allowed"]})

    return told


def not_read(request: HttpRequest, error: NotRead) -> HttpResponse:
    return JsonResponse({"error": error.say(language(request)), "code": error.code}, status=400)


def _refused_by(api: NinjaAPI, status_of: Callable[[str], int]) -> Callable[[HttpRequest, Any], HttpResponse]:
    def answer(request: HttpRequest, error: Any) -> HttpResponse:
        told = {"error": error.say(language(request)), "code": error.code}
        return api.create_response(request, told, status=status_of(error.code))

    return answer
