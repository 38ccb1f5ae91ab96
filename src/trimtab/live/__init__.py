"""What is kept of people who use a served model, and what is made of it."""
