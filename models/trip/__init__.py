"""Detectors without labels that judge whole trips.

channels    the signals that are looked at            panes       samples -> means over 10 s, with what a trip remembers
formulas    what is worked out of panes               features    panes -> one row per trip and formula
entries     the table of detectors (detectors.yaml)   baseline    what one vehicle's next trip should say, and its running sums
trend       time until a limit is reached             words       how a finding is told
stage       all of it as one stage of the line
"""
