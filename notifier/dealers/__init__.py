"""Which dealers there are, which of them can do the work, and which of these gets it."""
