"""Back-fills on a Dask cluster (``docs/cluster.md``): one process holds the lease, workers fill ranges under its epoch.

Needs the extra ``cluster``: only ``indexer.cli.backfill`` imports this package, when it is asked to.
"""
