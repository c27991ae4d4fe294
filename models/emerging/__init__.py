"""Emerging issues: root causes that come more often in one group of vehicles than in others of the same model and age."""
