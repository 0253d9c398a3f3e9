"""The ``indexer`` command: one module per command, exit codes as in interface and errors."""
