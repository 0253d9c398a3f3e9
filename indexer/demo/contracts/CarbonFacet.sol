// SPDX-License-Identifier: MIT
pragma solidity ^0.8.24;

import {State, DemoStorage} from "./DemoStorage.sol";
import {TokenCore} from "./TokenCore.sol";

/// Carbon credits of a token: set once, retired by the owner down to 0, and then set again if need be.
abstract contract CarbonCredits {
    event CarbonCreditsInitialized(uint256 indexed tokenId, uint256 initialBalance);
    event CarbonCreditsRetired(uint256 indexed tokenId, uint256 amount, uint256 remainingBalance);

    function initializeCarbonBalance(uint256 tokenId, uint256 initialBalance) external {
        State storage s = DemoStorage.load();
        require(s.carbonBalance[tokenId] == 0, "credits left");
        s.carbonBalance[tokenId] = initialBalance;
        s.carbonKnown[tokenId] = true;
        emit CarbonCreditsInitialized(tokenId, initialBalance);
    }

    function retireCarbonCredits(uint256 tokenId, uint256 amount) external {
        _retire(tokenId, amount);
    }

    function getCarbonCreditBalance(uint256 tokenId) external view returns (uint256) {
        return DemoStorage.load().carbonBalance[tokenId];
    }

    function _retire(uint256 tokenId, uint256 amount) internal {
        State storage s = DemoStorage.load();
        if (TokenCore.ownerOf(tokenId) != msg.sender) revert TokenCore.NotTheOwner(msg.sender, tokenId);
        s.carbonBalance[tokenId] -= amount;
        emit CarbonCreditsRetired(tokenId, amount, s.carbonBalance[tokenId]);
    }
}

contract CarbonFacet is CarbonCredits {
    /// 0 while credits are left, else 1: also for tokens that never had any.
    function getCarbonCreditStatus(uint256 tokenId) external view returns (uint8) {
        return DemoStorage.load().carbonBalance[tokenId] > 0 ? 0 : 1;
    }
}

/// What the upgrade brings: retiring many at once, reading many at once; the status function is gone.
contract CarbonFacetV2 is CarbonCredits {
    function retireCarbonCreditsBatch(uint256[] calldata tokenIds, uint256[] calldata amounts) external {
        for (uint256 i = 0; i < tokenIds.length; i++) _retire(tokenIds[i], amounts[i]);
    }

    function getAllCarbonCreditBalances(uint256[] calldata tokenIds) external view returns (uint256[] memory balances) {
        balances = new uint256[](tokenIds.length);
        for (uint256 i = 0; i < tokenIds.length; i++) {
            balances[i] = DemoStorage.load().carbonBalance[tokenIds[i]];
        }
    }
}
