// SPDX-License-Identifier: MIT
pragma solidity ^0.8.24;

import {SolidStateDiamond} from "@solidstate/contracts/proxy/diamond/SolidStateDiamond.sol";

struct DiamondSettings {
    address owner;
    address factory;
    address svgManager;
    string symbol;
    string name;
}

/// The reference diamond of SolidState, owned by whom the settings say.
contract GemforceDiamond is SolidStateDiamond {
    constructor(address owner) {
        _setOwner(owner);
    }
}

/// Announces its diamonds only after they have spoken themselves.
contract DiamondFactory {
    event DiamondCreated(
        address indexed factory, address indexed diamond, string indexed symbol, DiamondSettings settings
    );

    function create(DiamondSettings calldata settings) external returns (address diamond) {
        diamond = address(new GemforceDiamond(settings.owner));
        emit DiamondCreated(address(this), diamond, settings.symbol, settings);
    }
}
