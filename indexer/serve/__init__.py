"""HTTP for operators: ``/livez``, ``/readyz``, ``/metrics``.

Invariants: ``/livez`` asks neither database nor RPC; no answer holds a secret.
"""
