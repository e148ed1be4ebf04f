"""All writes of orders: recording orders and refunds, the catalogue, import batches."""

from shuke.orders.actions.recording import Outcome, Recorded, record
from shuke.orders.actions.refunds import record_refunds

__all__ = ["Outcome", "Recorded", "record", "record_refunds"]
