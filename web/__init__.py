"""Pages: the replay report."""
