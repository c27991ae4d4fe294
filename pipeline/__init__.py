"""The order of the stages, and the runners that drive them."""
