"""Tests of running text."""
