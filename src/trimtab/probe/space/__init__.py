"""Answers and hidden states before and after an adjustment, as points on the same axes."""
