"""What the output of a model depends on, and what an adjustment moved."""
