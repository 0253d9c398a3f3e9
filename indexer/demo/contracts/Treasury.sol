// SPDX-License-Identifier: MIT
pragma solidity ^0.8.24;

import {Ownable} from "@openzeppelin/contracts/access/Ownable.sol";
import {IERC20} from "@openzeppelin/contracts/token/ERC20/IERC20.sol";

struct Deposit {
    uint256 tokenId;
    uint256 amount;
}

/// Money kept for tokens: a deposit adds to each token it lists, a withdrawal empties each and tells only the sum.
contract Treasury is Ownable {
    IERC20 private paymentToken;
    mapping(uint256 => uint256) public balances;

    event TreasuryDeposited(Deposit[] deposits);
    event TreasuryWithdrawn(uint256[] tokenIds, uint256 amount);

    constructor() Ownable(msg.sender) {}

    /// Says nothing.
    function setPaymentToken(address token) external onlyOwner {
        paymentToken = IERC20(token);
    }

    function getPaymentToken() external view returns (address) {
        return address(paymentToken);
    }

    function deposit(Deposit[] calldata deposits) external {
        uint256 sum;
        for (uint256 i = 0; i < deposits.length; i++) {
            balances[deposits[i].tokenId] += deposits[i].amount;
            sum += deposits[i].amount;
        }
        require(paymentToken.transferFrom(msg.sender, address(this), sum), "deposit failed");
        emit TreasuryDeposited(deposits);
    }

    function withdraw(uint256[] calldata tokenIds) external onlyOwner {
        uint256 sum;
        for (uint256 i = 0; i < tokenIds.length; i++) {
            sum += balances[tokenIds[i]];
            delete balances[tokenIds[i]];
        }
        require(paymentToken.transfer(msg.sender, sum), "withdrawal failed");
        emit TreasuryWithdrawn(tokenIds, sum);
    }
}
