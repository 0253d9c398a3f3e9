"""ABI catalogue, diamonds' facets over time, and the two decoders (columnar and generic).

Assumptions: event layouts follow the Solidity ABI specification; topic0 is keccak-256 of the canonical signature.

Invariants: no I/O but reading ABI files; every log of a batch comes out exactly once, as a row of one event table or
as an undecoded log with its reason; the columnar decoder and the generic one agree on every log both accept.
"""
