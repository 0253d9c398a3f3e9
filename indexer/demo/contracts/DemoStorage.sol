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
    bool withdrawn;
}

struct VariablePriceContract {
    uint256 price;
    uint8 priceModifier;
    uint256 priceModifierFactor;
    uint256 maxPrice;
}

/// All there is to say about a sale of many tokens.
struct MultiSaleSettings {
    uint8 tokenType;
    address token;
    uint256 tokenHash;
    uint256 whitelistHash;
    bool whitelistOnly;
    uint8 paymentMethod;
    address paymentToken;
    address owner;
    address payee;
    string symbol;
    string name;
    string description;
    bool openState;
    uint256 startTime;
    uint256 endTime;
    uint256 maxQuantity;
    uint256 maxQuantityPerSale;
    uint256 minQuantityPerSale;
    uint256 maxQuantityPerAccount;
    uint8 paymentType;
    address tokenAddress;
    uint256 nextSaleId;
    VariablePriceContract price;
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
    mapping(uint256 => string[]) attributeKeys;
    mapping(uint256 => bool) listBroken;
    address delegatedMinter;
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
    uint256[] topicList;
    mapping(address => mapping(uint256 => bool)) claims;
    mapping(address => bool) trustedIssuers;
    mapping(address => uint256[]) issuerTopics;
    // sales of many tokens
    uint256 nextSale;
    mapping(uint256 => MultiSaleSettings) sales;
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
