// SPDX-License-Identifier: MIT
pragma solidity ^0.8.24;

import {State, DemoStorage} from "./DemoStorage.sol";
import {TokenCore} from "./TokenCore.sol";

/// The diamond's own ERC-721 tokens, with what the permissioned facet says besides the standard's events.
contract TokenFacet {
    event ApprovalForAll(address indexed owner, address indexed operator, bool approved);
    event Mint(address indexed to, uint256 indexed tokenId);
    event Burn(address indexed from, uint256 indexed tokenId);
    event ERC721Minted(address indexed to, uint256 indexed tokenId, bytes data);

    error NotAllowed(address who, uint256 tokenId);

    function name() external pure returns (string memory) {
        return "Gemforce Demo";
    }

    function symbol() external pure returns (string memory) {
        return "GEMD";
    }

    function totalSupply() external view returns (uint256) {
        return DemoStorage.load().nextToken;
    }

    function ownerOf(uint256 tokenId) external view returns (address) {
        return TokenCore.ownerOf(tokenId);
    }

    function balanceOf(address owner) external view returns (uint256) {
        return DemoStorage.load().counters[owner];
    }

    function getApproved(uint256 tokenId) external view returns (address) {
        return DemoStorage.load().approvals[tokenId];
    }

    function isApprovedForAll(address owner, address operator) external view returns (bool) {
        return DemoStorage.load().operators[owner][operator];
    }

    function delegatedMinter() external view returns (address) {
        return DemoStorage.load().delegatedMinter;
    }

    /// Says nothing.
    function setDelegatedMinter(address minter) external {
        DemoStorage.load().delegatedMinter = minter;
    }

    function approve(address to, uint256 tokenId) external {
        State storage s = DemoStorage.load();
        address owner = TokenCore.ownerOf(tokenId);
        if (msg.sender != owner && !s.operators[owner][msg.sender]) revert NotAllowed(msg.sender, tokenId);
        s.approvals[tokenId] = to;
        emit TokenCore.Approval(owner, to, tokenId);
    }

    function setApprovalForAll(address operator, bool approved) external {
        DemoStorage.load().operators[msg.sender][operator] = approved;
        emit ApprovalForAll(msg.sender, operator, approved);
    }

    /// `Mint` names the counter after the mint, one too high, and `ERC721Minted` the quantity, as the original does.
    function mint(address to, uint256 quantity) external {
        for (uint256 i = 0; i < quantity; i++) {
            TokenCore.mint(to);
            emit Mint(to, DemoStorage.load().nextToken);
        }
        emit ERC721Minted(to, quantity, "");
    }

    /// `Burn` names the caller, who need not be the owner.
    function burn(uint256 tokenId) external {
        if (!TokenCore.mayMove(msg.sender, tokenId)) revert NotAllowed(msg.sender, tokenId);
        TokenCore.burn(tokenId);
        emit Burn(msg.sender, tokenId);
    }

    function transferFrom(address from, address to, uint256 tokenId) public {
        if (!TokenCore.mayMove(msg.sender, tokenId)) revert NotAllowed(msg.sender, tokenId);
        TokenCore.move(from, to, tokenId, false);
        emit TokenCore.ERC721ATransfer(from, to, tokenId, "");
    }

    function safeTransferFrom(address from, address to, uint256 tokenId) external {
        transferFrom(from, to, tokenId);
    }

    function safeTransferFrom(address from, address to, uint256 tokenId, bytes calldata data) external {
        if (!TokenCore.mayMove(msg.sender, tokenId)) revert NotAllowed(msg.sender, tokenId);
        TokenCore.move(from, to, tokenId, false);
        emit TokenCore.ERC721ATransfer(from, to, tokenId, data);
    }

    /// Checks that `from` is the owner, but not who calls.
    function forcedTransfer(address from, address to, uint256 tokenId) external returns (bool) {
        TokenCore.move(from, to, tokenId, false);
        emit TokenCore.ERC721ATransfer(from, to, tokenId, "");
        return true;
    }
}
