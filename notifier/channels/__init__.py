"""Ways to push an order, one file each, behind `domain.ports.Channel`."""
