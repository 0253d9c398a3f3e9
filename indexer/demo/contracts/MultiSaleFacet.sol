// SPDX-License-Identifier: MIT
pragma solidity ^0.8.24;

import {IERC20} from "@openzeppelin/contracts/token/ERC20/IERC20.sol";
import {DemoStorage, MultiSaleSettings, State} from "./DemoStorage.sol";
import {TokenCore} from "./TokenCore.sol";
import {DemoItems, DemoUSDC} from "./Tokens.sol";

/// Sales of many tokens: of a mintable ERC-20, of the diamond's own tokens, or of one id of an ERC-1155.
contract MultiSaleFacet {
    uint8 private constant ERC20_TOKENS = 0;
    uint8 private constant ERC721_TOKENS = 1;
    uint8 private constant NATIVE = 0;
    uint8 private constant FIXED = 1;

    event MultiSaleCreated(uint256 indexed tokenSaleId, MultiSaleSettings settings);
    event MultiSaleUpdated(uint256 indexed tokenSaleId, MultiSaleSettings tokenSale);
    event MultiSaleSold(uint256 indexed tokenSaleId, address indexed purchaser, uint256[] tokenIds, bytes data);

    function createTokenSale(MultiSaleSettings calldata settings) external returns (uint256 id) {
        State storage s = DemoStorage.load();
        id = s.nextSale++;
        s.sales[id] = settings;
        emit MultiSaleCreated(id, settings);
    }

    function updateTokenSaleSettings(uint256 id, MultiSaleSettings calldata settings) external {
        DemoStorage.load().sales[id] = settings;
        emit MultiSaleUpdated(id, settings);
    }

    /// The plain purchase: open flag and whitelist are not looked at, and the event names the receiver.
    function purchase(uint256 id, address receiver, uint256 quantity, bytes calldata data) external payable {
        _sell(id, receiver, receiver, quantity, data);
    }

    /// The purchase with a proof, which nobody checks here; the event names the purchaser.
    function purchaseProof(uint256 id, address receiver, uint256 quantity, bytes32[] calldata, bytes calldata data)
        external
        payable
    {
        _sell(id, receiver, msg.sender, quantity, data);
    }

    function getTokenSaleSettings(uint256 id) external view returns (MultiSaleSettings memory) {
        return DemoStorage.load().sales[id];
    }

    function listTokenSales() external view returns (uint256[] memory ids) {
        ids = new uint256[](DemoStorage.load().nextSale);
        for (uint256 i = 0; i < ids.length; i++) ids[i] = i;
    }

    /// Payment first, then the tokens, then the event, which has neither quantity nor price. The price rises in silence.
    function _sell(uint256 id, address receiver, address named, uint256 quantity, bytes calldata data) private {
        MultiSaleSettings storage sale = DemoStorage.load().sales[id];
        _pay(sale, sale.price.price * quantity);
        uint256[] memory ids = _hand(sale, receiver, quantity);
        if (sale.price.priceModifier == FIXED) sale.price.price += sale.price.priceModifierFactor;
        emit MultiSaleSold(id, named, ids, data);
    }

    function _pay(MultiSaleSettings storage sale, uint256 amount) private {
        if (sale.paymentMethod == NATIVE) {
            require(msg.value == amount, "wrong price");
            (bool sent,) = sale.payee.call{value: amount}("");
            require(sent, "payment refused");
        } else {
            require(IERC20(sale.paymentToken).transferFrom(msg.sender, sale.payee, amount), "payment failed");
        }
    }

    function _hand(MultiSaleSettings storage sale, address receiver, uint256 quantity)
        private
        returns (uint256[] memory ids)
    {
        if (sale.tokenType == ERC20_TOKENS) {
            DemoUSDC(sale.token).mint(receiver, quantity);
        } else if (sale.tokenType == ERC721_TOKENS) {
            ids = new uint256[](quantity);
            for (uint256 i = 0; i < quantity; i++) ids[i] = TokenCore.mint(receiver);
        } else {
            ids = new uint256[](1);
            ids[0] = sale.tokenHash;
            DemoItems(sale.token).mint(receiver, sale.tokenHash, quantity);
        }
    }
}
