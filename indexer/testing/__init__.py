"""Doubles shipped with the package, imported only by tests: a chain in memory that lies on demand, a turned clock."""
