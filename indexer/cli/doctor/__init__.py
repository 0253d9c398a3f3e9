"""What ``indexer check`` looks at, one module per part; each returns findings and changes nothing.

Invariants: a part that cannot be looked at is a finding, never an exception; no finding holds a secret.
"""
