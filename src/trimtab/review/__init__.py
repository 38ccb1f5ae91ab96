"""People's judgement: what is shown to whom, what they said, how far they agree, and what can be learned from it."""
