"""Personal data that has a form: addresses, numbers and names that a pattern and a check digit can tell."""
