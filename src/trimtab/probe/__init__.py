"""Why a model answers as it does, and what an adjustment moved."""
