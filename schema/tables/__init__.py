"""The fixed tables as SQLModel classes: the typed read side of the API and of tests.

The migrations are the truth; a test holds these classes against a migrated database. Nothing is written through them.
"""

from indexer.schema.tables.event import Undecoded
from indexer.schema.tables.state import (
    Diamond,
    DiamondCut,
    DiamondSelector,
    Erc20Allowance,
    Erc20Balance,
    Erc20Supply,
    Erc1155Balance,
    Nft,
    NftOperator,
    NftUnexpanded,
)
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
    "Diamond",
    "DiamondCut",
    "DiamondSeed",
    "DiamondSelector",
    "DiscoveredAddress",
    "Erc20Allowance",
    "Erc20Balance",
    "Erc20Supply",
    "Erc1155Balance",
    "EventTable",
    "Journal",
    "Lease",
    "Migration",
    "Nft",
    "NftOperator",
    "NftUnexpanded",
    "Orphan",
    "Projection",
    "Reorg",
    "Source",
    "Undecoded",
]
