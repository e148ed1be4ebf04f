"""Reads of the loyalty books, one module per question."""
