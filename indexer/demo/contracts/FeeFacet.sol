// SPDX-License-Identifier: MIT
pragma solidity ^0.8.24;

import {IERC20} from "@openzeppelin/contracts/token/ERC20/IERC20.sol";
import {State, DemoStorage} from "./DemoStorage.sol";

library FeeCore {
    event AmountsDistributed(
        address principalAmountReceiver,
        uint256 principalAmount,
        address adjustedAmountReceiver,
        uint256 adjustedAmount,
        address[] feeReceivers,
        uint256[] feeAmounts
    );

    /// Pays `amount` of the distribution token out of the diamond: weights to the fee receivers, the rest to `to`.
    function distribute(address to, uint256 amount) internal returns (uint256 net) {
        State storage s = DemoStorage.load();
        uint256[] memory fees = new uint256[](s.feeReceivers.length);
        net = amount;
        for (uint256 i = 0; i < fees.length; i++) {
            fees[i] = (amount * s.feeWeights[i]) / s.feeBasis;
            net -= fees[i];
            require(IERC20(s.feeToken).transfer(s.feeReceivers[i], fees[i]), "fee not paid");
        }
        require(IERC20(s.feeToken).transfer(to, net), "rest not paid");
        emit AmountsDistributed(to, amount, to, net, s.feeReceivers, fees);
    }
}

/// Who gets which part of what a trade deal pays out.
contract FeeFacet {
    event FeeDistributorInitialized(address indexed distributionToken, uint256 totalWeightBasis);
    event FeeReceiversSet(address[] feeReceivers, uint256[] feeWeights);

    function initializeFeeDistributor(address distributionToken, uint256 totalWeightBasis) external {
        State storage s = DemoStorage.load();
        require(s.feeToken == address(0), "initialized");
        s.feeToken = distributionToken;
        s.feeBasis = totalWeightBasis;
        emit FeeDistributorInitialized(distributionToken, totalWeightBasis);
    }

    function setFeeReceivers(address[] calldata feeReceivers, uint256[] calldata feeWeights) external {
        State storage s = DemoStorage.load();
        s.feeReceivers = feeReceivers;
        s.feeWeights = feeWeights;
        emit FeeReceiversSet(feeReceivers, feeWeights);
    }

    function getFeeReceivers() external view returns (address[] memory, uint256[] memory) {
        return (DemoStorage.load().feeReceivers, DemoStorage.load().feeWeights);
    }
}
