// SPDX-License-Identifier: MIT
pragma solidity ^0.8.24;

import {IERC20} from "@openzeppelin/contracts/token/ERC20/IERC20.sol";
import {FeeReceiver, Listing, State, DemoStorage} from "./DemoStorage.sol";
import {TokenCore} from "./TokenCore.sol";

/// Listings, sales and delistings of the diamond's own tokens.
contract MarketplaceFacet {
    event MarketplaceInitialized(FeeReceiver[] feeReceivers);
    event Listings(
        address indexed nftContract,
        uint256 indexed tokenId,
        address seller,
        address receiver,
        address owner,
        uint256 price,
        bool sold,
        address paymentToken
    );
    event PaymentDistributed(address token, address receiver, uint256 amount);
    event Sales(address indexed tokenAddress, uint256 indexed tokenId, address indexed owner);
    event Delisted(uint256 indexed itemId);

    error NotForSale(uint256 tokenId);
    error WrongPrice(uint256 price, uint256 paid);

    function initializeMarketplace(FeeReceiver[] calldata feeReceivers) external {
        State storage s = DemoStorage.load();
        require(!s.marketOpen, "initialized");
        s.marketOpen = true;
        for (uint256 i = 0; i < feeReceivers.length; i++) s.marketFees.push(feeReceivers[i]);
        emit MarketplaceInitialized(feeReceivers);
    }

    /// With `transferNFT` the token goes into the diamond's escrow; listing again opens a new listing.
    function listItem(address receiver, uint256 tokenId, uint256 price, bool transferNFT, address paymentToken)
        external
    {
        State storage s = DemoStorage.load();
        address owner = TokenCore.ownerOf(tokenId);
        if (owner != msg.sender) revert TokenCore.NotTheOwner(msg.sender, tokenId);
        s.listings[tokenId] = Listing(msg.sender, receiver, price, paymentToken, transferNFT, true);
        if (transferNFT) TokenCore.move(msg.sender, address(this), tokenId, false);
        emit Listings(address(this), tokenId, msg.sender, receiver, address(0), price, false, paymentToken);
    }

    /// Fees first, each with its PaymentDistributed, then the seller's share, then the token, then Sales.
    function purchaseItem(address nftContract, uint256 tokenId) external payable {
        State storage s = DemoStorage.load();
        Listing memory item = s.listings[tokenId];
        if (!item.open || nftContract != address(this)) revert NotForSale(tokenId);
        if (item.paymentToken == address(0) && msg.value != item.price) revert WrongPrice(item.price, msg.value);
        s.listings[tokenId].open = false;
        uint256 rest = item.price;
        for (uint256 i = 0; i < s.marketFees.length; i++) {
            uint256 fee = (item.price * s.marketFees[i].sharePerMillion) / 1_000_000;
            rest -= fee;
            _pay(item.paymentToken, s.marketFees[i].receiver, fee);
        }
        _pay(item.paymentToken, item.receiver, rest);
        TokenCore.move(item.escrowed ? address(this) : item.seller, msg.sender, tokenId, false);
        emit Sales(address(this), tokenId, msg.sender);
    }

    /// Always a forced move out of the diamond, even when the token never was in it, or a listing never existed.
    function delistItem(address nftContract, uint256 tokenId) external {
        State storage s = DemoStorage.load();
        require(nftContract == address(this), "foreign token");
        address back = s.listings[tokenId].escrowed ? s.listings[tokenId].seller : TokenCore.ownerOf(tokenId);
        if (back != msg.sender) revert TokenCore.NotTheOwner(msg.sender, tokenId);
        s.listings[tokenId].open = false;
        TokenCore.move(address(this), back, tokenId, true);
        emit Delisted(tokenId);
    }

    function fetchItem(uint256 tokenId) external view returns (Listing memory) {
        return DemoStorage.load().listings[tokenId];
    }

    function getMarketplaceFeeReceivers() external view returns (FeeReceiver[] memory) {
        return DemoStorage.load().marketFees;
    }

    function _pay(address token, address receiver, uint256 amount) private {
        if (amount == 0) return;
        if (token == address(0)) {
            (bool sent,) = receiver.call{value: amount}("");
            require(sent, "payment refused");
        } else {
            require(IERC20(token).transferFrom(msg.sender, receiver, amount), "payment failed");
        }
        emit PaymentDistributed(token, receiver, amount);
    }
}
