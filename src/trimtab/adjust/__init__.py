"""Reversible changes to a model behind one contract, and the one loop that trains them."""
