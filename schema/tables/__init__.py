"""The fixed tables as SQLModel classes: the typed read side of the API and of tests.

The migrations are the truth; a test holds these classes against a migrated database. Nothing is written through them.
"""

from indexer.schema.tables.event import Undecoded
from indexer.schema.tables.sync import (
    AbiSelector,
    Block,
    Chain,
    DiamondSeed,
    DiscoveredAddress,
    EventTable,
    Journal,
    Lease,
    Migration,
    Orphan,
    Projection,
    Reorg,
    Source,
)

__all__ = [
    "AbiSelector",
    "Block",
    "Chain",
    "DiamondSeed",
    "DiscoveredAddress",
    "EventTable",
    "Journal",
    "Lease",
    "Migration",
    "Orphan",
    "Projection",
    "Reorg",
    "Source",
    "Undecoded",
]
