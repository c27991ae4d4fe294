"""The owner's side of an order: prices and sign-off, signed links, notices, campaigns."""
