"""The text of a new ``indexer.toml``."""

from __future__ import annotations

import json
from collections.abc import Sequence
from typing import TYPE_CHECKING

from indexer.config_values import checksum_address

if TYPE_CHECKING:
    from indexer.cli.survey import Survey, Surveyed

_HEAD = """\
# Configuration of gemforce-indexer. "indexer check" tells whether it is right, "indexer run" starts it.
# Every key can also come from the environment: INDEXER__CHAINS__BASE__RPC=https://…
# In URLs, ${NAME} is replaced by that environment variable, so that keys need not stand in this file.

[database]
# url = "postgresql://indexer:${PGPASSWORD}@localhost/indexer"   # left out: an embedded PostgreSQL under data_dir
# data_dir = ".indexer"

[http]
# listen = "127.0.0.1:8080"    # /livez, /readyz and /metrics; port 0 takes a free one

[log]
# level = "info"               # debug, info, warning, error
# format = "auto"              # auto: lines on a terminal, JSON elsewhere; or json, console

[sync]
# lease_seconds = 15           # how long a chain stays reserved for a daemon that no longer answers
# concurrency = 4              # ranges fetched at once in a backfill
# commit_bytes = 33554432      # logs written in one transaction, at most
# queue_bytes = 100663296      # logs waiting to be written, at most

[reconcile]
# enabled = true               # read view functions beside the event path: names, URIs, deal status; report drift
# every_seconds = 600          # from the end of one pass to the next
# calls_per_second = 10        # requests, on the average
# sample = 200                 # rows of each kind that one pass reads or compares

[projections]
# folder = "projections"       # SQL files of your own, relative to this file; a list for several folders

[privacy]                      # keep (default), hash or drop
# secret = "${INDEXER_PRIVACY_SECRET}"   # needed where something is hashed; keep it
# claim_data = "hash"
# claim_signatures = "drop"
# claim_uris = "keep"
# identity_attributes = "hash"
# token_attributes = "hash"    # of these keys, or "*":
# token_attribute_keys = ["passport"]
"""

_CHAIN_REST = """\
# start_block = 0              # contracts start here unless they say otherwise
# poll_seconds = 1             # how often the head is asked for where no endpoint has a WebSocket
# timeout_seconds = 30         # for one request
# check_bloom = true           # false on chains whose blooms are wrong ("indexer check" tells)
# max_range_blocks = 10000     # most blocks in one log query
# ready_lag_blocks = 10        # /readyz is 503 beyond this lag,
# stall_seconds = 300          # or when the last commit is older than this
"""

_CONTRACT_EXAMPLE = """
# [contracts.my_diamond]
# chain = "{chain}"
# kind = "diamond"             # follows DiamondCut; the default is "contract"
# address = "0x…"              # one, a list, or "*" together with events
# abi = ["gemforce", "erc721"] # names ("indexer abi list") or paths of JSON files
# events = ["Transfer"]        # left out: all
# start_block = 0
#
# [contracts.my_identities]    # addresses that another contract's event announces
# chain = "{chain}"
# discover = {{ contract = "my_diamond", event = "IdentityCreated", parameter = "identity" }}
# abi = ["erc734", "erc735", "gemforce/identity"]
"""


def render(survey: Survey, urls: Sequence[str]) -> str:
    """The whole file. ``urls`` are written as the user gave them, with their ``${…}``."""
    sections = [_HEAD, _chain(survey, urls), *(_contract(survey.name, one) for one in survey.contracts)]
    if not survey.contracts:
        sections.append(_CONTRACT_EXAMPLE.format(chain=survey.name).lstrip("\n"))
    return "\n".join(sections)


def _chain(survey: Survey, urls: Sequence[str]) -> str:
    listed = ", ".join(_quoted(url) for url in urls)
    finality = _quoted(survey.finality) if isinstance(survey.finality, str) else survey.finality
    return (
        f"[chains.{survey.name}]\n"
        f"chain_id = {survey.chain_id}\n"
        f"rpc = [{listed}]   # several are scored, failed over and limited each; http, https, ws, wss\n"
        f'finality = {finality}   # "finalized", "safe", or a number of confirmations\n{_CHAIN_REST}'
    )


def _contract(chain: str, one: Surveyed) -> str:
    abi = f"abi = {json.dumps(list(one.abi))}\n" if one.abi else '# abi = ["./abi/MyContract.json"]\n'
    kind = 'kind = "diamond"\n' if one.kind == "diamond" else ""
    return (
        f"# {one.note}\n[contracts.{one.name}]\nchain = {_quoted(chain)}\n{kind}"
        f"address = {_quoted(checksum_address(one.address))}\n{abi}start_block = {one.start_block}\n"
    )


def _quoted(text: str) -> str:
    """A TOML string: JSON's escapes are among TOML's."""
    return json.dumps(text, ensure_ascii=False)
