"""Random events of trade deals, carbon credits and multi-token sales: few accounts, deals and amounts, so that they meet.

Most of it is what contracts do, in the order in which they do it; some of it is what none would do.
"""

from __future__ import annotations

import json
import random
from typing import Any

from deal_events import (
    ALICE,
    BOB,
    CAROL,
    COLLATERAL,
    FACTORY,
    MILLION,
    OWNER,
    SETTINGS,
    USDC,
    ZERO,
    Teller,
    hexed,
)

PEOPLE = (ALICE, BOB, CAROL, OWNER)
OTHER = b"\xde" * 20
TEXTS = ("100", "250 000 USDC", "", "none", "7.5", "9" * 79, "60")


class DealSpeaker:
    """Makes blocks; ``rng`` decides everything."""

    def __init__(self, said: type, rng: random.Random) -> None:
        self.rng = rng
        self._tellers = (Teller(said), Teller(said), Teller(said, OTHER))
        self._kinds = [
            self.created, self.created, self.updated, self.switched, self.topics, self.joined, self.left, self.invoice,
            self.invoice, self.deposit, self.deposit, self.deposit, self.funded, self.paid_out, self.paid_out, self.repaid,
            self.redeemed, self.withdrawn, self.collateral, self.described, self.described, self.moved, self.moved,
            self.range_moved, self.credited, self.retired, self.retired, self.sale, self.sold, self.sold, self.money,
        ]  # fmt: skip

    def block(self) -> list[Any]:
        """The events of one block, of up to three transactions."""
        events: list[Any] = []
        for tx in range(self.rng.choice((0, 1, 1, 2, 3))):
            for _ in range(self.rng.choice((1, 1, 2, 4))):
                events += self.rng.choice(self._kinds)(self.rng.choice(self._tellers), tx)
        return events

    def who(self) -> bytes:
        return self.rng.choice((*PEOPLE, *PEOPLE, ZERO))

    def deal(self) -> int:
        return self.rng.randrange(2)

    def token(self) -> int:
        return self.rng.randrange(3)

    def amount(self) -> int:
        return self.rng.choice((0, 1, 60, 100, 100, 250_000, 2**255))

    def some(self, *events: Any) -> list[Any]:
        """Most of these events, in this order."""
        return [event for event in events if self.rng.random() < 0.85]

    def address(self, *usual: bytes) -> bytes:
        return self.rng.choice((*usual, *usual, ZERO, FACTORY))

    # -- deals -----------------------------------------------------------------------------------------------------

    def created(self, tell: Teller, tx: int) -> list[Any]:
        deal, rate = self.deal(), self.rng.randrange(1200)
        collateral, usdc = self.address(COLLATERAL), self.address(USDC)
        if self.rng.random() < 0.3:
            return [tell.created_before(deal, tx, vabb_address=collateral, usdc_address=usdc)]
        made = tell.created(deal, tx, rate=rate, collateral_address=collateral, usdc_address=usdc)
        return [*self.some(tell.collateral(COLLATERAL, deal, tx)), made]

    def updated(self, tell: Teller, tx: int) -> list[Any]:
        values = {"collateral_address": self.address(COLLATERAL), "usdc_address": self.address(USDC)}
        return [
            tell.updated(
                self.deal(), tx, rate=self.rng.randrange(1200), active=self.rng.random() < 0.5, **values
            )
        ]

    def switched(self, tell: Teller, tx: int) -> list[Any]:
        return [tell.switched(self.rng.random() < 0.5, self.deal(), tx)]

    def topics(self, tell: Teller, tx: int) -> list[Any]:
        return [tell.topics(self.rng.choices(range(4), k=self.rng.randrange(4)), self.deal(), tx)]

    def joined(self, tell: Teller, tx: int) -> list[Any]:
        return [tell.joined(self.who(), self.deal(), tx)]

    def left(self, tell: Teller, tx: int) -> list[Any]:
        return [tell.left(self.who(), self.deal(), tx)]

    def invoice(self, tell: Teller, tx: int) -> list[Any]:
        token, who = self.token(), self.who()
        if self.rng.random() < 0.4:
            return self.some(
                tell.moved(tell.diamond, who, token, tx), tell.invoice(token, self.deal(), tx, back=True)
            )
        return self.some(tell.moved(who, tell.diamond, token, tx), tell.invoice(token, self.deal(), tx))

    def deposit(self, tell: Teller, tx: int) -> list[Any]:
        amount, who, deal = self.amount(), self.who(), self.deal()
        said = (
            tell.deposited_before(amount, deal, tx)
            if self.rng.random() < 0.2
            else tell.deposited(amount, who, deal, tx)
        )
        return self.some(
            tell.moved20(who, tell.diamond, amount, tx, self.rng.choice((USDC, USDC, FACTORY))),
            tell.moved20(ZERO, who, amount * self.rng.choice((MILLION, MILLION, 3)), tx, COLLATERAL),
            said,
        )

    def funded(self, tell: Teller, tx: int) -> list[Any]:
        return [tell.funded(self.amount(), self.deal(), tx)]

    def paid_out(self, tell: Teller, tx: int) -> list[Any]:
        amount, fees = (
            self.rng.choice((0, 60, 100)),
            self.rng.choice(({}, {CAROL: 1}, {CAROL: 0}, {CAROL: 1, OWNER: 2})),
        )
        events = self.some(
            tell.distributed(amount, amount - 1 if amount else 0, fees, tx),
            tell.paid_out(amount - 1 if amount else 0, self.who(), self.deal(), tx),
        )
        return events if self.rng.random() < 0.8 else events[::-1]

    def repaid(self, tell: Teller, tx: int) -> list[Any]:
        amount = self.amount()
        payment = tell.moved20(self.who(), tell.diamond, amount, tx)
        return self.some(
            payment, tell.repaid(amount, self.who(), self.deal(), tx, fully=self.rng.random() < 0.4)
        )

    def redeemed(self, tell: Teller, tx: int) -> list[Any]:
        say = self.rng.choice((tell.redeemed, tell.redeemed_before))
        return [say(self.amount(), self.amount(), self.who(), self.deal(), tx)]

    def withdrawn(self, tell: Teller, tx: int) -> list[Any]:
        amount = self.amount()
        return self.some(
            tell.withdrawn(amount, self.deal(), tx), tell.moved20(tell.diamond, self.who(), amount, tx)
        )

    def collateral(self, tell: Teller, tx: int) -> list[Any]:
        token, deal = self.rng.choice((COLLATERAL, FACTORY)), self.deal()
        return self.some(tell.collateral(token, deal, tx, by=FACTORY), tell.collateral(token, deal, tx))

    def described(self, tell: Teller, tx: int) -> list[Any]:
        key, text, token = (
            self.rng.choice(("totalAmount", "amount", "colour")),
            self.rng.choice(TEXTS),
            self.token(),
        )
        return [self.rng.choice((
            tell.minted(token, {key: text, "amount": "5"}, tx), tell.minted(token, {}, tx),
            tell.described(token, key, text, tx), tell.undescribed(token, key, tx),
            tell.contract_described("other", key, text, tx),
        ))]  # fmt: skip

    # -- tokens, credits, sales ------------------------------------------------------------------------------------

    def money(self, tell: Teller, tx: int) -> list[Any]:
        return [tell.moved20(self.who(), self.who(), self.amount(), tx, self.rng.choice((USDC, COLLATERAL)))]

    def moved(self, tell: Teller, tx: int) -> list[Any]:
        return [tell.moved(self.who(), self.who(), self.token(), tx)]

    def range_moved(self, tell: Teller, tx: int) -> list[Any]:
        first = self.token()
        return [tell.range_moved(first, first + self.rng.randrange(-1, 3), self.who(), self.who(), tx)]

    def credited(self, tell: Teller, tx: int) -> list[Any]:
        return [tell.credited(self.token(), self.rng.choice((0, 5, 10)), tx)]

    def retired(self, tell: Teller, tx: int) -> list[Any]:
        return [tell.retired(self.token(), self.rng.choice((0, 5, 10)), self.rng.choice((0, 0, 5)), tx)]

    def sale(self, tell: Teller, tx: int) -> list[Any]:
        values = {
            "token": hexed(self.address(COLLATERAL)), "paymentToken": hexed(self.address(USDC)),
            "payee": hexed(self.who()), "owner": hexed(self.who()), "name": f"Sale {self.rng.randrange(9)}",
        }  # fmt: skip
        return [tell.sale(self.rng.randrange(2), tx, again=self.rng.random() < 0.5, **values)]

    def sold(self, tell: Teller, tx: int) -> list[Any]:
        who, tokens = self.who(), self.rng.choice(([], [], [1], [1, 2]))
        return self.some(
            tell.moved20(self.who(), self.rng.choice((tell.diamond, CAROL, OWNER)), self.amount(), tx),
            tell.moved20(ZERO, who, self.amount(), tx, COLLATERAL),
            tell.sold(tokens, who, self.rng.randrange(2), tx),
        )


def settings_of(text: str) -> dict[str, Any]:
    """The settings of a sale as said, checked to be whole."""
    settings: dict[str, Any] = json.loads(text)
    assert settings.keys() == SETTINGS.keys()
    return settings
