"""Random events of marketplaces, fees, tokens, attributes, treasuries and access, for the law of projections.

Few accounts, tokens and contracts, so that they meet; most transactions are what the contracts really emit, some are in an
order or with a content that they never would.
"""

from __future__ import annotations

import json
import random
from decimal import Decimal
from typing import Any

ZERO = bytes(20)
DIAMONDS = (b"\xd1" * 20, b"\xd2" * 20)
PEOPLE = (b"\x01" * 20, b"\x02" * 20, b"\x03" * 20)
MONEY = (b"\xcc" * 20, ZERO)
KEYS = ("a", "b", "k" * 2000)
ROLES = (bytes(32), b"\x05" * 32)
HUGE = Decimal(2**256 - 1)


class MarketSpeaker:
    """``block()`` makes the events of a block, transaction after transaction."""

    def __init__(self, said: Any, rng: random.Random) -> None:
        self.said = said
        self.rng = rng
        self.tx = 0
        themes = (
            [
                self.listing, self.listing, self.sale, self.sale, self.delisting, self.escrow, self.loose_sale,
                self.loose_payout, self.noise, self.marketplace,
            ],
            [self.marketplace, self.fees_opened, self.fee_receivers, self.fee_receivers, self.distribution],
            [self.transfer, self.transfer, self.fungible, self.multi, self.uri, self.refresh],
            [self.minted, self.put, self.put, self.put_contract, self.deleted, self.deleted, self.deleted_contract],
            [self.deposit, self.withdrawal],
            [self.owner, self.pending, self.role, self.role, self.role_admin, self.pause, self.template],
        )  # fmt: skip
        # Each history speaks of a few things only, so that it says a lot about each.
        self.kinds = [kind for theme in rng.sample(themes, 2) for kind in theme]

    def block(self) -> list[Any]:
        events: list[Any] = []
        for tx in range(self.rng.choice((0, 1, 2, 3, 4))):
            self.tx = tx
            for _ in range(self.rng.choice((1, 1, 2, 3))):
                events += self.rng.choice(self.kinds)()
        return events

    # -- what the events are made of ------------------------------------------------------------------------------------

    def one(self, table: str, address: bytes, **values: Any) -> Any:
        return self.said(table, address, values, self.tx)

    def diamond(self) -> bytes:
        return self.rng.choice(DIAMONDS)

    def who(self) -> bytes:
        return self.rng.choice((*PEOPLE, *PEOPLE, *DIAMONDS, ZERO))

    def person(self) -> bytes:
        return self.rng.choice(PEOPLE)

    def token(self) -> Decimal:
        return Decimal(self.rng.randrange(3))

    def amount(self) -> Decimal:
        return Decimal(self.rng.choice((0, 1, 2, 3, 100, 10**18 + 7)))

    def attribute(self) -> dict[str, Any]:
        return {
            "key": self.rng.choice(KEYS),
            "attributeType": self.rng.randrange(7),
            "value": f"value {self.rng.randrange(5)}",
        }

    # -- marketplace ----------------------------------------------------------------------------------------------------

    def moved(self, diamond: bytes, token: Decimal, source: bytes, target: bytes) -> Any:
        return self.one("erc721_transfer", diamond, from_=source, to_=target, token_id=token)

    def paid(self, diamond: bytes) -> Any:
        return self.one(
            "marketplace_payment_distributed",
            diamond, token=self.rng.choice(MONEY), receiver=self.who(), amount=self.amount(),
        )  # fmt: skip

    def sold(self, diamond: bytes, token: Decimal) -> Any:
        return self.one("marketplace_sales", diamond, token_address=diamond, token_id=token, owner=self.who())

    def listed(self, diamond: bytes, token: Decimal) -> Any:
        return self.one(
            "marketplace_listings",
            diamond, nft_contract=diamond, token_id=token, seller=self.who(), receiver=self.who(), owner=ZERO,
            price=self.amount(), sold=False, payment_token=self.rng.choice(MONEY),
        )  # fmt: skip

    def listing(self) -> list[Any]:
        return [self.listed(self.diamond(), self.token())]

    def escrow(self) -> list[Any]:
        diamond, token = self.diamond(), self.token()
        events = [self.listed(diamond, token), self.moved(diamond, token, self.person(), diamond)]
        return events if self.rng.random() < 0.5 else events[::-1]

    def sale(self) -> list[Any]:
        diamond, token = self.diamond(), self.token()
        target = self.rng.choice((self.person(), diamond))
        payouts = [self.paid(diamond) for _ in range(self.rng.randrange(4))]
        events = [*payouts, self.moved(diamond, token, self.who(), target), self.sold(diamond, token)]
        if target == diamond and self.rng.random() < 0.5:
            events.append(self.moved(diamond, token, diamond, self.person()))
        return events

    def loose_sale(self) -> list[Any]:
        diamond, token = self.diamond(), self.token()
        events = [self.sold(diamond, token)]
        if self.rng.random() < 0.5:
            events.append(self.moved(diamond, token, self.who(), self.who()))
        return events

    def loose_payout(self) -> list[Any]:
        return [self.paid(self.diamond())]

    def delisting(self) -> list[Any]:
        diamond, token = self.diamond(), self.token()
        delisted = self.one("marketplace_delisted", diamond, item_id=token)
        return [self.moved(diamond, token, diamond, self.person()), delisted]

    def noise(self) -> list[Any]:
        """Everything of one token in any order."""
        events = [*self.sale(), *self.delisting(), *self.escrow(), *self.listing()]
        self.rng.shuffle(events)
        return events

    def marketplace(self) -> list[Any]:
        shares = [
            {
                "receiver": "0x" + self.who().hex(),
                "sharePerMillion": str(self.rng.choice((0, 500_000, 10**6))),
            }
            for _ in range(self.rng.randrange(3))
        ]
        return [self.one("marketplace_initialized", self.diamond(), fee_receivers=json.dumps(shares))]

    # -- fees -----------------------------------------------------------------------------------------------------------

    def fees_opened(self) -> list[Any]:
        return [
            self.one(
                "fee_distributor_initialized",
                self.diamond(), distribution_token=self.rng.choice(MONEY), total_weight_basis=self.amount(),
            )
        ]  # fmt: skip

    def pairs(self) -> tuple[list[bytes], list[Decimal]]:
        size = self.rng.randrange(4)
        more = self.rng.choice((0, 0, 0, 1))
        return [self.who() for _ in range(size)], [self.amount() for _ in range(size + more)]

    def fee_receivers(self) -> list[Any]:
        who, weights = self.pairs()
        if self.rng.random() < 0.2:
            weights = weights[:1]
        return [
            self.one(
                "fee_distributor_fee_receivers_set", self.diamond(), fee_receivers=who, fee_weights=weights
            )
        ]

    def distribution(self) -> list[Any]:
        who, amounts = self.pairs()
        return [
            self.one(
                "fee_distributor_amounts_distributed",
                self.diamond(), principal_amount_receiver=self.who(), principal_amount=self.amount(),
                adjusted_amount_receiver=self.who(), adjusted_amount=self.amount(), fee_receivers=who,
                fee_amounts=amounts,
            )
        ]  # fmt: skip

    # -- tokens ---------------------------------------------------------------------------------------------------------

    def contract(self) -> bytes:
        return self.rng.choice((*DIAMONDS, *DIAMONDS, b"\xe1" * 20, b"\xe2" * 20, b"\xe3" * 20))

    def transfer(self) -> list[Any]:
        return [self.moved(self.diamond(), self.token(), self.who(), self.who())]

    def fungible(self) -> list[Any]:
        return [
            self.one("erc20_transfer", self.contract(), from_=self.who(), to_=self.who(), value=self.amount())
        ]

    def multi(self) -> list[Any]:
        ends = {"operator": self.who(), "from_": self.who(), "to_": self.who()}
        if self.rng.random() < 0.5:
            return [
                self.one("erc1155_transfer_batch", self.contract(), **ends, ids=[self.token()], values=[HUGE])
            ]
        return [
            self.one("erc1155_transfer_single", self.contract(), **ends, id=self.token(), value=self.amount())
        ]

    def uri(self) -> list[Any]:
        return [
            self.one("erc1155_uri", self.diamond(), id=self.token(), value=f"ipfs://{self.rng.randrange(9)}")
        ]

    def refresh(self) -> list[Any]:
        if self.rng.random() < 0.5:
            return [self.one("erc4906_metadata_update", self.diamond(), token_id=self.token())]
        return [
            self.one(
                "erc4906_batch_metadata_update",
                self.diamond(), from_token_id=self.token(), to_token_id=self.rng.choice((self.token(), HUGE)),
            )
        ]  # fmt: skip

    # -- attributes -----------------------------------------------------------------------------------------------------

    def minted(self) -> list[Any]:
        diamond, token = self.diamond(), self.token()
        attributes = [self.attribute() for _ in range(self.rng.randrange(4))]
        minted = self.one(
            "minter_gemforce_minted", diamond, token_id=token, owner=self.who(), attributes=attributes
        )
        return [minted, self.moved(diamond, token, ZERO, self.person())]

    def put(self) -> list[Any]:
        value = self.attribute()
        key = value["key"] if self.rng.random() < 0.8 else self.rng.choice(KEYS)
        return [
            self.one(
                "metadata_token_metadata_set",
                self.diamond(), token_id=self.token(), key=key, value=json.dumps(value),
            )
        ]  # fmt: skip

    def put_contract(self) -> list[Any]:
        value, key = json.dumps(self.attribute()), self.rng.choice(KEYS)
        return [self.one("metadata_contract_metadata_set", self.diamond(), key=key, value=value)]

    def deleted(self) -> list[Any]:
        diamond, token, key = self.diamond(), self.token(), self.rng.choice(KEYS)
        return [
            self.one(
                "metadata_attribute_removed",
                diamond,
                token_address=diamond,
                token_id=token,
                attribute_key=key,
            ),
            self.one("metadata_token_metadata_deleted", diamond, token_id=token, key=key),
        ][: self.rng.choice((1, 2, 2))]

    def deleted_contract(self) -> list[Any]:
        return [self.one("metadata_contract_metadata_deleted", self.diamond(), key=self.rng.choice(KEYS))]

    # -- treasury, templates, access --------------------------------------------------------------------------------------

    def deposit(self) -> list[Any]:
        deposits = [
            {"tokenId": str(self.token()), "amount": str(self.amount())} for _ in range(self.rng.randrange(4))
        ]
        return [self.one("treasury_deposited", self.diamond(), deposits=json.dumps(deposits))]

    def withdrawal(self) -> list[Any]:
        tokens = [self.token() for _ in range(self.rng.randrange(4))]
        return [self.one("treasury_withdrawn", self.diamond(), token_ids=tokens, amount=self.amount())]

    def template(self) -> list[Any]:
        return [
            self.one("svg_template_created", self.diamond(), name=self.rng.choice(KEYS), template=self.who())
        ]

    def owner(self) -> list[Any]:
        ends = {"previous_owner": self.who(), "new_owner": self.who()}
        return [self.one("ownable_ownership_transferred", self.contract(), **ends)]

    def pending(self) -> list[Any]:
        ends = {"previous_owner": self.who(), "new_owner": self.who()}
        return [self.one("ownable_ownership_transfer_started", self.contract(), **ends)]

    def role(self) -> list[Any]:
        verb = self.rng.choice(("granted", "revoked"))
        return [
            self.one(
                f"access_control_role_{verb}",
                self.diamond(), role=self.rng.choice(ROLES), account=self.person(), sender=self.who(),
            )
        ]  # fmt: skip

    def role_admin(self) -> list[Any]:
        role, before, after = (self.rng.choice(ROLES) for _ in range(3))
        return [
            self.one(
                "access_control_role_admin_changed",
                self.diamond(), role=role, previous_admin_role=before, new_admin_role=after,
            )
        ]  # fmt: skip

    def pause(self) -> list[Any]:
        verb = self.rng.choice(("paused", "unpaused"))
        return [self.one(f"pausable_{verb}", self.contract(), account=self.who())]
