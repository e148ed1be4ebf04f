"""Shuke 熟客: a membership system for sellers. See docs/architecture.md for the rooms of this house."""

__version__ = "0.1.0"
