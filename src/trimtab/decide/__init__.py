"""Stage 4: scores to a verdict."""
