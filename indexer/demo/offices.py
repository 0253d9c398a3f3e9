"""Roles, pauses, owners, templates, passes and announced upgrades: more of what people do on the demo's chain."""

from __future__ import annotations

from eth_utils.crypto import keccak

from indexer.demo.actions import People
from indexer.demo.calls import Send

KEEPER, GUARD = keccak(text="KEEPER"), keccak(text="GUARD")
EVERYBODY = bytes(32)
"""The role that administers roles by default."""

_LARGEST_RANGE = 30


async def govern(people: People) -> list[Send]:
    """The vault: roles given and taken, their administrators, pauses, and ownership in two steps."""
    admin, actor, kind = people.made.admin, people.actor(), people.dice.randrange(5)
    vault = people.made.contracts["vault"]
    if kind == 0:
        sends = [people.on("vault", admin, "grantRole", role, actor) for role in (KEEPER, EVERYBODY)]
        if people.dice.random() < 0.5:
            sends.append(people.on("vault", admin, "revokeRole", KEEPER, actor))
        return sends
    if kind == 1:
        return [people.on("vault", admin, "revokeRole", KEEPER, actor)]
    owner = await people.ask(vault, "owner")
    if kind == 2:
        chief = people.dice.choice((EVERYBODY, KEEPER))
        return [people.on("vault", owner, "setRoleAdmin", GUARD, chief)]
    if kind == 3:
        paused = await people.ask(vault, "paused")
        return [people.on("vault", actor, "unpause" if paused else "pause")]
    sends = [people.on("vault", owner, "transferOwnership", actor)]
    if people.dice.random() < 0.6:
        sends.append(people.on("vault", actor, "acceptOwnership"))
    return sends


async def draw(people: People) -> list[Send]:
    """A template; a name that is taken gets a new one."""
    name = people.dice.choice(("card", "badge", "Schein", "証明書"))
    return [people.on("svg_manager", people.actor(), "createTemplate", name)]


async def passes(people: People) -> list[Send]:
    """ERC-2309: tokens by the range, then one by one; refreshed metadata, locks."""
    contract, admin = people.made.contracts["passes"], people.made.admin
    count = await people.ask(contract, "totalSupply")
    if count == 0 or people.dice.random() < 0.2:
        quantity = people.dice.randrange(1, _LARGEST_RANGE)
        return [people.on("passes", admin, "mintRange", people.actor(), quantity)]
    sends = []
    for token, owner in (await people.owners(contract, count))[:2]:
        other = people.actor()
        if people.dice.random() < 0.2:
            sends.append(people.on("passes", owner, "burn", token))
        elif people.dice.random() < 0.4:
            sends.append(people.on("passes", owner, "approve", other, token))
        else:
            sends.append(people.on("passes", owner, "transferFrom", owner, other, token))
    token = people.dice.randrange(count)
    return [*sends, people.dice.choice(_notices(people, token))]


def _notices(people: People, token: int) -> list[Send]:
    """What the passes say without anything moving."""
    admin = people.made.admin
    return [
        people.on("passes", admin, "refresh", token),
        people.on("passes", admin, "refreshRange", 0, token),
        people.on("passes", admin, "setLocked", token, True),
        people.on("passes", admin, "setLocked", token, False),
        people.on("passes", admin, "renewContract"),
    ]


async def announce(people: People) -> list[Send]:
    """An upgrade is announced, and perhaps taken back; the next cut settles it."""
    sends = [people.on_diamond(people.made.admin, "proposeDiamondCut")]
    if people.dice.random() < 0.5:
        sends.append(people.on_diamond(people.made.admin, "cancelDiamondCut"))
    return sends
