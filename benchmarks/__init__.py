"""Measurements that anyone can repeat: `python -m benchmarks --help`.

Speeds are stated as ratios of sides that took turns in one run, with the middle half of the rounds beside them.
"""
