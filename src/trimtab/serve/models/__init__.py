"""Serving models: stacks of many users in one batch, behind the interface that every client speaks."""
