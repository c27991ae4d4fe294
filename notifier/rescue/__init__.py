"""Rescue: what the driver is told and asked, whose word sends somebody out, where to, and how it goes. It is no eCall."""
