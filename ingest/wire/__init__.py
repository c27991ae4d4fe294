"""Formats in which devices and gateways of other makers publish: one file each, one line each in `ingest.wire.table`."""
