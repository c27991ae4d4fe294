"""Which trained models there are: sealed files, and the life of their versions."""
