"""Backtesting: rules over recorded or stored drives before they go live, against the rules of today and against known faults.

variants   which rules run on which side, and the values of a sweep; equal rules of several sides run once
runs       drives or stored signals -> findings of every rule, one vehicle after the other, in several processes
episodes   findings -> alerts of one side; alerts of two sides held against each other
backtest   all of it: the result and its JSON document
terminal   the result for the terminal
"""
