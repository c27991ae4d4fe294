"""From recommendation to order: the life of orders, which incidents share one, what merges and settles."""
