"""Passive reassembly of long messages from CAN frames: ISO 15765-2 and the SAE J1939-21 transport protocol."""
