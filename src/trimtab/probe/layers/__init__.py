"""Which blocks of a network carry an attribute, and which to adjust."""
