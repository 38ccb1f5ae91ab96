"""What is reached over HTTP: the pages of reviews and of runs, and models that answer."""
