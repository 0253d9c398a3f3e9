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

struct FacetCut {
    address facetAddress;
    uint8 action;
    bytes4[] functionSelectors;
}

/// Announces its diamonds only after they have spoken themselves.
contract DiamondFactory {
    event DiamondCreated(
        address indexed factory, address indexed diamond, string indexed symbol, DiamondSettings settings
    );

    string[] private known;
    mapping(string => bool) public exists;
    mapping(string => FacetCut[]) private facets;

    function create(DiamondSettings calldata settings) external returns (address diamond) {
        diamond = address(new GemforceDiamond(settings.owner));
        if (!exists[settings.symbol]) known.push(settings.symbol);
        exists[settings.symbol] = true;
        emit DiamondCreated(address(this), diamond, settings.symbol, settings);
    }

    function symbols() external view returns (string[] memory) {
        return known;
    }

    function getFacets(string calldata symbol) external view returns (FacetCut[] memory) {
        return facets[symbol];
    }

    /// Says nothing.
    function addFacet(string calldata symbol, FacetCut calldata facet) external {
        facets[symbol].push(facet);
    }
}
