"""Groups of people in a text: which words name them, and the text with each group swapped for its counterpart."""
