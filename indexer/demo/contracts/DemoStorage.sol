// SPDX-License-Identifier: MIT
pragma solidity ^0.8.24;

/// One typed key-value pair of a token, an identity or the contract itself.
struct Attribute {
    string key;
    uint8 attributeType;
    string value;
}

/// Who receives a share of a price, in millionths.
struct FeeReceiver {
    address receiver;
    uint256 sharePerMillion;
}

struct Listing {
    address seller;
    address receiver;
    uint256 price;
    address paymentToken;
    bool escrowed;
    bool open;
}

struct Deal {
    string name;
    string symbol;
    uint256 interestRate;
    address collateral;
    address usdc;
    address borrower;
    bool active;
    uint256 fundingTarget;
    uint256 balance;
    uint256 debt;
    uint256 repaid;
}

/// The whole state of the demo's diamond, at one slot, so that facets can come and go.
struct State {
    // tokens
    uint256 nextToken;
    mapping(uint256 => address) owners;
    mapping(uint256 => address) approvals;
    mapping(address => mapping(address => bool)) operators;
    mapping(address => uint256) counters;
    mapping(uint256 => mapping(string => Attribute)) attributes;
    // market
    bool marketOpen;
    FeeReceiver[] marketFees;
    mapping(uint256 => Listing) listings;
    // carbon
    mapping(uint256 => uint256) carbonBalance;
    mapping(uint256 => bool) carbonKnown;
    // deals
    address collateralFactory;
    uint256 nextDeal;
    mapping(uint256 => Deal) deals;
    mapping(uint256 => mapping(address => bool)) participants;
    mapping(uint256 => uint256) invoiceAmount;
    // fees
    address feeToken;
    uint256 feeBasis;
    address[] feeReceivers;
    uint256[] feeWeights;
    // identity
    mapping(address => address) identities;
    mapping(uint256 => bool) claimTopics;
    mapping(address => mapping(uint256 => bool)) claims;
}

library DemoStorage {
    bytes32 private constant SLOT = keccak256("gemforce-indexer.demo.state");

    function load() internal pure returns (State storage state) {
        bytes32 slot = SLOT;
        assembly {
            state.slot := slot
        }
    }
}
