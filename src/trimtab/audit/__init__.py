"""What is wrong with a data set, before a model learns it: rows to findings."""
