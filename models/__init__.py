"""Features and detectors that judge signals without labels."""
