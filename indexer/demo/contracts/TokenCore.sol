// SPDX-License-Identifier: MIT
pragma solidity ^0.8.24;

import {Attribute, State, DemoStorage} from "./DemoStorage.sol";

/// What every facet that moves tokens does the same way: the former owner's approval is cleared, with an Approval
/// that names the true owner, before the Transfer, whose `from` is whatever the caller says it is.
library TokenCore {
    event Transfer(address indexed from, address indexed to, uint256 indexed tokenId);
    event Approval(address indexed owner, address indexed approved, uint256 indexed tokenId);
    event ERC721ATransfer(address indexed from, address indexed to, uint256 indexed tokenId, bytes data);

    error NoSuchToken(uint256 tokenId);
    error NotTheOwner(address who, uint256 tokenId);

    function ownerOf(uint256 tokenId) internal view returns (address owner) {
        owner = DemoStorage.load().owners[tokenId];
        if (owner == address(0)) revert NoSuchToken(tokenId);
    }

    function mint(address to) internal returns (uint256 tokenId) {
        State storage s = DemoStorage.load();
        tokenId = s.nextToken++;
        s.owners[tokenId] = to;
        s.counters[to] += 1;
        emit Transfer(address(0), to, tokenId);
    }

    /// Keeps an attribute, and its key if it is the first of that name.
    function describe(uint256 tokenId, string memory key, Attribute memory value) internal {
        State storage s = DemoStorage.load();
        if (bytes(s.attributes[tokenId][key].key).length == 0) s.attributeKeys[tokenId].push(key);
        s.attributes[tokenId][key] = value;
    }

    /// `force` skips the check that `from` owns the token; the counter of `from` may go wrong then, as it does in
    /// the contracts this stands for.
    function move(address from, address to, uint256 tokenId, bool force) internal {
        State storage s = DemoStorage.load();
        address owner = ownerOf(tokenId);
        if (!force && owner != from) revert NotTheOwner(from, tokenId);
        delete s.approvals[tokenId];
        emit Approval(owner, address(0), tokenId);
        unchecked {
            s.counters[from] -= 1;
            s.counters[to] += 1;
        }
        s.owners[tokenId] = to;
        emit Transfer(from, to, tokenId);
    }

    function burn(uint256 tokenId) internal {
        State storage s = DemoStorage.load();
        address owner = ownerOf(tokenId);
        delete s.approvals[tokenId];
        emit Approval(owner, address(0), tokenId);
        unchecked {
            s.counters[owner] -= 1;
        }
        delete s.owners[tokenId];
        emit Transfer(owner, address(0), tokenId);
    }

    function mayMove(address who, uint256 tokenId) internal view returns (bool) {
        State storage s = DemoStorage.load();
        address owner = ownerOf(tokenId);
        return who == owner || s.approvals[tokenId] == who || s.operators[owner][who];
    }

    /// The digits of the attribute `totalAmount`, else `amount`, read as one number ("250 000 USDC" is 250000).
    function amountOf(uint256 tokenId) internal view returns (uint256 amount) {
        State storage s = DemoStorage.load();
        bytes memory text = bytes(s.attributes[tokenId]["totalAmount"].value);
        if (text.length == 0) text = bytes(s.attributes[tokenId]["amount"].value);
        for (uint256 i = 0; i < text.length; i++) {
            uint8 digit = uint8(text[i]);
            if (digit >= 48 && digit <= 57) amount = amount * 10 + (digit - 48);
        }
    }
}
