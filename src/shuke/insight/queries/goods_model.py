"""What the night learnt about items, as a file: small enough to be read for one member, rebuilt whenever it is gone.

The file holds no member: suggestions are made from the member's orders as they are now.
"""

from __future__ import annotations

import zipfile
from pathlib import Path
from typing import NamedTuple

import numpy as np
from django.conf import settings
from scipy import sparse

from shuke.engine.insight.goods import again, fresh
from shuke.shops.models import Merchant


class Learnt(NamedTuple):
    """Of one level. Items by their place in `items`."""

    day: int
    items: np.ndarray
    model: fresh.Model
    rhythm: again.Rhythm
    durable: np.ndarray  # bool per item: of the item's kind, as the seller says or as its buyers show


def path(merchant: Merchant, level: str) -> Path:
    return Path(settings.SHUKE_HOME) / "snapshots" / str(merchant.pk) / f"goods-{level}.npz"


def keep(merchant: Merchant, level: str, told: Learnt) -> None:
    """Write it in one step."""
    model, rhythm = told.model, told.rhythm
    near = model.near.tocsr()
    row = np.repeat(np.arange(near.shape[0]), np.diff(near.indptr))
    both = np.asarray(model.together[row, near.indices]).ravel().astype(np.int32) if near.nnz else np.empty(0, np.int32)
    final = path(merchant, level)
    final.parent.mkdir(parents=True, exist_ok=True)
    part = final.with_suffix(".part")
    with part.open("wb") as out:
        np.savez(
            out, day=np.array(told.day), items=told.items, indptr=near.indptr, indices=near.indices, data=near.data, both=both,
            buyers=model.buyers, gap=rhythm.gap, log_gap=rhythm.log_gap, gaps=rhythm.gaps, owners=rhythm.buyers,
            again=rhythm.again, rest=np.array([rhythm.pull, rhythm.shop_gap, rhythm.smear]), durable=told.durable,
        )  # fmt: skip
    part.replace(final)


def learnt(merchant: Merchant, level: str) -> Learnt | None:
    """What the last night learnt; None before the first, or when the file is gone or cut off."""
    try:
        with np.load(path(merchant, level), allow_pickle=False) as kept:
            items = kept["items"]
            shape = (items.size, items.size)
            frame = (kept["indices"], kept["indptr"])
            near = sparse.csr_array((kept["data"], *frame), shape=shape)
            both = sparse.csr_array((kept["both"], *frame), shape=shape)
            pull, shop_gap, smear = (float(one) for one in kept["rest"])
            return Learnt(
                int(kept["day"]),
                items,
                fresh.Model(near, kept["buyers"], both, items),
                again.Rhythm(
                    kept["gap"], kept["log_gap"], kept["gaps"], kept["owners"], kept["again"], pull, shop_gap, smear
                ),
                kept["durable"],
            )
    except (OSError, ValueError, KeyError, EOFError, zipfile.BadZipFile):
        return None
