"""The engine: backfill, follow, reorg, discovery, late sources. The only place that joins rpc, decode and store.

Assumptions: one writer per chain (the lease); the store refuses what was made for another cursor.

Invariants: the tip moves only over blocks that are hash-linked to it and whose logs were checked; a replacement chain is
fetched and checked before anything is taken back; nothing at or below finality changes; every loop and queue is bounded.
"""
