"""Tests of trimtab.watching."""
