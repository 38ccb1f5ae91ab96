"""The pages of a review: joining, judging, and what its author sees."""
