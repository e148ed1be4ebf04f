"""Where sessions are kept: rows of the shop that know whose they are, so that they can be listed and ended.

A session lasts twelve hours from signing in, and ends earlier when nobody used it for three. The row is read with every
page anyway; ending one is deleting its row.
"""

from __future__ import annotations

from datetime import datetime, timedelta
from typing import Any

from django.conf import settings
from django.contrib.auth import SESSION_KEY
from django.contrib.sessions.backends.db import SessionStore as Rows
from django.utils import timezone

from shuke.shops.models import Session, Staff


class SessionStore(Rows):
    """Django's rows of sessions, with the person, the device and the idle limit."""

    row: Session | None = None

    @classmethod
    def get_model_class(cls) -> type[Session]:
        return Session

    def _get_session_from_db(self) -> Any:
        row = super()._get_session_from_db()  # type: ignore[misc]
        if row is not None and row.staff_id and row.seen_at < timezone.now() - timedelta(seconds=settings.SESSION_IDLE):
            self._session_key = None
            row = None
        self.row = row
        return row

    def create_model_instance(self, data: dict[str, Any]) -> Session:
        now = timezone.now()
        staff_id = int(data[SESSION_KEY]) if SESSION_KEY in data else None
        begun = datetime.fromisoformat(data[Session.BEGUN]) if Session.BEGUN in data else now
        longest = begun + timedelta(seconds=settings.SESSION_COOKIE_AGE)
        return Session(
            session_key=self._get_or_create_session_key(),  # type: ignore[attr-defined]
            session_data=self.encode(data),
            expire_date=min(self.get_expiry_date(), longest),
            staff_id=staff_id,
            merchant_id=staff_id and Staff.objects.filter(pk=staff_id).values_list("merchant_id", flat=True).first(),
            begun_at=begun,
            seen_at=now,
            address=data.get(Session.ADDRESS, "")[:45],
            agent=data.get(Session.AGENT, "")[:300],
        )
