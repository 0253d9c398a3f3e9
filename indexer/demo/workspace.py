"""The demo's folder: data directory and an ``indexer.toml`` that any other command can be pointed at meanwhile."""

from __future__ import annotations

import json
import re
import shutil
import tempfile
from collections.abc import Iterator
from contextlib import contextmanager
from pathlib import Path

from indexer.demo.anvil import Anvil
from indexer.demo.deploy import FACETS, UPGRADE, Deployment
from indexer.demo.tools import Artifact
from indexer.errors import ConfigError

CHAIN = "anvil"
CONFIG_NAME = "indexer.toml"

_TEMPLATE = """\
# Written by `indexer demo`. While it runs: indexer -c {path} status

[database]
data_dir = {data_dir}

[http]
listen = {listen}

[chains.{chain}]
chain_id = {chain_id}
rpc = [{ws_url}, {url}]
finality = "finalized"
poll_seconds = 0.5

[contracts.diamond]
chain = "{chain}"
kind = "diamond"
address = {diamond}
# The files in abi/ hold the facets' functions, by which facets are recognised; the events are the Gemforce pack's.
abi = ["gemforce", "erc721", "diamond", "ownable", {facets}]

[contracts.usdc]
chain = "{chain}"
address = {usdc}
abi = ["erc20"]

[contracts.certificates]
chain = "{chain}"
address = {certificates}
abi = ["erc721"]

[contracts.tickets]
chain = "{chain}"
address = {tickets}
abi = ["erc721", "erc2309"]

[contracts.items]
chain = "{chain}"
address = {items}
abi = ["erc1155"]

[contracts.points]
chain = "{chain}"
address = {points}
abi = ["erc20"]

[contracts.passes]
chain = "{chain}"
address = {passes}
abi = ["erc721", "erc2309", "erc4906", "erc5192", "erc7572"]

[contracts.treasury]
chain = "{chain}"
address = {treasury}
abi = ["gemforce/treasury", "ownable"]

[contracts.svg_manager]
chain = "{chain}"
address = {svg_manager}
abi = ["gemforce/svg_template"]

[contracts.vault]
chain = "{chain}"
address = {vault}
abi = ["access_control", "pausable", "ownable"]

[contracts.diamond_factory]
chain = "{chain}"
address = {diamond_factory}
abi = ["gemforce/diamond_factory"]

[contracts.collateral_factory]
chain = "{chain}"
address = {collateral_factory}
abi = ["gemforce/collateral_token"]

[contracts.collateral]
chain = "{chain}"
discover = {{ contract = "diamond", event = "CollateralTokenCreated", parameter = "tokenAddress" }}
abi = ["erc20"]

[contracts.identity_factory]
chain = "{chain}"
address = {identity_factory}
abi = ["gemforce/identity_factory"]

[contracts.identities]
chain = "{chain}"
discover = {{ contract = "identity_factory", event = "IdentityCreated", parameter = "identity" }}
abi = ["erc734", "erc735", "initializable", "gemforce/identity"]
"""


@contextmanager
def workspace(data_dir: Path | None) -> Iterator[Path]:
    """A fresh folder that is gone afterwards, or ``data_dir``, which stays.

    Raises:
        ConfigError: ``data_dir`` is not empty: every demo has a chain of its own, which old data would contradict.
    """
    if data_dir is None:
        folder = Path(tempfile.mkdtemp(prefix="gemforce-demo-"))
        try:
            yield folder
        finally:
            shutil.rmtree(folder, ignore_errors=True)
        return
    try:
        data_dir.mkdir(parents=True, exist_ok=True)
        taken = any(data_dir.iterdir())
    except OSError as error:
        raise ConfigError(
            f"--data-dir {data_dir}: {error.strerror}; name a folder that can be written"
        ) from error
    if taken:
        raise ConfigError(
            f"--data-dir {data_dir}: is not empty; every demo starts a new chain, so name a new folder"
        )
    yield data_dir.resolve()


def write_config(folder: Path, anvil: Anvil, made: Deployment, listen: str, chain_id: int) -> Path:
    """Write ``indexer.toml`` for the deployed contracts into ``folder`` and return its path."""
    path = folder / CONFIG_NAME
    facets = [_write_functions(folder, made.artifacts[name]) for name in (*FACETS, UPGRADE)]
    values = {name: json.dumps(contract.address) for name, contract in made.contracts.items()}
    text = _TEMPLATE.format(
        path=path,
        chain=CHAIN,
        chain_id=chain_id,
        data_dir=json.dumps(str(folder / "data")),
        listen=json.dumps(listen),
        url=json.dumps(anvil.url),
        ws_url=json.dumps(anvil.ws_url),
        facets=", ".join(json.dumps(f"./{file.relative_to(folder)}") for file in facets),
        **values,
    )
    path.write_text(text, "utf-8")
    return path


def _write_functions(folder: Path, facet: Artifact) -> Path:
    """The facet's functions as an ABI file, such as ``abi/demo_carbon_facet_v2.json``."""
    words = re.sub(r"(?<=[a-z])(?=[A-Z])", "_", facet.name).lower()
    file = folder / "abi" / f"demo_{words}.json"
    file.parent.mkdir(exist_ok=True)
    functions = [entry for entry in facet.abi if entry["type"] == "function"]
    file.write_text(json.dumps(functions, indent=1), "utf-8")
    return file
