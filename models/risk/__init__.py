"""Failure risk of components: a discrete-time hazard over vehicle-periods, its decisions and its explanations."""
