"""Why a log is not decoded, and what is unusual about one that is: fixed words, used as metric labels and in SQL.

``short_data``: fewer bytes than the types need. ``dirty_padding``: a value does not fit its type, or padding is not
zero. ``bad_offset``, ``bad_length``: an offset or a length leads out of the data. ``too_large``: offsets make the same
bytes count so often that the value would be many times larger than the log.
"""

from __future__ import annotations

UNKNOWN_TOPIC = "unknown_topic"
NO_TOPICS = "no_topics"
TOPIC_COUNT = "topic_count"
SHORT_DATA = "short_data"
DIRTY_PADDING = "dirty_padding"
BAD_OFFSET = "bad_offset"
BAD_LENGTH = "bad_length"
TOO_LARGE = "too_large"
DUPLICATE_LOG_INDEX = "duplicate_log_index"

UNDECODED_REASONS: tuple[str, ...] = (
    UNKNOWN_TOPIC,
    NO_TOPICS,
    TOPIC_COUNT,
    SHORT_DATA,
    DIRTY_PADDING,
    BAD_OFFSET,
    BAD_LENGTH,
    TOO_LARGE,
    DUPLICATE_LOG_INDEX,
)
"""Every value of ``event.undecoded.reason``."""

SURPLUS_DATA = "surplus_data"

IRREGULAR_REASONS: tuple[str, ...] = (SURPLUS_DATA, DUPLICATE_LOG_INDEX)
"""Every reason for which decoding counts a log as irregular."""


class Undecodable(Exception):
    """One log's data does not decode; ``reason`` is one of ``UNDECODED_REASONS``. Never leaves this package."""

    def __init__(self, reason: str) -> None:
        self.reason = reason
        super().__init__(reason)
