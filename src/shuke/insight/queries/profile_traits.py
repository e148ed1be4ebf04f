"""What is known of every member, as columns for the profiles: told by them, or seen in their purchases of the last 365 days.

Computed after the night (`insight.actions.profile_traits`) and kept as a file beside the other columns; without it the pages say
that figures are still being made. The file names members by id only and is written anew every night, so whoever was forgotten is gone
from it; figures count living members only in the meantime.
"""

from __future__ import annotations

import json
import zipfile
from collections.abc import Iterable, Mapping
from datetime import date
from itertools import pairwise
from pathlib import Path
from typing import Any, NamedTuple

import numpy as np
from django.conf import settings

from shuke.engine.insight import profiles
from shuke.engine.insight.profiles import Trait
from shuke.insight.queries import coded, profile_habits, profile_told
from shuke.insight.queries.coded import STANDS
from shuke.insight.queries.profile_habits import HOURS
from shuke.shops.models import Merchant

FORMAT = 1
TENURE = (90, 365, 730, 1826)  # days since joining
FREQUENCY = (1, 2, 4, 7, 13, 27, 53)  # days with a purchase within the window


class Known(NamedTuple):
    """All members, ascending by id, and what is known of them."""

    day: date
    members: np.ndarray
    traits: list[Trait]
    about: dict[
        str, dict[str, Any]
    ]  # trait → {"topic", "label": [zh, en] | None, "names": [name of each option] | None}
    net: np.ndarray  # int64, within the window
    days: np.ndarray  # int32, days with a purchase within the window
    basket: np.ndarray  # float, mean of an order; NaN: none
    stands: dict[str, tuple[list[str], np.ndarray]]  # layer, stage … → names and code of each member


def path(merchant: Merchant) -> Path:
    return Path(settings.SHUKE_HOME) / "snapshots" / str(merchant.pk) / "profiles.npz"


def mark(merchant: Merchant) -> str:
    """Another text whenever the file is another one; empty: there is none."""
    try:
        found = path(merchant).stat()
    except FileNotFoundError:
        return ""
    return f"{found.st_mtime_ns}-{found.st_size}"


def day_of(merchant: Merchant) -> date | None:
    """The day the file is of, without reading the rest of it."""
    try:
        with np.load(path(merchant), allow_pickle=False) as file:
            words = json.loads(file["words"].tobytes())
            return date.fromisoformat(words["day"]) if words["format"] == FORMAT else None
    except (OSError, ValueError, KeyError, EOFError, zipfile.BadZipFile):
        return None


def compute(merchant: Merchant, day: date) -> Known:
    """Everything as of the end of `day`. The columns of orders must be fresh. Works through the history month by month."""
    told = profile_told.told(merchant, day)
    size = told.members.size
    habits = profile_habits.habits(merchant, told.members, day)
    stood = coded.stands(merchant)
    stands = {what: stood.of(what, told.members) for what in STANDS}
    basket = np.divide(habits.net, habits.orders, out=np.full(size, np.nan), where=habits.orders > 0)
    cuts = [_round(cut) for cut in profiles.fifths(np.where(basket > 0, basket, np.nan))]
    traits = [*told.traits]
    about = dict(told.about)

    def add(trait: Trait, topic: str, names: list[str] | None = None) -> None:
        if len(trait.options) > 1 and trait.known().any():
            traits.append(trait)
            about[trait.key] = {"topic": topic, "label": None, "names": names}

    add(profiles.split("platform", habits.platforms, habits.by_platform), "place")
    if len(habits.stores) > len(habits.platforms):
        add(profiles.split("bought_at", habits.stores, habits.by_store), "place", habits.store_names)
    add(profiles.split("kinds", habits.kinds, habits.by_kind), "need", habits.kind_names)
    add(profiles.split("weekday", [str(n) for n in range(1, 8)], habits.by_weekday), "habit")
    add(profiles.split("hour", between(HOURS, "0", "24"), habits.by_hour), "habit")
    add(
        profiles.codes("frequency", between(FREQUENCY, "0"), profiles.bands(habits.days.astype(float), FREQUENCY)),
        "habit",
    )
    add(profiles.codes("basket", between(cuts), profiles.bands(basket, cuts)), "habit")
    add(profiles.codes("tenure", between(TENURE, "0"), profiles.bands(told.since.astype(float), TENURE)), "habit")
    return Known(day, told.members, traits, about, habits.net, habits.days, basket, stands)


def between(cuts: Iterable[float], first: str = "", last: str = "") -> list[str]:
    """Codes of the bands that cuts make, from each bound up to before the next: "0..6", "6..10"; "27.." is open."""
    bounds = [first, *(f"{cut:.0f}" for cut in cuts), last]
    return [f"{low}..{high}" for low, high in pairwise(bounds)]


def _round(value: float) -> float:
    """Two significant digits: a cut that people can say."""
    scale = 10 ** max(len(str(int(abs(value)))) - 2, 0)
    return float(round(value / scale) * scale)


# ---- the file ----------------------------------------------------------------------------------------------------------


def keep(merchant: Merchant, known: Known, told: Mapping[str, dict[str, Any]]) -> None:
    """Write it in one step, with answers that are asked for every day (`answer`) beside it."""
    final = path(merchant)
    final.parent.mkdir(parents=True, exist_ok=True)
    listed = [
        {"key": t.key, "options": t.options, "several": t.several, "coded": t.code is not None} for t in known.traits
    ]
    words = {
        "format": FORMAT, "day": known.day.isoformat(), "traits": listed, "about": known.about,
        "stands": {what: names for what, (names, _codes) in known.stands.items()},
    }  # fmt: skip
    columns = {
        f"t{i}": trait.code if trait.code is not None else np.asarray(trait.share, np.float16)
        for i, trait in enumerate(known.traits)
    } | {f"in_{what}": codes for what, (_names, codes) in known.stands.items()}
    part = final.with_suffix(".part")
    with part.open("wb") as out:
        np.savez(
            out, words=_letters(words), members=known.members, net=known.net, days=known.days,
            basket=known.basket, **columns, **{f"told_{one}": _letters(answer) for one, answer in told.items()},  # type: ignore[arg-type]
        )  # fmt: skip
    part.replace(final)


def _letters(words: dict[str, Any]) -> np.ndarray:
    return np.frombuffer(json.dumps(words).encode(), np.uint8)


def answer(merchant: Merchant, question: str) -> dict[str, Any] | None:
    """What was kept under that name; only this is read of the file."""
    try:
        with np.load(path(merchant), allow_pickle=False) as file:
            if json.loads(file["words"].tobytes())["format"] != FORMAT or f"told_{question}" not in file:
                return None
            found: dict[str, Any] = json.loads(file[f"told_{question}"].tobytes())
            return found
    except (OSError, ValueError, KeyError, EOFError, zipfile.BadZipFile):
        return None


def kept(merchant: Merchant, only: str = "") -> Known | None:
    """What the last night found; None before the first, or when the file is gone, cut off or of another format.

    only: of the traits this one alone, where a million members are known by dozens of them.
    """
    try:
        with np.load(path(merchant), allow_pickle=False) as file:
            words = json.loads(file["words"].tobytes())
            if words["format"] != FORMAT:
                return None
            traits = [
                Trait(
                    one["key"], one["options"], file[f"t{i}"] if one["coded"] else None, None if one["coded"] else file[f"t{i}"],
                    one["several"],
                )
                for i, one in enumerate(words["traits"])
                if only in ("", one["key"])
            ]  # fmt: skip
            stands = {what: (names, file[f"in_{what}"]) for what, names in words["stands"].items()}
            return Known(
                date.fromisoformat(words["day"]), file["members"], traits, words["about"], file["net"], file["days"], file["basket"],
                stands,
            )  # fmt: skip
    except (OSError, ValueError, KeyError, EOFError, zipfile.BadZipFile):
        return None
