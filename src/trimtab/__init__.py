"""Trimtab finds the smallest change to a language model that provably does what you asked."""

__version__ = "0.1.0"
