"""gemforce-indexer: keeps a PostgreSQL database equal to what contracts on EVM chains have said.

Layers, top to bottom (a layer imports only from those below it):

``cli``/``demo``, ``app``, ``serve``, ``sync``, ``projections``, ``store``/``rpc``, ``decode``, ``chain``, and
the flat modules (``config``, ``errors``, ``clock``, ``retry``, ``metrics``, ``logging``, ``resources``).
"""

__version__ = "0.1.0"
