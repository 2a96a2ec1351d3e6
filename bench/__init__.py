"""Measure the plugin against the bars of its design; a benchmark, never a timed test."""
