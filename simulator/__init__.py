"""Vehicles with physics and developing faults -> CAN frames, for tests and demos; the pipeline never reads its labels."""
