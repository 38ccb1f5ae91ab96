"""What a model's answers depend on, and what an adjustment moved."""
