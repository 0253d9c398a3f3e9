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

    /// Pays `amount` out of the diamond: weights to the fee receivers, the rest to `to`.
    function distribute(address to, uint256 amount) internal returns (uint256 net) {
        State storage s = DemoStorage.load();
        uint256[] memory fees = new uint256[](s.feeReceivers.length);
        net = amount;
        for (uint256 i = 0; i < fees.length; i++) {
            fees[i] = (amount * s.feeWeights[i]) / s.feeBasis;
            net -= fees[i];
            _pay(s.feeToken, s.feeReceivers[i], fees[i]);
        }
        _pay(s.feeToken, to, net);
        emit AmountsDistributed(to, amount, to, net, s.feeReceivers, fees);
    }

    /// Native coin until a distribution token was named.
    function _pay(address token, address to, uint256 amount) private {
        if (token == address(0)) {
            (bool sent,) = to.call{value: amount}("");
            require(sent, "payment refused");
        } else {
            require(IERC20(token).transfer(to, amount), "payment failed");
        }
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

    /// Open to anybody; pays out of what the diamond has, or out of the coin that comes with the call.
    function distributeAmounts(address to, uint256 amount) external payable {
        FeeCore.distribute(to, amount);
    }

    function getFeeReceivers() external view returns (address[] memory, uint256[] memory) {
        return (DemoStorage.load().feeReceivers, DemoStorage.load().feeWeights);
    }
}
