"""Pure values and rules of a chain: refs, headers, ranges, log columns, local chain, ancestors, finality, bloom.

Assumptions: a block's hash names the block and all before it; ``parent_hash`` links them. Hashes are 32 raw bytes,
addresses 20, both big-endian as on the wire. Timestamps are whole seconds since 1970 and need not grow.

Invariants: nothing in this package does I/O or reads a clock; every value is immutable once built, and every list of
headers that a function returns is hash-linked and ascending.
"""
