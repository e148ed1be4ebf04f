"""What codes are called on screen: classes, layers and stages in the engine's own wording, roles in the console's."""

from __future__ import annotations

from collections.abc import Iterable
from typing import Any

from django.utils.functional import Promise
from django.utils.translation import get_language
from django.utils.translation import gettext_lazy as _

from shuke.engine.insight import value_words, wording
from shuke.insight.queries import figures as insight
from shuke.shops.queries import ALLOWED

ROLES: dict[str, str | Promise] = {
    "owner": _("Owner"),
    "manager": _("Store manager"),
    "specialist": _("Member specialist"),
    "assistant": _("Shop assistant"),
    "auditor": _("Auditor"),
}


# What a permission of shops.queries.ALLOWED lets one do, in the order a page tells it.
PERMISSIONS: dict[str, str | Promise] = {
    "record": _("Serves at the counter: purchases and returns, benefits and gifts, points handed on, families."),
    "members": _(
        "Looks after records: joins two into one, makes and issues coupons, decides about friends that were held."
    ),
    "reveal": _("Sees full phone numbers and addresses; each look is written down."),
    "import": _("Brings files in, and takes an import back."),
    "export": _("Takes lists of members and codes out; each list is written down."),
    "insight": _("Sees the dashboard, insight, rewards and finance."),
    "adjust": _(
        "Gives and takes points, growth value, tiers and stored value by hand, and agrees to what a colleague asked for."
    ),
    "charter": _("Changes the charter and publishes it."),
    "close": _("Closes months of the books."),
    "audit": _("Sees who works here and what was changed on their accounts."),
    "staff": _("Decides who works here and what they may do."),
}


def may_do(role: str) -> list[str]:
    """What a role may do beyond looking, in sentences."""
    return [str(text) for key, text in PERMISSIONS.items() if key in ALLOWED.get(role, ())]


def said(words: wording.Wording, **params: Any) -> str:
    """One wording in the reader's language."""
    return words.said(language(), **params)


def language() -> str:
    return get_language() or "zh"


def layer(code: str) -> str:
    return said(wording.LAYERS[code]) if code in wording.LAYERS else code


def bond(code: str) -> str:
    return said(wording.BONDS[code]) if code in wording.BONDS else code


def stage(code: str) -> str:
    return said(wording.STAGES[code]) if code in wording.STAGES else code


def chance(band: str) -> str:
    """likely, possible, unlikely."""
    return said(value_words.CHANCES[band])


def chance_within(band: str, days: int) -> str:
    return said(value_words.WITHIN[band], days=days)


def rfm_class(code: str) -> str:
    return said(wording.RFM_NAMES[code]) if code in wording.RFM_NAMES else code


def platform(code: str) -> str:
    return said(wording.PLATFORMS[code]) if code in wording.PLATFORMS else code


def where(what: str, code: str) -> str:
    """A class, layer or stage; none where there is none."""
    name = {"rfm": rfm_class, "layer": layer, "stage": stage}[what]
    return name(code) if code else str(_("none"))


def percent_of(permille: int) -> str:
    """A chance as people write it: 3 %, under 1 %, over 99 %."""
    if permille < 10:
        return str(_("under 1 %"))
    return str(_("over 99 %")) if permille > 990 else f"{round(permille / 10)} %"


def flow(what: str, before: str, after: str) -> str:
    """stable → degrading, as words."""
    name = {"rfm": rfm_class, "layer": layer, "stage": stage}[what]
    if before == after:
        return _("stayed: %(where)s") % {"where": name(before) if before else _("none")}
    return f"{name(before) if before else _('new here')} → {name(after) if after else _('none')}"


def definition(figure: str, figures: dict[str, Any]) -> str:
    """What a figure means, with the parameters of the snapshot it is from."""
    return insight.definition(figure, figures, language())


def definitions(names: Iterable[str], figures: dict[str, Any]) -> str:
    """Several figures, a line each: what it is called and what it means."""
    return "\n".join(f"{said(wording.FIGURES[name][0])}: {definition(name, figures)}" for name in names)


def why_missing(figures: dict[str, Any]) -> dict[str, str]:
    """Figure → why it is missing or rough, for those that are."""
    reasons: dict[str, str] = {}
    for told in figures["missing"]:
        reason = said(wording.MISSING[told["code"]], **told["params"])
        for name in told["figures"]:
            reasons.setdefault(name, reason)
    return reasons
