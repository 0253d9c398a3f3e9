"""Benchmarks: a synthetic chain, a server that replays it, what is measured, and how it is reported.

``python -m bench`` runs all of them; ``make bench`` and ``make bench-quick`` call that.
"""
