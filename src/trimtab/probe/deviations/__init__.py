"""Where a model still fails: what failing items have in common, and what to try for them."""
