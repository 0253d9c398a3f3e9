"""Calls to contracts as bytes, from the ABIs that the compiler wrote."""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import dataclass
from typing import Any

from eth_abi.abi import decode, encode
from eth_utils.abi import collapse_if_tuple
from eth_utils.crypto import keccak

from indexer.demo.tools import Artifact

ZERO_ADDRESS = "0x" + "00" * 20


@dataclass(frozen=True, slots=True)
class Contract:
    """A deployed contract: ``address`` as ``0x…`` text, and the ABIs by which it can be called."""

    address: str
    artifacts: tuple[Artifact, ...]

    def data(self, function: str, *arguments: Any) -> str:
        """Call data of a function, by its name and how many arguments it takes."""
        entry = self._entry(function, len(arguments))
        return "0x" + (_selector(entry) + encode(_types(entry["inputs"]), arguments)).hex()

    def result(self, function: str, arity: int, answer: str) -> Any:
        """What a call of a function returned: one value, or a tuple of several."""
        values = decode(_types(self._entry(function, arity)["outputs"]), bytes.fromhex(answer[2:]))
        return values[0] if len(values) == 1 else values

    def _entry(self, function: str, arity: int) -> dict[str, Any]:
        for artifact in self.artifacts:
            for entry in artifact.abi:
                if (
                    entry.get("name") == function
                    and entry["type"] == "function"
                    and len(entry["inputs"]) == arity
                ):
                    return entry
        raise LookupError(f"no contract at {self.address} has a function {function} of {arity} arguments")


@dataclass(frozen=True, slots=True)
class Send:
    """A transaction to be: from a development account, to a contract or (None) creating one. ``value`` is in wei."""

    sender: str
    to: str | None
    data: str
    value: int = 0

    def request(self) -> dict[str, str]:
        """The transaction object of ``eth_sendTransaction``; gas costs nothing on the demo's chain."""
        body = {"from": self.sender, "data": self.data, "value": hex(self.value), "gas": hex(12_000_000)}
        return body | {"gasPrice": "0x0"} | ({"to": self.to} if self.to else {})


def _selector(entry: dict[str, Any]) -> bytes:
    return keccak(text=f"{entry['name']}({','.join(_types(entry['inputs']))})")[:4]


def _types(parameters: Sequence[dict[str, Any]]) -> list[str]:
    return [collapse_if_tuple(parameter) for parameter in parameters]


def creation(artifact: Artifact, sender: str, *arguments: Any) -> Send:
    """The transaction that creates a contract."""
    inputs: list[dict[str, Any]] = next(
        (entry["inputs"] for entry in artifact.abi if entry["type"] == "constructor"), []
    )
    return Send(sender, None, "0x" + (artifact.bytecode + encode(_types(inputs), arguments)).hex())
