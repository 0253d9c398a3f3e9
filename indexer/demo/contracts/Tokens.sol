// SPDX-License-Identifier: MIT
pragma solidity ^0.8.24;

import {ERC20} from "@openzeppelin/contracts/token/ERC20/ERC20.sol";
import {ERC721} from "@openzeppelin/contracts/token/ERC721/ERC721.sol";
import {ERC1155} from "@openzeppelin/contracts/token/ERC1155/ERC1155.sol";
import {ERC721A} from "erc721a/contracts/ERC721A.sol";

contract DemoUSDC is ERC20 {
    constructor() ERC20("Demo USD Coin", "USDC") {}

    function decimals() public pure override returns (uint8) {
        return 6;
    }

    function mint(address to, uint256 amount) external {
        _mint(to, amount);
    }

    function burn(uint256 amount) external {
        _burn(msg.sender, amount);
    }
}

/// What sales of many tokens hand out.
contract DemoPoints is ERC20 {
    constructor() ERC20("Demo Points", "PTS") {}

    function mint(address to, uint256 amount) external {
        _mint(to, amount);
    }
}

contract DemoCertificates is ERC721 {
    uint256 public minted;

    constructor() ERC721("Demo Certificates", "CERT") {}

    function mint(address to) external {
        _mint(to, minted++);
    }

    function burn(uint256 tokenId) external {
        _update(address(0), tokenId, msg.sender);
    }
}

contract DemoTickets is ERC721A {
    constructor() ERC721A("Demo Tickets", "TICK") {}

    function mint(address to, uint256 quantity) external {
        _mint(to, quantity);
    }

    function burn(uint256 tokenId) external {
        _burn(tokenId, true);
    }
}

contract DemoItems is ERC1155 {
    constructor() ERC1155("ipfs://demo/{id}.json") {}

    function mint(address to, uint256 id, uint256 amount) external {
        _mint(to, id, amount, "");
    }

    function mintBatch(address to, uint256[] calldata ids, uint256[] calldata amounts) external {
        _mintBatch(to, ids, amounts, "");
    }

    function burnBatch(uint256[] calldata ids, uint256[] calldata amounts) external {
        _burnBatch(msg.sender, ids, amounts);
    }

    function setUri(uint256 id, string calldata value) external {
        emit URI(value, id);
    }
}
