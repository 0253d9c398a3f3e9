// SPDX-License-Identifier: MIT
pragma solidity ^0.8.24;

/// ERC-721 tokens minted by the range (ERC-2309), with metadata refreshes (ERC-4906) and locks (ERC-5192).
contract DemoPasses {
    event Transfer(address indexed from, address indexed to, uint256 indexed tokenId);
    event Approval(address indexed owner, address indexed approved, uint256 indexed tokenId);
    event ConsecutiveTransfer(
        uint256 indexed fromTokenId, uint256 toTokenId, address indexed from, address indexed to
    );
    event MetadataUpdate(uint256 _tokenId);
    event BatchMetadataUpdate(uint256 _fromTokenId, uint256 _toTokenId);
    event Locked(uint256 tokenId);
    event Unlocked(uint256 tokenId);
    event ContractURIUpdated();

    struct Range {
        uint256 end;
        address owner;
    }

    string public constant name = "Demo Passes";
    string public constant symbol = "PASS";
    uint256 public totalSupply;
    Range[] private ranges;
    mapping(uint256 => address) private owners;
    mapping(uint256 => bool) private burned;
    mapping(uint256 => address) private approvals;
    mapping(uint256 => bool) public locked;

    /// One event for all of them, however many.
    function mintRange(address to, uint256 quantity) external {
        uint256 first = totalSupply;
        totalSupply += quantity;
        ranges.push(Range(totalSupply, to));
        emit ConsecutiveTransfer(first, totalSupply - 1, address(0), to);
    }

    function ownerOf(uint256 tokenId) public view returns (address) {
        require(tokenId < totalSupply && !burned[tokenId], "no such pass");
        if (owners[tokenId] != address(0)) return owners[tokenId];
        uint256 place = 0;
        while (ranges[place].end <= tokenId) place++;
        return ranges[place].owner;
    }

    function getApproved(uint256 tokenId) external view returns (address) {
        return approvals[tokenId];
    }

    function approve(address to, uint256 tokenId) external {
        require(ownerOf(tokenId) == msg.sender, "not the owner");
        approvals[tokenId] = to;
        emit Approval(msg.sender, to, tokenId);
    }

    function transferFrom(address from, address to, uint256 tokenId) external {
        require(ownerOf(tokenId) == from && !locked[tokenId], "not the owner, or locked");
        require(msg.sender == from || msg.sender == approvals[tokenId], "not allowed");
        delete approvals[tokenId];
        owners[tokenId] = to;
        emit Transfer(from, to, tokenId);
    }

    function burn(uint256 tokenId) external {
        require(ownerOf(tokenId) == msg.sender, "not the owner");
        burned[tokenId] = true;
        delete approvals[tokenId];
        emit Transfer(msg.sender, address(0), tokenId);
    }

    function setLocked(uint256 tokenId, bool lock) external {
        locked[tokenId] = lock;
        if (lock) emit Locked(tokenId);
        else emit Unlocked(tokenId);
    }

    function refresh(uint256 tokenId) external {
        emit MetadataUpdate(tokenId);
    }

    function refreshRange(uint256 fromTokenId, uint256 toTokenId) external {
        emit BatchMetadataUpdate(fromTokenId, toTokenId);
    }

    function renewContract() external {
        emit ContractURIUpdated();
    }
}
