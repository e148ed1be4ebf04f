"""Reads of insight: the figures of a day, the members behind each of them, and the member list."""
