"""People who use a served model: their keys, what they were answered, and what they said of it."""
