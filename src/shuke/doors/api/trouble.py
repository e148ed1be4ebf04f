"""When the database cannot: the disk is full, it does not answer, somebody else holds it for too long.

Nothing was done then, or it was done and only the answer got lost; either way the same request with the same key is right.
"""

from __future__ import annotations

import logging

from django.db import InterfaceError, OperationalError
from django.http import HttpRequest, HttpResponse, JsonResponse

LOG = logging.getLogger(__name__)
RETRY_AFTER = "2"  # seconds
SENTENCES = {
    "disk_full": (
        "The server's disk is full: nothing was booked. Once there is space again, send the same request with the same key.",
        "服务器磁盘已满，本次没有入账。清理空间后，请用同一个 key 重新发送同一请求。",
    ),
    "busy": (
        "The database is busy with others: nothing was booked. Send the same request with the same key in a moment.",
        "数据库正忙，本次没有入账。请稍后用同一个 key 重新发送同一请求。",
    ),
    "no_database": (
        "The database does not answer. Send the same request with the same key in a moment: it is done once, even if it "
        "was done already.",
        "数据库没有响应。请稍后用同一个 key 重新发送同一请求：即使已经入账，也只会入账一次。",
    ),
}


def code_of(error: Exception) -> str:
    text, cause = str(error).lower(), error.__cause__
    state = getattr(cause, "sqlstate", None)
    if state == "53100" or "disk is full" in text or "no space left" in text:
        return "disk_full"
    # Waited too long for a lock, or was chosen to give way.
    if state in ("40001", "40P01", "55P03") or "is locked" in text:
        return "busy"
    return "no_database"


def answer(request: HttpRequest, error: OperationalError | InterfaceError) -> HttpResponse:
    code = code_of(error)
    LOG.error("%s %s: %s", request.method, request.path, code, exc_info=error)
    told = SENTENCES[code][request.headers.get("Accept-Language", "").lower().startswith("zh")]
    status, headers = (507, {}) if code == "disk_full" else (503, {"Retry-After": RETRY_AFTER})
    return JsonResponse({"error": told, "code": code}, status=status, headers=headers)
