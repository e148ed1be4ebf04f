"""Charters in the making: begun, saved as often as one likes, discarded. Nothing here counts until it is published."""

from __future__ import annotations

from datetime import datetime

from django.db import transaction

from shuke.loyalty.models import CharterDraft
from shuke.shops.models import Merchant

LONGEST = 1_000_000


class DraftChanged(RuntimeError):
    """Somebody else saved this draft meanwhile. Nothing was overwritten; `draft` is how it stands now."""

    code = "draft_changed"

    def __init__(self, draft: CharterDraft) -> None:
        self.draft = draft
        super().__init__(
            f"{draft.saved_by or 'Somebody'} saved “{draft.title}” at {draft.saved_at:%Y-%m-%d %H:%M} UTC, after you had opened it. "
            "Nothing was overwritten: look at the newer state, then make your change again."
        )


class DraftClosed(RuntimeError):
    """This draft was published or discarded; begin another."""

    code = "draft_closed"

    def __init__(self, sentence: str, draft: CharterDraft) -> None:
        self.draft = draft
        super().__init__(sentence)


def begin_draft(
    *, merchant: Merchant, title: str, text: str, based_on: int | None, now: datetime, actor: str
) -> CharterDraft:
    """A new draft, whatever state its text is in."""
    return CharterDraft.objects.create(
        merchant=merchant,
        title=title.strip()[:100] or "–",
        text=text[:LONGEST],
        based_on=based_on,
        made_at=now,
        made_by=actor[:60],
        saved_at=now,
        saved_by=actor[:60],
    )


def save_draft(
    *,
    merchant: Merchant,
    draft_id: int,
    revision: int,
    text: str,
    title: str | None = None,
    now: datetime,
    actor: str,
) -> CharterDraft:
    """Save what was typed on top of the revision it was typed on. Raises DraftChanged, DraftClosed, LookupError."""
    with transaction.atomic():
        draft = _open(merchant, draft_id, revision)
        changes = {"text": text[:LONGEST], "title": (title or "").strip()[:100] or draft.title}
        if all(getattr(draft, name) == value for name, value in changes.items()):
            return draft
        for name, value in changes.items():
            setattr(draft, name, value)
        draft.revision += 1
        draft.saved_at, draft.saved_by = now, actor[:60]
        draft.save(update_fields=[*changes, "revision", "saved_at", "saved_by"])
        return draft


@transaction.atomic
def discard_draft(*, merchant: Merchant, draft_id: int, revision: int, now: datetime, actor: str) -> CharterDraft:
    draft = _open(merchant, draft_id, revision)
    draft.state, draft.saved_at, draft.saved_by = CharterDraft.State.DISCARDED, now, actor[:60]
    draft.save(update_fields=["state", "saved_at", "saved_by"])
    return draft


def close_draft(
    *, merchant: Merchant, draft_id: int, revision: int, version: int, now: datetime, actor: str
) -> CharterDraft:
    """The draft became a version. Within the transaction of publishing."""
    draft = _open(merchant, draft_id, revision)
    draft.state, draft.version = CharterDraft.State.PUBLISHED, version
    draft.saved_at, draft.saved_by = now, actor[:60]
    draft.save(update_fields=["state", "version", "saved_at", "saved_by"])
    return draft


def _open(merchant: Merchant, draft_id: int, revision: int) -> CharterDraft:
    draft = CharterDraft.objects.select_for_update().filter(merchant=merchant, pk=draft_id).first()
    if draft is None:
        raise LookupError(f"There is no draft {draft_id}.")
    if draft.state != CharterDraft.State.OPEN:
        raise DraftClosed(
            f"“{draft.title}” was {draft.get_state_display().lower()} already; begin a new draft from it.", draft
        )
    if draft.revision != revision:
        raise DraftChanged(draft)
    return draft
