"""Backtesting: rules over recorded or stored drives before they go live, against the rules of today and against known faults.

variants   which rules run on which side, and the values of a sweep; equal rules of several sides run once
runs       drives or stored signals -> the alerts of every side, one vehicle after the other, in several processes
episodes   findings -> alerts of each side; alerts of two sides held against each other
backtest   all of it: the result, which document, terminal and report tell
"""
