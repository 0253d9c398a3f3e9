"""The chain that the replay server shows: what of a load is there by now, under which hashes."""

from __future__ import annotations

import asyncio
import hashlib

from bench.load import FIRST_BLOCK, HASH, Load, block_time

_NO_BLOOM = b"00" * 256
_FULL_BLOOM = b"ff" * 256


class ServedChain:
    """Blocks of ``load`` up to ``head``; the newest ``final_distance`` may still be replaced."""

    def __init__(self, load: Load, *, shown: int, final_distance: int) -> None:
        self._final_distance = final_distance
        self._last = FIRST_BLOCK + len(load.blocks) - 1
        self._version: dict[int, int] = {}
        self._numbers: dict[str, int] = {}
        self.head = min(self._last, FIRST_BLOCK + shown - 1) if shown else self._last
        self.reorgs = 0
        self._bodies = [
            body.replace(HASH, self.hash_of(FIRST_BLOCK + place)) if body else body
            for place, body in enumerate(load.blocks)
        ]

    @property
    def final(self) -> int:
        """The newest final block."""
        return max(self.head - self._final_distance, FIRST_BLOCK - 1)

    def number_of(self, block_hash: str) -> int | None:
        """The block of a hash that is canonical now, or was asked about before it was replaced: None for the latter."""
        number = self._numbers.get(block_hash)
        if number is None or number > self.head or self.hash_of(number).decode() != block_hash:
            return None
        return number

    def hash_of(self, number: int) -> bytes:
        """A made-up hash as JSON text."""
        version = self._version.get(number, 0)
        made = b"0x" + hashlib.sha256(b"block %d %d" % (number, version)).hexdigest().encode()
        if number > self._last - 100_000:
            self._numbers[made.decode()] = number
        return made

    def logs_json(self, first: int, last: int) -> bytes:
        """The array that ``eth_getLogs`` gives for blocks ``first`` to ``last``."""
        chosen = self._bodies[max(first - FIRST_BLOCK, 0) : max(min(last, self.head) - FIRST_BLOCK + 1, 0)]
        return b"[" + b",".join(filter(None, chosen)) + b"]"

    def header_json(self, number: int) -> bytes:
        """The block object of ``number``, without transactions; the bloom of a block with logs has every bit set."""
        if number > self.head:
            return b"null"
        place = number - FIRST_BLOCK
        bloom = _FULL_BLOOM if place >= 0 and self._bodies[place] else _NO_BLOOM
        return (
            b'{"number":"0x%x","hash":"%b","parentHash":"%b","timestamp":"0x%x","logsBloom":"0x%b","transactions":[]}'
            % (number, self.hash_of(number), self.hash_of(number - 1), block_time(number), bloom)
        )

    async def live(self, every_seconds: float, reorg_every: int, reorg_depth: int) -> None:
        """Show one block more each ``every_seconds`` until all are shown."""
        loop = asyncio.get_running_loop()
        began, shown = loop.time(), 0
        while self.head < self._last:
            await asyncio.sleep(max(0.0, began + (shown + 1) * every_seconds - loop.time()))
            shown += 1
            if reorg_every and shown % reorg_every == 0:
                self.reorgs += 1
                for number in range(self.head - reorg_depth + 1, self.head + 1):
                    self._replace(number)
            self.head += 1

    def _replace(self, number: int) -> None:
        old = self.hash_of(number)
        self._version[number] = self.reorgs
        place = number - FIRST_BLOCK
        self._bodies[place] = self._bodies[place].replace(old, self.hash_of(number))
