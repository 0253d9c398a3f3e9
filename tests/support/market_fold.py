"""The state of marketplaces, fees, tokens, attributes, treasuries and access, folded log by log in plain Python.

It shares nothing with the SQL of the projections: one pass, one log at a time, dictionaries.
"""

from __future__ import annotations

import hashlib
import json
from collections import defaultdict
from collections.abc import Iterator
from typing import Any, NamedTuple

ZERO = bytes(20)
STEPS = {
    "marketplace_listings": "token_id",
    "marketplace_sales": "token_id",
    "marketplace_delisted": "item_id",
}
KINDS = {
    "erc20_transfer": "erc20", "erc721_transfer": "erc721", "erc2309_consecutive_transfer": "erc721",
    "erc1155_transfer_single": "erc1155", "erc1155_transfer_batch": "erc1155",
}  # fmt: skip
TWICE = "initialised more than once"


def real(address: bytes) -> bytes | None:
    return None if address == ZERO else address


def short(key: str) -> str:
    raw = key.encode()
    return key if len(raw) <= 1024 else f"{key[:200]}…{hashlib.sha256(raw).hexdigest()}"


def events(blocks: dict[int, list[Any]]) -> Iterator[tuple[int, int, Any]]:
    for number in sorted(blocks):
        for place, event in enumerate(blocks[number]):
            yield number, place, event


# -- marketplace -------------------------------------------------------------------------------------------------------


def around(block: list[Any], place: int, diamond: bytes, token: Any) -> tuple[Any, Any]:
    """The nearest Transfer of a token before and after a log in its transaction, up to the token's next marketplace log."""
    found: list[Any] = []
    for places in (range(place - 1, -1, -1), range(place + 1, len(block))):
        nearest = None
        for at in places:
            other = block[at]
            if other.tx != block[place].tx or other.address != diamond:
                continue
            if other.table in STEPS and other.values[STEPS[other.table]] == token:
                break
            if other.table == "erc721_transfer" and other.values["token_id"] == token:
                nearest = other.values
                break
        found.append(nearest)
    return found[0], found[1]


def new_owner(before: Any, after: Any, diamond: bytes, caller: bytes) -> bytes | None:
    if before is None:
        return real(after["to_"] if after else caller)
    if before["to_"] == diamond and after is not None and after["from_"] == diamond:
        return real(after["to_"])
    return real(before["to_"])


class Log(NamedTuple):
    """A log at its place in its block."""

    number: int
    place: int
    event: Any
    block: list[Any]


class Market:
    """Listings, sales and payouts of a chain; each row a dictionary of what is compared."""

    def __init__(self, blocks: dict[int, list[Any]]) -> None:
        self.listings: list[dict[str, Any]] = []
        self.sales: list[dict[str, Any]] = []
        self.payouts: list[dict[str, Any]] = []
        self.open: dict[tuple[bytes, Any], dict[str, Any]] = {}
        self.shares: dict[bytes, list[dict[str, str]]] = {}
        self.waiting: list[dict[str, Any]] = []
        self.transaction: tuple[int, int] = (-1, -1)
        for number, place, event in events(blocks):
            if self.transaction != (number, event.tx):
                self.transaction, self.waiting = (number, event.tx), []
            handle = getattr(self, "on_" + event.table, None)
            if handle is not None:
                handle(Log(number, place, event, blocks[number]))

    def close(self, event: Any, token: Any, number: int, place: int, status: str, buyer: Any = None) -> Any:
        listing = self.open.pop((event.address, token), None)
        if listing is not None:
            listing.update(
                status=status, buyer=buyer, closed_block=number, closed_log_index=place, updated_block=number
            )
        return listing

    def on_marketplace_initialized(self, log: Log) -> None:
        event = log.event
        self.shares[event.address] = json.loads(event.values["fee_receivers"])

    def on_marketplace_listings(self, log: Log) -> None:
        number, place, event, block = log
        values, token = event.values, event.values["token_id"]
        self.close(event, token, number, place, "superseded")
        before, after = around(block, place, event.address, token)
        nearest = before or after
        listing = {
            "diamond": event.address, "token_id": token, "opened_block": number, "opened_log_index": place,
            "seller": real(values["seller"]), "receiver": real(values["receiver"]), "price": values["price"],
            "payment_token": real(values["payment_token"]), "status": "open",
            "escrowed": nearest is not None and nearest["to_"] == event.address,
            "buyer": None, "closed_block": None, "closed_log_index": None, "updated_block": number,
        }  # fmt: skip
        self.open[event.address, token] = listing
        self.listings.append(listing)

    def on_marketplace_delisted(self, log: Log) -> None:
        number, place, event, _ = log
        self.close(event, event.values["item_id"], number, place, "delisted")

    def on_marketplace_payment_distributed(self, log: Log) -> None:
        number, place, event, _ = log
        payout = {
            "block_number": number, "log_index": place, "diamond": event.address, "sale_log_index": None,
            "receiver": real(event.values["receiver"]), "token": real(event.values["token"]),
            "amount": event.values["amount"], "kind": None, "inconsistent": True,
        }  # fmt: skip
        self.waiting.append(payout)
        self.payouts.append(payout)

    def on_marketplace_sales(self, log: Log) -> None:
        number, place, event, block = log
        token = event.values["token_id"]
        before, after = around(block, place, event.address, token)
        buyer = new_owner(before, after, event.address, event.values["owner"])
        listing = self.close(event, token, number, place, "sold", buyer)
        mine = [payout for payout in self.waiting if payout["diamond"] == event.address]
        self.waiting = [payout for payout in self.waiting if payout["diamond"] != event.address]
        price = listing["price"] if listing else None
        due = sum(
            int(price or 0) * int(one["sharePerMillion"]) // 10**6
            for one in self.shares.get(event.address, ())
        )
        nothing_left = price is not None and 0 < price <= due
        net = mine[-1]["amount"] if mine and not nothing_left else 0
        for payout in mine:
            payout.update(sale_log_index=place, kind="fee", inconsistent=False)
        if mine and mine[-1]["amount"] == net:
            mine[-1]["kind"] = "seller"
        tokens = {payout["token"] for payout in mine}
        self.sales.append(
            {
                "block_number": number, "log_index": place, "diamond": event.address, "token_id": token, "buyer": buyer,
                "seller": listing["seller"] if listing else None, "price": price,
                "payment_token": {listing["payment_token"]} if listing else tokens or {None},
                "fee_total": sum(payout["amount"] for payout in mine) - net, "seller_net": net,
                "listing_block": listing["opened_block"] if listing else None,
                "listing_log_index": listing["opened_log_index"] if listing else None,
                "inconsistent": listing is None or (before is None and after is None), "updated_block": number,
            }
        )  # fmt: skip


# -- fees --------------------------------------------------------------------------------------------------------------


def fees(blocks: dict[int, list[Any]]) -> tuple[dict[Any, Any], dict[Any, Any]]:
    """(receivers by contract, source and receiver; distributions by log)."""
    market: dict[bytes, dict[bytes, Any]] = defaultdict(dict)
    market_times: dict[bytes, list[int]] = defaultdict(list)
    opened: dict[bytes, list[tuple[int, Any]]] = defaultdict(list)
    last_set: dict[bytes, tuple[int, Any]] = {}
    paid: dict[Any, Any] = {}
    for number, place, event in events(blocks):
        values, who = event.values, event.address
        if event.table == "marketplace_initialized":
            market_times[who].append(number)
            market[who].update(
                added(
                    (bytes.fromhex(one["receiver"][2:]), int(one["sharePerMillion"]))
                    for one in json.loads(values["fee_receivers"])
                )
            )
        elif event.table == "fee_distributor_initialized":
            opened[who].append((number, values))
        elif event.table == "fee_distributor_fee_receivers_set":
            last_set[who] = (number, values)
        elif event.table == "fee_distributor_amounts_distributed":
            token = real(opened[who][-1][1]["distribution_token"]) if opened[who] else None
            uneven = len(values["fee_receivers"]) != len(values["fee_amounts"])
            paid[number, place] = (who, token, sum(values["fee_amounts"]), uneven or len(opened[who]) > 1)
    receivers: dict[Any, Any] = {}
    for who, parts in market.items():
        for receiver, (position, weight) in parts.items():
            reason = TWICE if len(market_times[who]) > 1 else None
            receivers[who, "marketplace", receiver] = (position, weight, 10**6, reason, market_times[who][-1])
    for who, (number, values) in last_set.items():
        lists = values["fee_receivers"], values["fee_weights"]
        basis = opened[who][-1][1]["total_weight_basis"] if opened[who] else None
        reason = TWICE if len(opened[who]) > 1 else None
        if len(lists[0]) != len(lists[1]):
            reason = "receivers and weights of unequal number"
        updated = max([number, *(at for at, _ in opened[who])])
        for receiver, (position, weight) in added(zip(*lists, strict=False)).items():
            receivers[who, "distributor", receiver] = (position, weight, basis, reason, updated)
    return receivers, paid


def added(pairs: Any) -> dict[bytes, tuple[int, Any]]:
    parts: dict[bytes, tuple[int, Any]] = {}
    for place, (receiver, weight) in enumerate(pairs):
        first, before = parts.get(receiver, (place, 0))
        parts[receiver] = (first, before + weight)
    return parts


# -- tokens and attributes -----------------------------------------------------------------------------------------------


def tokens(blocks: dict[int, list[Any]]) -> dict[bytes, Any]:
    rows: dict[bytes, Any] = {}
    for number, _, event in events(blocks):
        kind = KINDS.get(event.table)
        if kind is None:
            continue
        held = rows.setdefault(event.address, (kind, False, number))
        if held[0] != kind and not held[1]:
            rows[event.address] = (held[0], True, number)
    return rows


def false_senders(blocks: dict[int, list[Any]]) -> dict[Any, bool]:
    owners: dict[Any, bytes] = {}
    odd: dict[Any, bool] = {}
    for _, _, event in events(blocks):
        if event.table == "erc721_transfer":
            key = (event.address, event.values["token_id"])
            odd[key] = odd.get(key, False) or owners.get(key, event.values["from_"]) != event.values["from_"]
            owners[key] = event.values["to_"]
    return odd


def last_words(blocks: dict[int, list[Any]]) -> dict[str, dict[Any, Any]]:
    """What is simply the last thing said: URIs, refreshes, templates, role admins, pauses."""
    rows: dict[str, dict[Any, Any]] = defaultdict(dict)
    for number, _, event in events(blocks):
        v, who = event.values, event.address
        if event.table == "erc1155_uri":
            rows["token_uri"][who, v["id"]] = (v["value"], number)
        elif event.table == "erc4906_metadata_update":
            rows["metadata_refresh"][who, v["token_id"], v["token_id"]] = (number,)
        elif event.table == "erc4906_batch_metadata_update":
            rows["metadata_refresh"][who, v["from_token_id"], v["to_token_id"]] = (number,)
        elif event.table == "svg_template_created":
            rows["svg_template"][who, short(v["name"])] = (real(v["template"]), number)
        elif event.table == "access_control_role_admin_changed":
            rows["role_admin"][who, v["role"]] = (v["new_admin_role"], number)
        elif event.table in {"pausable_paused", "pausable_unpaused"}:
            rows["pause_flag"][who] = (event.table == "pausable_paused", real(v["account"]), number)
    return rows


def attributes(blocks: dict[int, list[Any]]) -> dict[Any, Any]:
    rows: dict[Any, dict[str, Any]] = {}

    def put(
        number: int, who: bytes, token: Any, key: str, one: dict[str, Any], *, differs: bool = False
    ) -> None:
        rows[who, token, short(key)] = {
            "attribute_type": one["attributeType"], "value": one["value"], "set_block": number, "removed": False,
            "removed_block": None, "inconsistent": differs, "updated_block": number,
        }  # fmt: skip

    def drop(number: int, who: bytes, token: Any, key: str) -> None:
        row = rows.get((who, token, short(key)))
        if row is not None:
            row.update(
                removed=True,
                removed_block=number if row["removed_block"] is None else row["removed_block"],
                updated_block=number,
            )

    for number, _, event in events(blocks):
        v, who = event.values, event.address
        if event.table == "minter_gemforce_minted":
            for one in v["attributes"]:
                put(number, who, v["token_id"], one["key"], one)
        elif event.table == "metadata_token_metadata_set":
            one = json.loads(v["value"])
            put(number, who, v["token_id"], v["key"], one, differs=v["key"] != one["key"])
        elif event.table == "metadata_contract_metadata_set":
            one = json.loads(v["value"])
            put(number, who, 0, one["key"], one)
        elif event.table == "metadata_token_metadata_deleted":
            drop(number, who, v["token_id"], v["key"])
        elif event.table == "metadata_contract_metadata_deleted":
            drop(number, who, 0, v["key"])
        elif event.table == "metadata_attribute_removed":
            drop(number, who, v["token_id"], v["attribute_key"])
    return {key: tuple(row.values()) for key, row in rows.items()}


# -- treasury and access -------------------------------------------------------------------------------------------------


def treasuries(blocks: dict[int, list[Any]]) -> dict[Any, Any]:
    rows: dict[Any, dict[str, Any]] = defaultdict(
        lambda: {"balance": 0, "in": 0, "out": 0, "withdrawal": None, "odd": False, "block": None}
    )
    for number, _, event in events(blocks):
        if event.table == "treasury_deposited":
            for one in json.loads(event.values["deposits"]):
                row = rows[event.address, int(one["tokenId"])]
                row["balance"] += int(one["amount"])
                row["in"] += int(one["amount"])
                row["block"] = number
        elif event.table == "treasury_withdrawn":
            listed = [rows[event.address, int(token)] for token in set(event.values["token_ids"])]
            odd = sum(row["balance"] for row in listed) != event.values["amount"]
            for row in listed:
                row.update(
                    out=row["out"] + row["balance"],
                    balance=0,
                    withdrawal=number,
                    odd=row["odd"] or odd,
                    block=number,
                )
    return {key: tuple(row.values()) for key, row in rows.items()}


def owners(blocks: dict[int, list[Any]]) -> dict[bytes, Any]:
    rows: dict[bytes, Any] = {}
    for number, _, event in events(blocks):
        owner, _, since, odd, _ = rows.get(event.address, (None, None, None, False, None))
        if event.table == "ownable_ownership_transferred":
            odd = since is not None and real(event.values["previous_owner"]) != owner
            rows[event.address] = (real(event.values["new_owner"]), None, number, odd, number)
        elif event.table == "ownable_ownership_transfer_started":
            rows[event.address] = (owner, real(event.values["new_owner"]), since, odd, number)
    return rows


def members(blocks: dict[int, list[Any]]) -> dict[Any, Any]:
    rows: dict[Any, Any] = {}
    for number, _, event in events(blocks):
        v = event.values
        if event.table == "access_control_role_granted":
            rows[event.address, v["role"], v["account"]] = (
                True,
                number,
                real(v["sender"]),
                None,
                None,
                False,
                number,
            )
        elif event.table == "access_control_role_revoked":
            key = (event.address, v["role"], v["account"])
            granted = rows.get(key, (False, None, None))
            rows[key] = (False, granted[1], granted[2], number, real(v["sender"]), granted[1] is None, number)
    return rows
