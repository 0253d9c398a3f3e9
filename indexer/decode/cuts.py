"""Reads ``DiamondCut`` logs of a batch into the timeline of facets."""

from __future__ import annotations

from typing import TYPE_CHECKING

import msgspec
import numpy as np
from eth_hash.auto import keccak
from numpy.typing import NDArray

from indexer.chain.logs import LogBatch
from indexer.decode.diamonds import FacetCut, FacetTimeline
from indexer.decode.layout import OK, layout_decoder

if TYPE_CHECKING:
    from indexer.decode.catalogue import Catalogue

DIAMOND_CUT = "DiamondCut((address,uint8,bytes4[])[],address,bytes)"
DIAMOND_CUT_TOPIC = keccak(DIAMOND_CUT.encode())
"""topic0 of EIP-2535's event."""


def apply_cuts(
    timeline: FacetTimeline, catalogue: Catalogue, logs: LogBatch, indices: NDArray[np.int64]
) -> None:
    """Apply the ``DiamondCut`` logs at ``indices`` (ascending). Those that do not decode change nothing, here as in the
    database, which never sees them as cuts.
    """
    layout = next(
        layout
        for choice in catalogue.files["diamond"].choices
        for layout in choice
        if layout.signature == DIAMOND_CUT
    )
    result = layout_decoder(layout).decode(logs, indices)
    cuts = result.columns[layout.columns[0]]
    for index, text in zip(
        indices[result.code == OK].tolist(), cuts if isinstance(cuts, list) else (), strict=True
    ):
        parsed = [
            FacetCut(_bytes(cut["facetAddress"]), cut["action"], tuple(map(_bytes, cut["functionSelectors"])))
            for cut in msgspec.json.decode(str(text))
        ]
        diamond = logs.address[index].tobytes()
        timeline.apply(diamond, int(logs.block_number[index]), int(logs.log_index[index]), parsed)


def _bytes(text: str) -> bytes:
    return bytes.fromhex(text[2:])
