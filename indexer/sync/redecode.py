"""Brings home what lies in ``event.undecoded``: decoded with today's ABIs, without asking the chain again."""

from __future__ import annotations

import numpy as np
import structlog

from indexer.chain.logs import LogBatch
from indexer.decode.decoder import Decoder
from indexer.decode.reasons import DUPLICATE_LOG_INDEX
from indexer.store.undecoded import BEFORE_ALL
from indexer.sync.opening import Opening
from indexer.sync.ownership import NOBODY, Wanted

log = structlog.get_logger(__name__)

PAGE_LOGS = 20_000
"""Undecoded logs loaded, decoded and moved in one transaction."""


async def redecode_chain(opening: Opening, epoch: int) -> int:
    """Decode every undecoded log of a chain again; returns how many came home.

    Projections that read a table which got rows are rebuilt from the event tables afterwards.
    """
    chain_id = opening.settings.chain_id
    state = await opening.store.register_chain(chain_id, opening.name)
    session = await opening.offline_session(epoch)
    wanted = Wanted(frozenset(opening.contracts))
    decoder = Decoder(session.resolver)
    after = BEFORE_ALL
    moved = 0
    while True:
        logs, reasons = await opening.store.undecoded(chain_id, after, PAGE_LOGS)
        if not len(logs):
            break
        after = (int(logs.block_number[-1]), int(logs.log_index[-1]))
        # The key of a second log of one log index is taken: it decodes, but its place is here.
        logs = logs.take(np.array([reason != DUPLICATE_LOG_INDEX for reason in reasons], np.bool_))
        owned = _owned(logs, session.ownership.assign(logs, wanted)[0])
        decoded = decoder.decode(*owned)
        if opening.privacy is not None:
            # Only rows: what stays raw was hidden on its way in, and hashing it again would make it another value.
            decoded = opening.privacy.apply(owned[0], decoded)[1]
        if decoded.rows:
            tables = {rows.table.name for rows in decoded.rows}
            stale = opening.projections.reading(tables)
            await opening.projections.mark_stale(opening.store.pool, chain_id, stale)
            moved += sum((await opening.store.redecode(chain_id, epoch, owned[0], decoded)).values())
        log.info("redecoded", chain=opening.name, through=after[0], moved=moved)
    stale = await opening.projections.stale(opening.store.pool, chain_id, own=True)
    if stale and state.tip is not None:
        await opening.projections.rebuild(opening.store.pool, stale, chain_id=chain_id, epoch=epoch)
    return moved


def _owned(
    logs: LogBatch, owners: np.ndarray[tuple[int], np.dtype[np.int32]]
) -> tuple[LogBatch, np.ndarray[tuple[int], np.dtype[np.int32]]]:
    """Logs that still belong to a contract; those of contracts that were taken out of the file stay where they are."""
    kept = owners != NOBODY
    return logs.take(kept), owners[kept]
