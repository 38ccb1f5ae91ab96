"""Files to examples, examples to parts, examples to tokens with a loss mask."""
