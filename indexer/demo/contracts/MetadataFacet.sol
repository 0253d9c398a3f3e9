// SPDX-License-Identifier: MIT
pragma solidity ^0.8.24;

import {Attribute, State, DemoStorage} from "./DemoStorage.sol";
import {TokenCore} from "./TokenCore.sol";

/// Attributes after minting; a delete says so twice. Token 0 stands for the contract itself.
contract MetadataFacet {
    event ContractMetadataSet(string key, Attribute value);
    event ContractMetadataDeleted(string key);
    event TokenMetadataSet(uint256 indexed tokenId, string key, Attribute value);
    event TokenMetadataDeleted(uint256 indexed tokenId, string key);
    event AttributeRemoved(address indexed tokenAddress, uint256 tokenId, string attributeKey);

    function setContractMetadata(string calldata key, Attribute calldata value) external {
        TokenCore.describe(0, value.key, value);
        emit ContractMetadataSet(key, value);
    }

    function deleteContractMetadata(string calldata key) external {
        _forget(0, key);
        emit AttributeRemoved(address(this), 0, key);
        emit ContractMetadataDeleted(key);
    }

    function setTokenMetadata(uint256 tokenId, string calldata key, Attribute calldata value) external {
        TokenCore.describe(tokenId, key, value);
        emit TokenMetadataSet(tokenId, key, value);
    }

    function deleteTokenMetadata(uint256 tokenId, string calldata key) external {
        _forget(tokenId, key);
        emit AttributeRemoved(address(this), tokenId, key);
        emit TokenMetadataDeleted(tokenId, key);
    }

    /// Says nothing.
    function setAttribute(uint256 tokenId, Attribute calldata value) external {
        TokenCore.describe(tokenId, value.key, value);
    }

    /// Works until something was deleted; single reads go on working.
    function getAllTokenMetadata(uint256 tokenId) external view returns (Attribute[] memory all) {
        State storage s = DemoStorage.load();
        require(!s.listBroken[tokenId], "the list is broken");
        string[] storage keys = s.attributeKeys[tokenId];
        all = new Attribute[](keys.length);
        for (uint256 i = 0; i < keys.length; i++) all[i] = s.attributes[tokenId][keys[i]];
    }

    function _forget(uint256 tokenId, string calldata key) private {
        State storage s = DemoStorage.load();
        delete s.attributes[tokenId][key];
        s.listBroken[tokenId] = true;
    }

    function getTokenMetadata(uint256 tokenId, string calldata key) external view returns (Attribute memory) {
        return DemoStorage.load().attributes[tokenId][key];
    }
}
