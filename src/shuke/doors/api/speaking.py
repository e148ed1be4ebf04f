"""In which language a refusal is told: the caller's, if it is one of ours."""

from __future__ import annotations

from django.http import HttpRequest


def language(request: HttpRequest) -> str:
    return "zh" if request.headers.get("Accept-Language", "").lower().startswith("zh") else "en"
