// SPDX-License-Identifier: MIT
pragma solidity ^0.8.24;

import {ERC20} from "@openzeppelin/contracts/token/ERC20/ERC20.sol";

/// The collateral of one trade deal; only the diamond mints and burns.
contract CollateralToken is ERC20 {
    address public immutable diamond;
    bool public restrictionsEnabled;

    constructor(string memory name_, string memory symbol_, address diamond_) ERC20(name_, symbol_) {
        diamond = diamond_;
    }

    /// Says nothing.
    function setRestrictions(bool enabled) external {
        restrictionsEnabled = enabled;
    }

    function mint(address to, uint256 amount) external {
        require(msg.sender == diamond, "not the diamond");
        _mint(to, amount);
    }

    function burn(address from, uint256 amount) external {
        require(msg.sender == diamond, "not the diamond");
        _burn(from, amount);
    }
}

/// Makes collateral tokens for whoever calls; logs at its own address.
contract CollateralTokenFactory {
    event TokenCreated(uint256 indexed tradeDealId, address indexed tokenAddress, string name, string symbol);

    function createToken(uint256 tradeDealId, string calldata name, string calldata symbol)
        external
        returns (address token)
    {
        token = address(new CollateralToken(name, symbol, msg.sender));
        emit TokenCreated(tradeDealId, token, name, symbol);
    }
}
