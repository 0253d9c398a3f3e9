"""What every table of schema ``state`` has to hold, folded from the logs that web3 read off the chain.

The logs come as ``indexer.demo.expected`` reads and decodes them: blocks and receipts by web3, arguments by the compiler's ABIs.
The folds are those of the property tests, and share nothing with the SQL of the projections.
"""

from __future__ import annotations

import dataclasses
import datetime as dt
import json
import re
from collections.abc import Iterable
from dataclasses import dataclass, field
from typing import Any

import market_fold
from asset_fold import AssetFold
from deal_fold import DealFold
from identity_fold import IdentityFold
from log_fold import LogFold
from state_rows import Rows
from token_fold import TokenFold

from indexer.demo.expected import Expected

Blocks = dict[int, list[Any]]

RENAMED = {
    "diamond_cut": ("diamond_cut", "init", "calldata"),
    "erc721_approval_for_all": ("owner", "operator", "approved"),
    "erc1155_approval_for_all": ("owner", "operator", "approved"),
}
"""Arguments as the standard calls them, where the contracts call them otherwise."""
TRAILING = {"from", "to", "address"}
BEGINNING = dt.datetime(1970, 1, 1, tzinfo=dt.UTC)
LISTS_OF_TUPLES = {"attributes", "deposits", "diamond_cut"}


@dataclass(frozen=True)
class Heard:
    """A log as the folds take it; ``tx`` is its transaction's place in the block."""

    table: str
    address: bytes = b""
    values: dict[str, Any] = field(default_factory=dict)
    tx: int = -1
    tx_hash: bytes = b""
    time: dt.datetime = BEGINNING


def column(name: str, *, hashed: bool) -> str:
    """The column of an argument: snake case, a trailing underscore where the name is taken."""
    parts = re.sub("([A-Z]+)([A-Z][a-z])", r"\1_\2", name)
    snake = re.sub("([a-z0-9])([A-Z])", r"\1_\2", parts).strip("_").lower()
    return f"{snake}_hash" if hashed else snake + "_" * (snake in TRAILING)


def as_column(name: str, value: Any) -> Any:
    """Tuples as the text of JSON; everything else as it is."""
    tuples = isinstance(value, list) and value and isinstance(value[0], dict)
    return (
        json.dumps(value)
        if isinstance(value, dict) or tuples or (name in LISTS_OF_TUPLES and value == [])
        else value
    )


def blocks_of(expected: Expected) -> Blocks:
    """Logs by block, each at the place of its log index; logs that nothing decodes are there as something else."""
    placed: dict[int, dict[int, Heard]] = {}
    for table, rows in expected.rows.items():
        names = RENAMED.get(table) or tuple(
            column(name, hashed=(table, name) == ("diamond_factory_diamond_created", "symbol"))
            for name in expected.names[table]
        )
        for (number, place), row in rows.items():
            _, time, tx_hash, tx, address = row.leading
            values = {name: as_column(name, value) for name, value in zip(names, row.values, strict=True)}
            moment = dt.datetime.fromtimestamp(int(str(time)), dt.UTC)
            heard = Heard(table, bytes(address), values, int(str(tx)), bytes(tx_hash), moment)  # type: ignore[call-overload]
            placed.setdefault(number, {})[place] = heard
    return {
        number: [heard.get(place, Heard("something else")) for place in range(max(heard) + 1)]
        for number, heard in placed.items()
    }


class OnChain(LogFold):
    """Folds with the hashes and times that the chain has; comes before a fold in the order of bases."""

    def _fold_block(self) -> None:
        self.moment = max(event.time for event in self._events)
        super()._fold_block()

    def _proof(self) -> dict[str, Any]:
        return {"tx_hash": self._event.tx_hash, "block_time": self._event.time, "updated_block": self._number}


class Deals(OnChain, DealFold):
    """Trade deals."""


class Assets(OnChain, AssetFold):
    """Carbon credits and multi-token sales."""


class Tokens(OnChain, TokenFold):
    """Tokens and diamonds."""


def state_of(expected: Expected) -> dict[str, Rows]:
    """Rows by table and key, with the columns that the folds know of."""
    blocks = blocks_of(expected)
    told: dict[str, Rows] = {}
    for fold in (Deals, Assets):
        told |= fold(blocks, None).tables
    told |= Tokens(_with_objects(blocks, "settings", "diamond_cut"), None, {}).tables
    identity = IdentityFold(blocks)
    told |= {
        name: rows for name, rows in vars(identity).items() if isinstance(rows, dict) and name != "contract"
    }
    told["identity_contract"] = {(key,): row for key, row in identity.contract.items()}
    return told | _market(blocks)


def _market(blocks: Blocks) -> dict[str, Rows]:
    market = market_fold.Market(blocks)
    receivers, paid = market_fold.fees(blocks)
    said = market_fold.last_words(blocks)
    listing = ("diamond", "token_id", "opened_block", "opened_log_index")
    place = ("block_number", "log_index")
    told = {
        "listing": _keyed(market.listings, listing),
        "sale": _keyed(map(_one_payment, market.sales), place),
        "sale_payout": _keyed(({**row, "updated_block": row["block_number"]} for row in market.payouts), place),
        "fee_receiver": {
            key: {"position": at, "weight": weight, "basis": basis, "inconsistent": reason is not None,
                  "inconsistency": reason, "updated_block": block}
            for key, (at, weight, basis, reason, block) in receivers.items()
        },
        "fee_distribution": {key: _distribution(blocks, key, row) for key, row in paid.items()},
        "token": _named({(key,): row for key, row in market_fold.tokens(blocks).items()}, "kind", "inconsistent"),
        "token_attribute": _named(
            market_fold.attributes(_with_objects(blocks, "attributes")), "attribute_type", "value", "set_block", "removed", "removed_block",
            "inconsistent",
        ),
        "treasury_balance": _named(
            market_fold.treasuries(blocks), "balance", "total_deposited", "total_withdrawn", "last_withdrawal_block",
            "inconsistent",
        ),
        "ownership": _named(
            {(key,): row for key, row in market_fold.owners(blocks).items()}, "owner", "pending_owner",
            "owner_since_block", "inconsistent",
        ),
        "role_member": _named(
            market_fold.members(blocks), "active", "granted_block", "granted_by", "revoked_block", "revoked_by",
            "inconsistent",
        ),
        "token_uri": _named(said["token_uri"], "uri"),
        "metadata_refresh": _named(said["metadata_refresh"]),
        "svg_template": _named(said["svg_template"], "template"),
        "role_admin": _named(said["role_admin"], "admin_role"),
        "pause_flag": _named({(key,): row for key, row in said["pause_flag"].items()}, "paused", "account"),
    }  # fmt: skip
    for name in ("sale", "sale_payout", "fee_distribution"):
        for (number, at), row in told[name].items():
            row |= {"tx_hash": blocks[number][at].tx_hash, "block_time": blocks[number][at].time}
    return told


def _with_objects(blocks: Blocks, *names: str) -> Blocks:
    """The same with these arguments as objects and lists rather than text, which is how some folds take them."""

    def opened(event: Heard) -> Heard:
        told = {name: json.loads(event.values[name]) for name in names if name in event.values}
        return dataclasses.replace(event, values={**event.values, **told}) if told else event

    return {number: [opened(event) for event in heard] for number, heard in blocks.items()}


def _keyed(rows: Iterable[dict[str, Any]], keys: tuple[str, ...]) -> Rows:
    return {
        tuple(row[key] for key in keys): {name: value for name, value in row.items() if name not in keys}
        for row in rows
    }


def _named(rows: dict[Any, Any], *names: str) -> Rows:
    return {key: dict(zip((*names, "updated_block"), row, strict=True)) for key, row in rows.items()}


def _one_payment(sale: dict[str, Any]) -> dict[str, Any]:
    (token,) = sale["payment_token"]
    return {**sale, "payment_token": token}


def _distribution(blocks: Blocks, key: tuple[int, int], row: tuple[Any, ...]) -> dict[str, Any]:
    contract, token, fees, odd = row
    v = blocks[key[0]][key[1]].values
    return {
        "contract": contract, "token": token, "principal_receiver": market_fold.real(v["principal_amount_receiver"]),
        "principal_amount": v["principal_amount"],
        "adjusted_receiver": market_fold.real(v["adjusted_amount_receiver"]), "adjusted_amount": v["adjusted_amount"],
        "receivers": v["fee_receivers"], "amounts": v["fee_amounts"], "fee_total": fees, "inconsistent": odd,
        "updated_block": key[0],
    }  # fmt: skip
