"""A year of operation: which cars and workshops there are, what breaks how often, and how people behave; all of it as data."""
