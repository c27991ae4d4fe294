"""Ways for a push to go out; each implements `domain.ports.Channel`."""
