// SPDX-License-Identifier: MIT
pragma solidity ^0.8.24;

import {Attribute, State, DemoStorage} from "./DemoStorage.sol";
import {TokenCore} from "./TokenCore.sol";

/// Mints with attributes. GemforceMinted comes before the mint's Transfer and names the caller.
contract MinterFacet {
    event GemforceMinted(uint256 indexed tokenId, address indexed owner, Attribute[] attributes);

    function gemforceMint(Attribute[] calldata metadata) external returns (uint256 tokenId) {
        State storage s = DemoStorage.load();
        tokenId = s.nextToken;
        for (uint256 i = 0; i < metadata.length; i++) {
            TokenCore.describe(tokenId, metadata[i].key, metadata[i]);
        }
        emit GemforceMinted(tokenId, msg.sender, metadata);
        TokenCore.mint(msg.sender);
    }
}
