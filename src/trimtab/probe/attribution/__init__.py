"""Which words, sentences and sections of the prompt drove an answer, a word of it, or its tone."""
