"""Alerting, ordering, dealer choice, outbox and channels."""
