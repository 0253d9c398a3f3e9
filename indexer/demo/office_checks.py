"""What the state of sales, treasuries, templates, roles, pauses and owners claims, and what the contracts say of it."""

from __future__ import annotations

from typing import Any

from indexer.demo.state_checks import Aspect, ContractView, Key, address_of

_SALE_MEMBERS = (0, 1, 4, 5, 6, 7, 8, 9, 10, 11, 12, 15, 16)
"""Places in a sale's settings of what is compared as it is, in the order of the query below."""


def _keys(table: str, *places: int) -> Any:
    """Keys that a table's events name: the emitter, then these of their arguments."""

    def known(view: ContractView) -> set[Key]:
        return {(at, *(said[place] for place in places)) for at, said in view.expected.arguments(table)}

    return known


def _deposited(view: ContractView) -> set[Key]:
    told = view.expected.arguments("treasury_deposited")
    return {(treasury, int(one["tokenId"])) for treasury, (deposits,) in told for one in deposits}


def _members(view: ContractView) -> set[Key]:
    granted = _keys("access_control_role_granted", 0, 1)(view)
    return set(granted | _keys("access_control_role_revoked", 0, 1)(view))


async def _treasury(view: ContractView, treasury: bytes, token: int) -> tuple[Any, ...]:
    return (await view.ask(treasury, "Treasury", "balances", token),)


async def _template(view: ContractView, manager: bytes, name: str) -> tuple[Any, ...]:
    return (address_of(await view.ask(manager, "SvgManager", "svgTemplate", name)),)


async def _member(view: ContractView, vault: bytes, role: bytes, account: bytes) -> tuple[Any, ...]:
    return (await view.ask(vault, "Vault", "hasRole", role, account),)


async def _role_admin(view: ContractView, vault: bytes, role: bytes) -> tuple[Any, ...]:
    return (bytes(await view.ask(vault, "Vault", "getRoleAdmin", role)),)


async def _paused(view: ContractView, vault: bytes) -> tuple[Any, ...]:
    return (await view.ask(vault, "Vault", "paused"),)


async def _pending_owner(view: ContractView, vault: bytes) -> tuple[Any, ...]:
    return (address_of(await view.ask(vault, "Vault", "pendingOwner")),)


async def _sale(view: ContractView, diamond: bytes, sale: int) -> tuple[Any, ...]:
    """Settings of a sale, its price last: purchases may have raised it without an event."""
    told = await view.ask(diamond, "MultiSaleFacet", "getTokenSaleSettings", sale)
    members = [told[place] for place in _SALE_MEMBERS]
    plain = [address_of(one) if isinstance(one, str) and one[:2] == "0x" else one for one in members]
    price, modifier, factor, highest = told[-1]
    return (*plain, modifier, factor, highest, price)


def _same_sale(have: Any, truth: Any) -> bool:
    return have is not None and have[:-1] == truth[:-1] and have[-1] <= truth[-1]


OFFICE_ASPECTS: tuple[Aspect, ...] = (
    Aspect(
        "state.treasury_balance",
        "SELECT contract, token_id, balance FROM state.treasury_balance WHERE chain_id = $1",
        2,
        _deposited,
        _treasury,
    ),
    Aspect(
        "state.svg_template",
        "SELECT manager, name, template FROM state.svg_template WHERE chain_id = $1",
        2,
        _keys("svg_template_created", 0),
        _template,
    ),
    Aspect(
        "state.role_member",
        "SELECT contract, role, account, active FROM state.role_member WHERE chain_id = $1",
        3,
        _members,
        _member,
    ),
    Aspect(
        "state.role_admin",
        "SELECT contract, role, admin_role FROM state.role_admin WHERE chain_id = $1",
        2,
        _keys("access_control_role_admin_changed", 0),
        _role_admin,
    ),
    Aspect(
        "state.pause_flag",
        "SELECT contract, paused FROM state.pause_flag WHERE chain_id = $1",
        1,
        _keys("pausable_paused"),
        _paused,
    ),
    Aspect(
        "state.ownership (pending)",
        "SELECT contract, pending_owner FROM state.ownership WHERE chain_id = $1 AND pending_owner IS NOT NULL",
        1,
        _keys("ownable_ownership_transfer_started"),
        _pending_owner,
        absent=(None,),
    ),
    Aspect(
        "state.multi_sale",
        "SELECT diamond, sale_id, token_type, token, whitelist_only, payment_method, payment_token, owner, payee, symbol, "
        "name, description, open_state, max_quantity, max_quantity_per_sale, price_modifier, price_modifier_factor, "
        "max_price, price FROM state.multi_sale WHERE chain_id = $1",
        2,
        _keys("multi_sale_created", 0),
        _sale,
        holds=_same_sale,
    ),
)
"""What the contracts can confirm of these tables."""
