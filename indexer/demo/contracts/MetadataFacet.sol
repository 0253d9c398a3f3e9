// SPDX-License-Identifier: MIT
pragma solidity ^0.8.24;

import {Attribute, State, DemoStorage} from "./DemoStorage.sol";

/// Attributes after minting; a delete says so twice. Token 0 stands for the contract itself.
contract MetadataFacet {
    event ContractMetadataSet(string key, Attribute value);
    event ContractMetadataDeleted(string key);
    event TokenMetadataSet(uint256 indexed tokenId, string key, Attribute value);
    event TokenMetadataDeleted(uint256 indexed tokenId, string key);
    event AttributeRemoved(address indexed tokenAddress, uint256 tokenId, string attributeKey);

    function setContractMetadata(string calldata key, Attribute calldata value) external {
        DemoStorage.load().attributes[0][value.key] = value;
        emit ContractMetadataSet(key, value);
    }

    function deleteContractMetadata(string calldata key) external {
        delete DemoStorage.load().attributes[0][key];
        emit AttributeRemoved(address(this), 0, key);
        emit ContractMetadataDeleted(key);
    }

    function setTokenMetadata(uint256 tokenId, string calldata key, Attribute calldata value) external {
        DemoStorage.load().attributes[tokenId][key] = value;
        emit TokenMetadataSet(tokenId, key, value);
    }

    function deleteTokenMetadata(uint256 tokenId, string calldata key) external {
        delete DemoStorage.load().attributes[tokenId][key];
        emit AttributeRemoved(address(this), tokenId, key);
        emit TokenMetadataDeleted(tokenId, key);
    }

    function getTokenMetadata(uint256 tokenId, string calldata key) external view returns (Attribute memory) {
        return DemoStorage.load().attributes[tokenId][key];
    }
}
