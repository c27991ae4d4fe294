"""Ratio benchmarks against named peers, from interleaved runs in one process group."""
