"""All writes of orders: recording orders and refunds, the catalogue, import batches."""

from shuke.orders.actions.batches import (
    advance_batch,
    begin_batch,
    choose_mapping,
    clear_batch,
    end_batch,
    forget_batch_changes,
    note_total,
    open_batch,
    remember_made_members,
    remember_openings,
    remember_profiles,
    save_mapping,
)
from shuke.orders.actions.checking import OrderRefused, check
from shuke.orders.actions.locking import hold_all_still, hold_event_still, hold_still
from shuke.orders.actions.products import know_products, take_reclassified
from shuke.orders.actions.recording import record
from shuke.orders.actions.refunds import Refunded, RefundsTaken, record_refunds
from shuke.orders.actions.undoing import TakenOut, take_out_batch
from shuke.orders.actions.weighing import News, Outcome, Recorded, said_before

__all__ = [
    "News",
    "OrderRefused",
    "Outcome",
    "Recorded",
    "Refunded",
    "RefundsTaken",
    "TakenOut",
    "advance_batch",
    "begin_batch",
    "check",
    "choose_mapping",
    "clear_batch",
    "end_batch",
    "forget_batch_changes",
    "hold_all_still",
    "hold_event_still",
    "hold_still",
    "know_products",
    "note_total",
    "open_batch",
    "record",
    "record_refunds",
    "remember_made_members",
    "remember_openings",
    "remember_profiles",
    "said_before",
    "save_mapping",
    "take_out_batch",
    "take_reclassified",
]
