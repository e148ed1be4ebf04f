"""All writes of insight: the columns that leave the store, the snapshot of a day, its members' scores and movements."""

from shuke.insight.actions.snapshots import backfill, forget, snapshot

__all__ = ["backfill", "forget", "snapshot"]
