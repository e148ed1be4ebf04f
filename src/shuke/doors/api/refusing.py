"""What a request is answered that cannot be done: `{"error": sentence, "code": code}`, in the caller's language.

A route that answers refusals of its own room says so itself; what every route can meet is here.
"""

from __future__ import annotations

from collections.abc import Callable
from typing import Any

from django.db import InterfaceError, OperationalError
from django.http import HttpRequest, HttpResponse, JsonResponse
from django.views.decorators.csrf import csrf_exempt
from ninja import NinjaAPI
from ninja.errors import AuthenticationError, HttpError, ValidationError

from shuke.doors.api import coalition, partner_cards, referral, till, trouble
from shuke.doors.api.speaking import language
from shuke.doors.api.tokens import Forbidden
from shuke.engine.checkout.document import BasketInvalid
from shuke.engine.insight.port import EngineFailed, EngineStopped
from shuke.flows.checkout import CheckoutRefused
from shuke.insight.queries.figures import NoFigures
from shuke.kit.refusal import Refusal
from shuke.loyalty.actions import KeyReused
from shuke.loyalty.actions.coalition import CoalitionRefused
from shuke.loyalty.actions.coupons import CouponRefused
from shuke.loyalty.actions.partner_cards import CardRefused
from shuke.loyalty.actions.referral import ReferralRefused
from shuke.loyalty.queries import NoCharter
from shuke.members.queries import NoSuchMember
from shuke.orders.actions import OrderRefused

MOST_PLACES = 20
ROOMS: tuple[tuple[type[Refusal], Callable[[str], int]], ...] = (
    (KeyReused, lambda code: 422),
    (CheckoutRefused, till.status_of),
    (CouponRefused, till.status_of),
    (ReferralRefused, referral.status_of),
    (CoalitionRefused, coalition.status_of),
    (CardRefused, partner_cards.status_of),
    (OrderRefused, lambda code: 422),
)
CHINESE = {
    "no_such_member": "没有卡号或编号为 {asked} 的会员，请核对卡号，或按手机尾号、姓名查找。",
    "no_charter": "尚未发布会员章程，请先在后台发布。",
    "read_only": "令牌“{name}”只能读取。请用 `shuke tokens make 名称 --write` 新建可写的令牌。",
    "no_token": "请求头 Authorization 缺少有效的令牌：Bearer 加令牌。用 `shuke tokens make 名称` 新建。",
    "not_json": "请求正文不是有效的 JSON（UTF-8）。",
}
NO_TOKEN = (
    "The header Authorization has no token in force: Bearer and the token. Make one with `shuke tokens make NAME`."
)
NOT_JSON = "The body of the request is no valid JSON (UTF-8)."
# What a field may be wrong in, in Chinese; pydantic says it in English. What is not here is told in its words.
FIELDS = {
    "missing": "缺少此项",
    "extra_forbidden": "不认识此项",
    "int_type": "应为整数",
    "int_parsing": "应为整数",
    "int_from_float": "应为整数",
    "float_type": "应为数字",
    "float_parsing": "应为数字",
    "decimal_parsing": "应为数字",
    "decimal_type": "应为数字",
    "decimal_max_places": "最多 {decimal_places} 位小数",
    "bool_type": "应为 true 或 false",
    "bool_parsing": "应为 true 或 false",
    "string_type": "应为文本",
    "list_type": "应为列表",
    "dict_type": "应为对象",
    "model_attributes_type": "应为对象",
    "model_type": "应为对象",
    "greater_than": "应大于 {gt}",
    "greater_than_equal": "应不小于 {ge}",
    "less_than": "应小于 {lt}",
    "less_than_equal": "应不大于 {le}",
    "string_too_long": "最多 {max_length} 个字符",
    "string_too_short": "至少 {min_length} 个字符",
    "too_long": "最多 {max_length} 项",
    "too_short": "至少 {min_length} 项",
    "string_pattern_mismatch": "应符合 {pattern}",
    "literal_error": "应为 {expected}",
    "datetime_parsing": "应为时刻，如 2026-05-20T10:00:00+08:00",
    "datetime_from_date_parsing": "应为时刻，如 2026-05-20T10:00:00+08:00",
    "timezone_aware": "应带时区，如 2026-05-20T10:00:00+08:00",
    "date_parsing": "应为日期，如 2026-05-20",
    "date_from_datetime_parsing": "应为日期，如 2026-05-20",
    "date_type": "应为日期，如 2026-05-20",
}


def place_of(error: dict[str, Any], spoken: str) -> str:
    """One field and what is wrong with it."""
    told = error["msg"]
    if spoken == "zh" and error["type"] in FIELDS:
        told = FIELDS[error["type"]].format(**error.get("ctx", {}))
    return f"{'.'.join(str(part) for part in error['loc'][2:] or error['loc'][1:])}: {told}"


def answer_refusals(api: NinjaAPI) -> None:
    """Whatever a route raises that the caller can do something about is answered with a sentence and a code."""

    def say(request: HttpRequest, status: int, code: str, error: object, **figures: object) -> HttpResponse:
        told = CHINESE[code].format(**figures) if language(request) == "zh" and code in CHINESE else str(error)
        return api.create_response(request, {"error": told, "code": code}, status=status)

    @api.exception_handler(ValidationError)
    def not_understood(request: HttpRequest, error: ValidationError) -> HttpResponse:
        places = [place_of(one, language(request)) for one in error.errors[:MOST_PLACES]]
        return say(request, 400, "not_understood", ("；" if language(request) == "zh" else "; ").join(places))

    @api.exception_handler(HttpError)
    def not_json(request: HttpRequest, error: HttpError) -> HttpResponse:
        if error.status_code == 400:
            return say(request, 400, "not_json", NOT_JSON)
        return say(request, error.status_code, "refused", error)

    @api.exception_handler(AuthenticationError)
    def nobody_known(request: HttpRequest, error: AuthenticationError) -> HttpResponse:
        return say(request, 401, "no_token", NO_TOKEN)

    @api.exception_handler(Forbidden)
    def forbidden(request: HttpRequest, error: Forbidden) -> HttpResponse:
        return say(request, 403, "read_only", error, name=error.name)

    @api.exception_handler(NoSuchMember)
    def nobody(request: HttpRequest, error: NoSuchMember) -> HttpResponse:
        return say(request, 404, "no_such_member", error, asked=error.asked)

    @api.exception_handler(NoCharter)
    def no_charter(request: HttpRequest, error: NoCharter) -> HttpResponse:
        return say(request, 409, "no_charter", error)

    @api.exception_handler(NoFigures)
    def no_figures(request: HttpRequest, error: NoFigures) -> HttpResponse:
        return say(request, 409, "no_figures", error)

    @api.exception_handler(EngineFailed)
    def no_analysis(request: HttpRequest, error: EngineFailed) -> HttpResponse:
        return say(request, 503, "too_long" if isinstance(error, EngineStopped) else "engine", error)

    @api.exception_handler(BasketInvalid)
    def no_basket(request: HttpRequest, error: BasketInvalid) -> HttpResponse:
        return say(request, 400, error.code, error)

    @api.exception_handler(OperationalError)
    @api.exception_handler(InterfaceError)
    def in_trouble(request: HttpRequest, error: OperationalError | InterfaceError) -> HttpResponse:
        return trouble.answer(request, error)

    for kind, status_of in ROOMS:
        api.add_exception_handler(kind, _refused_by(api, status_of))


@csrf_exempt
def no_such_path(request: HttpRequest, rest: str) -> HttpResponse:
    """An address of the API that there is not: a program is told so in its own way, not by a page."""
    told = f"没有这个地址：{request.path}。" if language(request) == "zh" else f"There is no {request.path}."
    return JsonResponse({"error": told, "code": "no_such_path"}, status=404)


def _refused_by(api: NinjaAPI, status_of: Callable[[str], int]) -> Callable[[HttpRequest, Any], HttpResponse]:
    def answer(request: HttpRequest, error: Refusal) -> HttpResponse:
        told = {"error": error.say(language(request)), "code": error.code}
        return api.create_response(request, told, status=status_of(error.code))

    return answer
