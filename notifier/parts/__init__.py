"""Parts: what is kept for which order, what replaces what, when it comes, and how much will be needed."""
