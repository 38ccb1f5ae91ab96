"""Why a model answers as it does, and what an adjustment moved: pictures, and the numbers that carry them."""
