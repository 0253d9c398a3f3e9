"""PostgreSQL: migrations, event tables from ABIs, COPY encoding, commit and revert, cursor, coverage, lease.

Assumptions: PostgreSQL 15 to 18; one writer per chain, held to it by a lease with a fencing epoch.

Invariants: rows, state, cursor, coverage and orphans of a commit change in one transaction or not at all; only
canonical rows are in the tables of schema ``event``; a commit made for another cursor or by a stale epoch is refused by
the database; SQL stands in ``queries/*.sql`` and ``schema/``, never in Python strings beyond quoted identifiers.
"""
