"""Final event rows as Parquet files for the engines people analyse with (``docs/export.md``).

Needs the extra ``export`` (pyarrow and fsspec): only ``indexer.cli.export`` imports this package, when it is asked to.
"""
