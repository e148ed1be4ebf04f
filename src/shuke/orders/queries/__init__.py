"""Reads of orders: what members bought, and what an import changed."""
