"""Two members become one, and two again. Called by flows.merge_members, which moves orders and books along.

The absorbed member keeps their rows: identities, contacts, consents, timeline, search terms. They point at the
survivor (`merged_into`), and reads follow. So nothing changes hands, and parting is exact.
"""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from datetime import datetime
from typing import Any

from django.core.serializers.json import DjangoJSONEncoder
from django.db import connection
from django.db.models import Min

from shuke.kit import audit, bulk, ids
from shuke.members import profiles
from shuke.members.actions.consents import Statement, consent
from shuke.members.actions.suspecting import decide_pair
from shuke.members.actions.timeline import Note, note
from shuke.members.actions.writing import find_by
from shuke.members.models import Identity, Member, MemberState, Merge, MergedFact
from shuke.members.queries import NoSuchMember
from shuke.members.queries.families import absorbed_by
from shuke.members.queries.reaching import consents_of
from shuke.shops.models import Merchant

_MOMENTS = ("joined_at", "nickname_at", "frozen_at")


class MergeRefused(ValueError):
    """These two cannot be merged (or parted) now. `code` is stable; the message says why and what to do."""

    def __init__(self, code: str, message: str, **params: object) -> None:
        self.code, self.params = code, {key: str(value) for key, value in params.items()}
        super().__init__(message)


def lock_pair(merchant: Merchant, survivor_id: int, absorbed_id: int) -> tuple[Member, Member]:
    """Both members, locked, in the order everybody locks: the merchant's row (imports that decide who is who wait for
    it), then members by id. Raises NoSuchMember, and MergeRefused for two that cannot be merged."""
    if survivor_id == absorbed_id:
        raise MergeRefused("same_member", "This is one member already. Choose another to merge with.")
    if connection.vendor == "postgresql":
        bulk.execute("SELECT 1 FROM shops_merchant WHERE id = %s FOR NO KEY UPDATE", [merchant.pk])
    rows = Member.objects.filter(merchant=merchant, id__in=(survivor_id, absorbed_id)).order_by("id")
    found = {member.pk: member for member in rows.select_for_update()}
    for asked in (survivor_id, absorbed_id):
        if asked not in found:  # another merchant's member is nobody here
            raise NoSuchMember(asked)
    return found[survivor_id], found[absorbed_id]


def refuse_unfit(merchant: Merchant, survivor: Member, absorbed: Member) -> None:
    """Why these two cannot be merged, said with what to do."""
    for member in (survivor, absorbed):
        if member.state == MemberState.MERGED:
            raise MergeRefused(
                "already_merged",
                f"Card {member.card} was merged into another member already. Open that member, or take that merge back first.",
                card=member.card,
            )
        if member.state == MemberState.FORGOTTEN:
            raise MergeRefused(
                "forgotten",
                f"Card {member.card} was erased on request. What is left has no person to merge.",
                card=member.card,
            )
        if member.state != MemberState.ACTIVE:
            raise MergeRefused(
                "undone",
                f"Card {member.card} was put away with an undone import. Import it again first.",
                card=member.card,
            )
    if absorbed_by(merchant.pk, [absorbed.pk]):
        raise MergeRefused(
            "in_chain",
            f"Others live on in card {absorbed.card}, so it cannot be merged away. Merge the other way round "
            f"({survivor.card} into {absorbed.card}), or take the earlier merge back first.",
            card=absorbed.card,
            other=survivor.card,
        )


def merge_profiles(
    *,
    merchant: Merchant,
    survivor: Member,
    absorbed: Member,
    take: Mapping[str, str],
    books: Mapping[str, Any],
    reason: str,
    now: datetime,
    actor: str,
) -> Merge:
    """The members' part of a merge, in the caller's transaction, both rows locked. `books` is kept for the undo.

    In this order: profile; consents (the stricter word holds from now on); the pointer; suspicions; search terms; a
    line on both timelines; the audit log.
    """
    changed = profiles.merged_values(survivor, absorbed, take)
    before = {column: getattr(survivor, column) for column in changed}
    joined = {"joined_at": survivor.joined_at}, {"joined_at": changed.get("joined_at", survivor.joined_at)}
    merge = Merge.objects.create(
        id=ids.new(),
        merchant=merchant,
        survivor=survivor,
        absorbed=absorbed,
        merged_at=now,
        actor=actor[:60],
        reason=reason[:200],
        before=_plain({**joined[0], **before, "books": dict(books)}),
        after=_plain({**joined[1], **changed}),
    )
    for column, value in changed.items():
        setattr(survivor, column, value)
    if changed:
        survivor.save(update_fields=[_field(column) for column in changed])
    _stricter(merchant, survivor.pk, absorbed.pk, f"merge:{merge.pk}", now, actor)
    absorbed.state, absorbed.merged_into = MemberState.MERGED, survivor
    absorbed.save(update_fields=["state", "merged_into"])
    decide_pair(merchant=merchant, one=survivor.pk, other=absorbed.pk, state="merged", now=now, actor=actor, told=False)
    names = (survivor.name, survivor.nickname, before.get("name", ""), before.get("nickname", ""))
    find_by(merchant.pk, [(survivor.pk, text) for text in names])  # a name that gave way still finds the member
    _tell(merchant, merge, survivor, absorbed, ("merged", "merged.away"), reason, now, actor)
    return merge


def part_profiles(*, merchant: Merchant, merge: Merge, different: bool, reason: str, now: datetime, actor: str) -> None:
    """The members' part of taking a merge back, in the caller's transaction, both rows locked.

    A field the merge had set goes back to what it was, unless somebody has changed it since. A refusal said while the
    two were one binds both from now on. `different`: remember that they are two people.
    """
    survivor, absorbed = merge.survivor, merge.absorbed
    back = []
    for column, value in merge.before.items():
        if column in ("books", "joined_at"):
            continue
        restored: Any
        if column == "attributes":
            restored = _attributes_back(survivor.attributes, value, merge.after[column])
        elif column == "tags":
            added = set(merge.after[column]) - set(value)
            restored = [tag for tag in survivor.tags if tag not in added]
        elif _plain({column: getattr(survivor, column)})[column] == merge.after[column]:
            restored = datetime.fromisoformat(value) if column in _MOMENTS and value else value
        else:
            continue
        setattr(survivor, column, restored)
        back.append(_field(column))
    _part_joining(merchant, merge)
    survivor.save(update_fields=[*back, "joined_at"])
    _part_consents(merchant, merge, now, actor)
    absorbed.state, absorbed.merged_into = MemberState.ACTIVE, None
    absorbed.save(update_fields=["state", "merged_into", "joined_at"])
    merge.undone_at, merge.undone_by, merge.undone_because = now, actor[:60], reason[:200]
    merge.save(update_fields=["undone_at", "undone_by", "undone_because"])
    state = "different" if different else "open"
    decide_pair(
        merchant=merchant, one=survivor.pk, other=absorbed.pk, state=state, now=now, actor=actor, told=different
    )
    _tell(merchant, merge, survivor, absorbed, ("unmerged", "unmerged"), reason, now, actor)


def remember_facts(*, merchant: Merchant, of: Mapping[int, Sequence[int]], what: str) -> None:
    """Note that these facts (absorbed member → ids) were told of somebody who has been merged away."""
    merges = dict(
        Merge.objects.filter(merchant=merchant, absorbed_id__in=list(of), undone_at=None).values_list(
            "absorbed_id", "id"
        )
    )
    rows = [(merges[member], fact) for member, facts in of.items() if member in merges for fact in facts]
    bulk.insert_new(
        "members_merged_fact",
        ("id", "merchant_id", "merge_id", "what", "object_id"),
        [(id, merchant.pk, merge, what, fact) for id, (merge, fact) in zip(ids.take(len(rows)), rows, strict=True)],
    )


def facts_of(merge: Merge, what: str) -> list[int]:
    """Ids of the facts that a merge moved, or that were told of the absorbed member since."""
    rows = MergedFact.objects.filter(merchant_id=merge.merchant_id, merge=merge, what=what)
    return list(rows.order_by("object_id").values_list("object_id", flat=True))


def _plain(values: dict[str, Any]) -> dict[str, Any]:
    """As the JSON column will give it back."""
    import json

    return json.loads(json.dumps(values, cls=_Exact))


class _Exact(DjangoJSONEncoder):
    """Moments to the microsecond: Django's own encoder cuts them to milliseconds."""

    def default(self, o: Any) -> Any:
        return o.isoformat() if isinstance(o, datetime) else super().default(o)


def _field(column: str) -> str:
    return column.removesuffix("_id")


def _attributes_back(now_held: dict, before: dict, after: dict) -> dict:
    """Custom attributes one by one: those still as the merge left them go back."""
    restored = dict(now_held)
    for key, value in after.items():
        if before.get(key) != value and restored.get(key) == value:
            if key in before:
                restored[key] = before[key]
            else:
                del restored[key]
    return restored


def _part_joining(merchant: Merchant, merge: Merge) -> None:
    """Each joined when they did before the merge, or earlier, where a file told so since: of whom, their identities say."""
    survivor, absorbed = merge.survivor, merge.absorbed
    first = {
        member: Identity.objects.filter(merchant=merchant, member_id=member).aggregate(at=Min("first_seen_at"))["at"]
        for member in (survivor.pk, absorbed.pk)
    }
    before = datetime.fromisoformat(merge.before["joined_at"])
    moved = survivor.joined_at < datetime.fromisoformat(merge.after["joined_at"])
    theirs = first[absorbed.pk] is not None and first[absorbed.pk] <= survivor.joined_at
    mine = first[survivor.pk] or before
    survivor.joined_at = survivor.joined_at if moved and not theirs else min(before, mine)
    absorbed.joined_at = min(absorbed.joined_at, first[absorbed.pk] or absorbed.joined_at)
    write = bulk.moment()
    for member in (survivor, absorbed):
        bulk.execute(
            "UPDATE members_timeline SET at = %s WHERE merchant_id = %s AND member_id = %s AND kind = 'joined'",
            [write(member.joined_at), merchant.pk, member.pk],
        )


def _stricter(merchant: Merchant, survivor: int, absorbed: int, source: str, now: datetime, actor: str) -> None:
    """Where one said yes and the other no, it is no until they say otherwise. Statements are only ever added."""
    mine, theirs = consents_of(merchant, [survivor]), consents_of(merchant, [absorbed])
    refusals = [
        Statement(survivor, *what, False, now, source, actor=actor, evidence="one of two merged records had refused")
        for what, said in mine.items()
        if said.granted and what in theirs and not theirs[what].granted
    ]
    # The other way round the absorbed member's yes may be the later one, and would be read as the latest word.
    refusals += [
        Statement(survivor, *what, False, now, source, actor=actor, evidence="one of two merged records had refused")
        for what, said in theirs.items()
        if said.granted and what in mine and not mine[what].granted and said.at > mine[what].at
    ]
    if refusals:
        _add(merchant, refusals)


def _add(merchant: Merchant, statements: list[Statement]) -> None:
    """Statements that must stand as the latest word even where they repeat an earlier one."""
    from shuke.members.models import Consent

    Consent.objects.bulk_create(
        Consent(
            merchant=merchant, member_id=s.member_id, channel=s.channel, purpose=s.purpose, granted=s.granted, at=s.at,
            source=s.source[:60], actor=s.actor[:60], evidence=s.evidence,
        )
        for s in statements
    )  # fmt: skip


def _part_consents(merchant: Merchant, merge: Merge, now: datetime, actor: str) -> None:
    source, back = f"merge:{merge.pk}", f"unmerge:{merge.pk}"
    mine = consents_of(merchant, [merge.survivor_id])
    restored = []
    for what, said in mine.items():
        if said.source != source:
            continue
        own = consents_of(merchant, [merge.survivor_id], without=source).get(what)
        if own is not None and own.granted:
            told = f"as said on {own.at:%Y-%m-%d} ({own.source}), before the merge that was taken back"
            restored.append(Statement(merge.survivor_id, *what, True, now, back, actor=actor, evidence=told))
    if restored:
        _add(merchant, restored)
    refused = [
        Statement(
            merge.absorbed_id, *what, False, said.at, back, actor=actor, evidence="refused while the records were one"
        )
        for what, said in mine.items()
        if not said.granted and said.at >= merge.merged_at and said.source != source
    ]
    consent(merchant=merchant, statements=refused, now=now)


def _tell(
    merchant: Merchant, merge: Merge, survivor: Member, absorbed: Member, kinds: tuple[str, str], reason: str,
    now: datetime, actor: str,
) -> None:  # fmt: skip
    ref = f"merge:{merge.pk}"
    lines = [
        Note(survivor.pk, now, kinds[0], ref, {"card": absorbed.card, "reason": reason, "by": actor}),
        Note(absorbed.pk, now, kinds[1], ref, {"card": survivor.card, "reason": reason, "by": actor}),
    ]
    note(merchant=merchant, lines=lines, now=now)
    audit.record(
        merchant_id=merchant.pk, at=now, actor=actor, verb=f"member.{kinds[0]}", object=f"member {survivor.pk}",
        detail={"absorbed": str(absorbed.pk), "merge": str(merge.pk), "reason": reason},
    )  # fmt: skip
