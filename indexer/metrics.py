"""Every metric of ``/metrics``, on one registry, all present at zero from the start.

Names carry base units and end in ``_total`` for counters; points in time are Unix timestamps, never ages. Labels:
``chain`` is the section's name, ``endpoint`` host and port, ``event`` the table's name without its schema, ``method``
the JSON-RPC method; no label ever holds an address, a hash or a URL. A process has one set of metrics, so they are
module attributes; ``prepare`` makes the label values that are known at start exist at zero.
"""

from __future__ import annotations

from collections.abc import Iterable

from prometheus_client import (
    CollectorRegistry,
    Counter,
    Gauge,
    Histogram,
    ProcessCollector,
    disable_created_metrics,
    generate_latest,
)

from indexer import __version__

# A ``_created`` series beside each counter would double the page and tell nothing we use.
disable_created_metrics()  # type: ignore[no-untyped-call]  # the library leaves it untyped

REGISTRY = CollectorRegistry(auto_describe=True)

COMMIT_MODES = ("backfill", "follow", "late")
"""Values of ``mode``: below finality, at the tip, and a source added later that catches up behind the tip."""

RPC_OUTCOMES = (
    "ok",
    "timeout",
    "unavailable",
    "rate_limited",
    "range_too_wide",
    "too_many_addresses",
    "not_yet_known",
    "refused",
    "lied",
)
"""Values of ``outcome`` of an RPC request: one for each way ``errors.py`` knows, and ``ok``."""

RPC_METHODS = (
    "eth_chainId",
    "eth_getBlockByNumber",
    "eth_getBlockByHash",
    "eth_getLogs",
    "eth_getBlockReceipts",
    "eth_getTransactionReceipt",
    "eth_getCode",
    "eth_call",
)
"""Values of ``method`` that the client sends."""

UNDECODED_REASONS = (
    "unknown_topic",
    "no_topics",
    "topic_count",
    "short_data",
    "dirty_padding",
    "bad_offset",
    "bad_length",
    "too_large",
    "duplicate_log_index",
)
"""Values of ``reason`` of undecoded logs: the words of ``decode.reasons``, which a test holds equal."""

IRREGULAR_REASONS = ("surplus_data", "duplicate_log_index", "log_index_gap", "wrong_bloom")
"""Values of ``reason`` of logs that decoded, or blocks that were taken, though something about them was unusual."""

RECONCILIATION_CHECKS = (
    "erc20_supply",
    "erc20_balance",
    "erc20_allowance",
    "nft_owner",
    "nft_operator",
    "erc1155_balance",
    "diamond_selectors",
    "contract_owner",
    "pause_flag",
    "role_member",
    "carbon_balance",
    "trade_deal",
    "trade_deal_participant",
    "multi_sale",
    "fee_receivers",
    "treasury_balance",
    "token_attribute",
    "claim_topics",
    "issuer_topics",
    "factory_identity",
)
"""Values of ``check`` of the comparisons between state and chain: those of ``sync.reconcile``, which a test holds equal."""

INCONSISTENT_TABLES = (
    "carbon_credit",
    "carbon_retirement",
    "claim_topic",
    "collateral_token",
    "fee_distribution",
    "fee_receiver",
    "identity",
    "identity_claim",
    "identity_key",
    "multi_sale",
    "multi_sale_purchase",
    "nft",
    "ownership",
    "registry_claim",
    "role_member",
    "sale",
    "sale_payout",
    "token",
    "token_attribute",
    "trade_deal",
    "trade_deal_cashflow",
    "trade_deal_invoice",
    "trade_deal_participant",
    "treasury_balance",
    "trusted_issuer",
)
"""Values of ``table``: tables of schema state that mark rows as inconsistent; a test holds them against the database."""

WEBHOOK_OUTCOMES = ("delivered", "failed", "refused", "disabled")
"""Values of ``outcome`` of an attempt to deliver a webhook."""

HEAD_TO_COMMIT_BUCKETS = (0.005, 0.01, 0.025, 0.05, 0.1, 0.25, 0.5, 1.0, 2.5, 5.0, 10.0, 30.0, 60.0)
COMMIT_BUCKETS = (0.001, 0.0025, 0.005, 0.01, 0.025, 0.05, 0.1, 0.25, 0.5, 1.0, 2.5, 5.0, 10.0, 30.0)
REORG_DEPTH_BUCKETS = (1, 2, 3, 4, 6, 8, 12, 16, 32, 64, 128)
REQUEST_BUCKETS = (0.001, 0.0025, 0.005, 0.01, 0.025, 0.05, 0.1, 0.25, 0.5, 1.0, 2.5, 5.0, 10.0, 30.0)

HEAD_BLOCK_NUMBER = Gauge(
    "indexer_head_block_number", "Newest block that the chain's endpoints know.", ["chain"], registry=REGISTRY
)
TIP_BLOCK_NUMBER = Gauge(
    "indexer_tip_block_number", "Newest block committed to the database.", ["chain"], registry=REGISTRY
)
FINALIZED_BLOCK_NUMBER = Gauge(
    "indexer_finalized_block_number", "Newest block held as final.", ["chain"], registry=REGISTRY
)
LAG_BLOCKS = Gauge("indexer_lag_blocks", "Blocks between head and tip.", ["chain"], registry=REGISTRY)
TIP_BLOCK_TIMESTAMP_SECONDS = Gauge(
    "indexer_tip_block_timestamp_seconds", "Timestamp of the tip's block.", ["chain"], registry=REGISTRY
)
LAST_COMMIT_TIMESTAMP_SECONDS = Gauge(
    "indexer_last_commit_timestamp_seconds", "When the last commit was made.", ["chain"], registry=REGISTRY
)
LOGS_COMMITTED = Counter(
    "indexer_logs_committed_total",
    "Decoded logs committed, by event table.",
    ["chain", "event"],
    registry=REGISTRY,
)
UNDECODED_LOGS = Counter(
    "indexer_undecoded_logs_total",
    "Logs kept raw because no ABI decodes them.",
    ["chain", "reason"],
    registry=REGISTRY,
)
IRREGULAR_LOGS = Counter(
    "indexer_irregular_logs_total",
    "Logs and blocks that were taken although something about them was unusual.",
    ["chain", "reason"],
    registry=REGISTRY,
)
COMMIT_DURATION_SECONDS = Histogram(
    "indexer_commit_duration_seconds",
    "Duration of one commit, from BEGIN to the answer of COMMIT.",
    ["chain", "mode"],
    buckets=COMMIT_BUCKETS,
    registry=REGISTRY,
)
HEAD_TO_COMMIT_SECONDS = Histogram(
    "indexer_head_to_commit_seconds",
    "From hearing of a new head to its committed rows.",
    ["chain"],
    buckets=HEAD_TO_COMMIT_BUCKETS,
    registry=REGISTRY,
)
REORGS = Counter("indexer_reorgs_total", "Reorgs undone.", ["chain"], registry=REGISTRY)
REORG_DEPTH_BLOCKS = Histogram(
    "indexer_reorg_depth_blocks",
    "How many of our blocks a reorg removed.",
    ["chain"],
    buckets=REORG_DEPTH_BUCKETS,
    registry=REGISTRY,
)
RPC_REQUESTS = Counter(
    "indexer_rpc_requests_total",
    "JSON-RPC requests by what became of them.",
    ["chain", "endpoint", "method", "outcome"],
    registry=REGISTRY,
)
RPC_REQUEST_DURATION_SECONDS = Histogram(
    "indexer_rpc_request_duration_seconds",
    "Duration of a JSON-RPC request.",
    ["chain", "endpoint", "method"],
    buckets=REQUEST_BUCKETS,
    registry=REGISTRY,
)
RPC_RANGE_BLOCKS = Gauge(
    "indexer_rpc_range_blocks",
    "Blocks a log query to this endpoint spans at present.",
    ["chain", "endpoint"],
    registry=REGISTRY,
)
ENDPOINT_UP = Gauge(
    "indexer_endpoint_up",
    "Whether the endpoint answers and is trusted (1) or not (0).",
    ["chain", "endpoint"],
    registry=REGISTRY,
)
BACKFILL_BLOCKS_REMAINING = Gauge(
    "indexer_backfill_blocks_remaining",
    "Blocks not yet fetched below the hand-over to following.",
    ["chain"],
    registry=REGISTRY,
)
DIAMOND_CUTS = Counter(
    "indexer_diamond_cuts_total", "DiamondCut logs committed.", ["chain"], registry=REGISTRY
)
DIAMOND_UNKNOWN_FACETS = Gauge(
    "indexer_diamond_unknown_facets",
    "Active facets whose selectors match no ABI in the catalogue.",
    ["chain"],
    registry=REGISTRY,
)
RECONCILIATION_DRIFT = Gauge(
    "indexer_reconciliation_drift",
    "Differences the last comparison of state and chain found.",
    ["chain", "check"],
    registry=REGISTRY,
)
INCONSISTENT_ROWS = Gauge(
    "indexer_inconsistent_rows",
    "Rows of schema state whose events contradict each other, as of the last look.",
    ["chain", "table"],
    registry=REGISTRY,
)
WEBHOOK_ATTEMPTS = Counter(
    "indexer_webhook_attempts_total", "Attempts to deliver a webhook.", ["outcome"], registry=REGISTRY
)
OUTBOX_OLDEST_PENDING_TIMESTAMP_SECONDS = Gauge(
    "indexer_outbox_oldest_pending_timestamp_seconds",
    "When the oldest undelivered message was committed; 0 when there is none.",
    registry=REGISTRY,
)
LEASE_HELD = Gauge(
    "indexer_lease_held", "Whether this process may write the chain.", ["chain"], registry=REGISTRY
)
CHAIN_HALTED = Gauge(
    "indexer_chain_halted",
    "Whether the chain was stopped by a Halt (1) or not (0).",
    ["chain"],
    registry=REGISTRY,
)
BUILD_INFO = Gauge("indexer_build_info", "The running version; always 1.", ["version"], registry=REGISTRY)

_PROCESS = ProcessCollector(registry=REGISTRY)

_PER_CHAIN: tuple[Gauge | Counter | Histogram, ...] = (
    HEAD_BLOCK_NUMBER,
    TIP_BLOCK_NUMBER,
    FINALIZED_BLOCK_NUMBER,
    LAG_BLOCKS,
    TIP_BLOCK_TIMESTAMP_SECONDS,
    LAST_COMMIT_TIMESTAMP_SECONDS,
    HEAD_TO_COMMIT_SECONDS,
    REORGS,
    REORG_DEPTH_BLOCKS,
    BACKFILL_BLOCKS_REMAINING,
    DIAMOND_CUTS,
    DIAMOND_UNKNOWN_FACETS,
    LEASE_HELD,
    CHAIN_HALTED,
)

BUILD_INFO.labels(__version__).set(1)
for _outcome in WEBHOOK_OUTCOMES:
    WEBHOOK_ATTEMPTS.labels(_outcome)


def prepare(chain: str, endpoints: Iterable[str] = (), events: Iterable[str] = ()) -> None:
    """Make every series of a chain exist at zero; values that are there already stay.

    Args:
        chain: the section's name.
        endpoints: names (host and port) of the chain's endpoints.
        events: names of event tables, without the schema.
    """
    for metric in _PER_CHAIN:
        metric.labels(chain)
    for mode in COMMIT_MODES:
        COMMIT_DURATION_SECONDS.labels(chain, mode)
    for reason in UNDECODED_REASONS:
        UNDECODED_LOGS.labels(chain, reason)
    for reason in IRREGULAR_REASONS:
        IRREGULAR_LOGS.labels(chain, reason)
    for check in RECONCILIATION_CHECKS:
        RECONCILIATION_DRIFT.labels(chain, check)
    for table in INCONSISTENT_TABLES:
        INCONSISTENT_ROWS.labels(chain, table)
    for event in events:
        LOGS_COMMITTED.labels(chain, event)
    for endpoint in endpoints:
        _prepare_endpoint(chain, endpoint)


def _prepare_endpoint(chain: str, endpoint: str) -> None:
    RPC_RANGE_BLOCKS.labels(chain, endpoint)
    ENDPOINT_UP.labels(chain, endpoint)
    for method in RPC_METHODS:
        RPC_REQUEST_DURATION_SECONDS.labels(chain, endpoint, method)
        for outcome in RPC_OUTCOMES:
            RPC_REQUESTS.labels(chain, endpoint, method, outcome)


def render() -> bytes:
    """The page of ``/metrics`` in Prometheus' text format."""
    return generate_latest(REGISTRY)
