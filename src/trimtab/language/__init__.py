"""Running text, read the same way by every stage: words, sentences, phrases, quantities, dates, names, edits."""
