"""Runs the SQL folds of ``schema/projections`` over event tables, forward and back.

Assumptions: a fold reads ``event.*`` (and its own tables) for one chain and one block range and upserts its own
``state`` tables; folds of one range run in the order of their declared dependencies.

Invariants: any split of a chain into commits, with any reorgs between, ends in the same rows as one pass over the
canonical events; a fold of blocks that may be reverted leaves a journal that undoes it.
"""
