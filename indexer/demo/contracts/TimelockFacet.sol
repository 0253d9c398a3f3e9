// SPDX-License-Identifier: MIT
pragma solidity ^0.8.24;

/// Announces cuts; neither event tells what is to be cut.
contract TimelockFacet {
    uint256 private constant DELAY = 2 days;

    event DiamondCutProposed(address indexed proposer, uint256 indexed proposalTime, uint256 executionTime);
    event DiamondCutCancelled(address indexed canceller);

    function proposeDiamondCut() external {
        emit DiamondCutProposed(msg.sender, block.timestamp, block.timestamp + DELAY);
    }

    function cancelDiamondCut() external {
        emit DiamondCutCancelled(msg.sender);
    }
}
