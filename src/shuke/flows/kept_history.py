"""What is kept between simulations, under SHUKE_HOME/simulation: the history as columns, and what today's charter makes of it."""

from __future__ import annotations

import hashlib
import json
import pickle
import shutil
import tempfile
from pathlib import Path

from django.conf import settings

from shuke.engine.simulation.history import History, load, save
from shuke.engine.simulation.share import Setting, Side
from shuke.kit.garbage import collector_at_rest
from shuke.kit.progress import Progress
from shuke.kit.reading import read_only
from shuke.loyalty.queries import simulation as stored
from shuke.shops.models import Merchant


class Kept:
    """The folder of a merchant under SHUKE_HOME/simulation: columns by fingerprint, today's side by setting."""

    def __init__(self, merchant: Merchant, keep: bool) -> None:
        self.merchant, self.keep = merchant, keep
        self.folder = Path(settings.SHUKE_HOME) / "simulation" / str(merchant.pk)
        self.mark = ""
        self.read: History | None = None

    def __enter__(self) -> Kept:
        self.folder.mkdir(parents=True, exist_ok=True, mode=0o700)
        self.scratch = Path(tempfile.mkdtemp(prefix="run-", dir=self.folder))
        return self

    def __exit__(self, *error: object) -> None:
        shutil.rmtree(self.scratch, ignore_errors=True)

    @property
    def columns(self) -> Path:
        return (self.folder if self.keep else self.scratch) / f"{self.mark}.npz"

    def history(self, shown: Progress) -> History:
        shown.total(None, "history")  # not within: a job's progress is itself written to the database
        with read_only(), collector_at_rest():
            self.mark = stored.fingerprint(self.merchant)
            if self.columns.exists():
                self.read = load(self.columns)
                return self.read
            self.read = stored.history(self.merchant)
        if self.keep:
            for old in [*self.folder.glob("*.npz"), *self.folder.glob("*.side")]:
                old.unlink(missing_ok=True)
        save(self.read, self.columns)
        return self.read

    def _side(self, setting: Setting) -> Path:
        told = json.dumps([setting.zone, str(setting.until), str(setting.echo_from), setting.versions], default=str)
        return self.folder / f"{self.mark}-{hashlib.sha256(told.encode()).hexdigest()[:16]}.side"

    def side(self, setting: Setting) -> Side | None:
        path = self._side(setting)
        if not self.keep or not path.exists():
            return None
        with path.open("rb") as file:
            kept: Side = pickle.load(file)
        return kept

    def keep_side(self, setting: Setting, side: Side) -> None:
        if self.keep:
            draft = self.scratch / "today"
            with draft.open("wb") as file:
                pickle.dump(side, file)
            draft.replace(self._side(setting))
