"""The base model: loading, named places, sampling, likelihood, memory. Knows nothing of adjustments."""
