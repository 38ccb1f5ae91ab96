"""Personal data in the rows: found, hidden, replaced, and what combinations of facts single people out."""
