"""What is reached over HTTP: the pages on which people judge."""
