// SPDX-License-Identifier: MIT
pragma solidity ^0.8.24;

import {IERC20} from "@openzeppelin/contracts/token/ERC20/IERC20.sol";
import {CollateralToken, CollateralTokenFactory} from "./CollateralToken.sol";
import {Deal, State, DemoStorage} from "./DemoStorage.sol";
import {FeeCore} from "./FeeFacet.sol";
import {TokenCore} from "./TokenCore.sol";

/// Trade deals; the first has id 0. Invoices are the diamond's own tokens.
contract TradeDealFacet {
    event CollateralTokenFactoryInitialized(address indexed factoryAddress);
    event CollateralTokenCreated(uint256 indexed tradeDealId, address indexed tokenAddress, string name, string symbol);
    event TradeDealCreated(
        uint256 indexed tradeDealId,
        string name,
        string symbol,
        uint256 interestRate,
        uint256 collateralToInterestRatio,
        bool active,
        address nftAddress,
        address collateralAddress,
        address interestAddress,
        address usdcAddress,
        uint8 operationMode
    );
    event TradeDealUpdated(
        uint256 indexed tradeDealId,
        string name,
        string symbol,
        uint256 interestRate,
        uint256 collateralToInterestRatio,
        bool active,
        address collateralAddress,
        address interestAddress,
        address usdcAddress
    );
    event TradeDealRequiredClaimTopicsSet(uint256 indexed tradeDealId, uint256[] claimTopics);
    event TradeDealActivated(uint256 indexed tradeDealId);
    event TradeDealDeactivated(uint256 indexed tradeDealId);
    event TradeDealParticipantAdded(uint256 indexed tradeDealId, address indexed participant);
    event TradeDealParticipantRemoved(uint256 indexed tradeDealId, address indexed participant);
    event InvoiceDepositedToTradeDeal(uint256 indexed tradeDealId, uint256 indexed tokenId);
    event InvoiceWithdrawnFromTradeDeal(uint256 indexed tradeDealId, uint256 indexed tokenId);
    event USDCDepositedToTradeDeal(uint256 indexed tradeDealId, uint256 amount, address depositor);
    event USDCWithdrawnFromTradeDeal(uint256 indexed tradeDealId, uint256 amount);
    event TradeDealFullyFunded(uint256 indexed tradeDealId, uint256 fundingTarget);
    event TradeDealFundingWithdrawn(uint256 indexed tradeDealId, address indexed recipient, uint256 amount);
    event TradeDealRepaid(uint256 indexed tradeDealId, address indexed repayer, uint256 amount, bool fullyRepaid);
    event CollateralTokensRedeemed(
        uint256 indexed tradeDealId, address indexed redeemer, uint256 collateralAmount, uint256 usdcAmount
    );

    function initializeCollateralTokenFactory(address factory) external {
        DemoStorage.load().collateralFactory = factory;
        emit CollateralTokenFactoryInitialized(factory);
    }

    /// The deal is active at once and `nftAddress` is zero; the claim topics follow in an event of their own.
    function createTradeDeal(
        string calldata name,
        string calldata symbol,
        uint256 interestRate,
        address usdc,
        uint256[] calldata claimTopics
    ) external returns (uint256 id) {
        State storage s = DemoStorage.load();
        id = s.nextDeal++;
        Deal storage deal = s.deals[id];
        deal.name = name;
        deal.symbol = symbol;
        deal.interestRate = interestRate;
        deal.usdc = usdc;
        deal.borrower = msg.sender;
        deal.active = true;
        deal.collateral = CollateralTokenFactory(s.collateralFactory).createToken(id, name, symbol);
        emit CollateralTokenCreated(id, deal.collateral, name, symbol);
        _announce(id, deal);
        emit TradeDealRequiredClaimTopicsSet(id, claimTopics);
    }

    function updateTradeDeal(uint256 id, uint256 interestRate) external {
        Deal storage deal = DemoStorage.load().deals[id];
        deal.interestRate = interestRate;
        emit TradeDealUpdated(
            id, deal.name, deal.symbol, interestRate, 1, deal.active, deal.collateral, address(0), deal.usdc
        );
    }

    function setTradeDealActive(uint256 id, bool active) external {
        DemoStorage.load().deals[id].active = active;
        if (active) emit TradeDealActivated(id);
        else emit TradeDealDeactivated(id);
    }

    function addTradeDealParticipant(uint256 id, address participant) external {
        DemoStorage.load().participants[id][participant] = true;
        emit TradeDealParticipantAdded(id, participant);
    }

    function removeTradeDealParticipant(uint256 id, address participant) external {
        DemoStorage.load().participants[id][participant] = false;
        emit TradeDealParticipantRemoved(id, participant);
    }

    /// Raises the funding target by the invoice's amount; neither depositor nor amount is in the event.
    function tdDepositInvoice(uint256 id, uint256 tokenId) external {
        State storage s = DemoStorage.load();
        TokenCore.move(msg.sender, address(this), tokenId, false);
        emit TokenCore.ERC721ATransfer(msg.sender, address(this), tokenId, "");
        s.invoiceAmount[tokenId] = TokenCore.amountOf(tokenId);
        s.deals[id].fundingTarget += s.invoiceAmount[tokenId];
        emit InvoiceDepositedToTradeDeal(id, tokenId);
    }

    function tdWithdrawInvoice(uint256 id, uint256 tokenId) external {
        State storage s = DemoStorage.load();
        s.deals[id].fundingTarget -= s.invoiceAmount[tokenId];
        TokenCore.move(address(this), msg.sender, tokenId, false);
        emit TokenCore.ERC721ATransfer(address(this), msg.sender, tokenId, "");
        emit InvoiceWithdrawnFromTradeDeal(id, tokenId);
    }

    /// Anybody may deposit, becomes a participant without an event and receives collateral (6 to 18 decimals).
    function tdDepositUSDC(uint256 id, uint256 amount) external {
        State storage s = DemoStorage.load();
        Deal storage deal = s.deals[id];
        require(deal.active, "not active");
        require(IERC20(deal.usdc).transferFrom(msg.sender, address(this), amount), "deposit failed");
        s.participants[id][msg.sender] = true;
        bool before = deal.balance >= deal.fundingTarget;
        deal.balance += amount;
        CollateralToken(deal.collateral).mint(msg.sender, amount * 1e12);
        emit USDCDepositedToTradeDeal(id, amount, msg.sender);
        if (!before && deal.balance >= deal.fundingTarget) {
            deal.debt = deal.fundingTarget + (deal.fundingTarget * deal.interestRate) / 10_000;
            emit TradeDealFullyFunded(id, deal.fundingTarget);
        }
    }

    /// Whoever calls takes it; the event does not tell who that was.
    function tdWithdrawUSDC(uint256 id, uint256 amount) external {
        Deal storage deal = DemoStorage.load().deals[id];
        deal.balance -= amount;
        require(IERC20(deal.usdc).transfer(msg.sender, amount), "withdrawal failed");
        emit USDCWithdrawnFromTradeDeal(id, amount);
    }

    /// The event has the net amount; the deal's balance falls by the whole target.
    function withdrawTradeDealFunding(uint256 id) external {
        Deal storage deal = DemoStorage.load().deals[id];
        require(deal.debt > 0 && deal.balance >= deal.fundingTarget, "not funded");
        deal.balance -= deal.fundingTarget;
        deal.withdrawn = true;
        uint256 net = FeeCore.distribute(deal.borrower, deal.fundingTarget);
        emit TradeDealFundingWithdrawn(id, deal.borrower, net);
    }

    /// With `forBorrower` the event names the borrower although the caller pays.
    function repayTradeDeal(uint256 id, uint256 amount, bool forBorrower) external {
        Deal storage deal = DemoStorage.load().deals[id];
        require(IERC20(deal.usdc).transferFrom(msg.sender, address(this), amount), "repayment failed");
        deal.balance += amount;
        deal.repaid += amount;
        emit TradeDealRepaid(id, forBorrower ? deal.borrower : msg.sender, amount, deal.repaid >= deal.debt);
    }

    function redeemCollateralTokens(uint256 id, uint256 collateralAmount) external {
        Deal storage deal = DemoStorage.load().deals[id];
        uint256 usdcAmount = (deal.balance * collateralAmount) / IERC20(deal.collateral).totalSupply();
        CollateralToken(deal.collateral).burn(msg.sender, collateralAmount);
        deal.balance -= usdcAmount;
        require(IERC20(deal.usdc).transfer(msg.sender, usdcAmount), "redemption failed");
        emit CollateralTokensRedeemed(id, msg.sender, collateralAmount, usdcAmount);
    }

    function getTradeDealCount() external view returns (uint256) {
        return DemoStorage.load().nextDeal;
    }

    /// Everything the demo keeps of a deal; nothing of the kind is deployed.
    function getTradeDeal(uint256 id) external view returns (Deal memory) {
        return DemoStorage.load().deals[id];
    }

    /// Target, balance, funded, withdrawn, debt, repaid, repaid in full.
    function getTradeDealFullStatus(uint256 id)
        external
        view
        returns (uint256, uint256, bool, bool, uint256, uint256, bool)
    {
        Deal storage deal = DemoStorage.load().deals[id];
        return (
            deal.fundingTarget,
            deal.balance,
            deal.fundingTarget > 0 && deal.balance >= deal.fundingTarget,
            deal.withdrawn,
            deal.debt,
            deal.repaid,
            deal.debt > 0 && deal.repaid >= deal.debt
        );
    }

    /// Invoices, collateral, interest, money.
    function getTradeDealTokenAddresses(uint256 id) external view returns (address, address, address, address) {
        Deal storage deal = DemoStorage.load().deals[id];
        return (address(0), deal.collateral, address(0), deal.usdc);
    }

    function isTradeDealParticipant(uint256 id, address who) external view returns (bool) {
        return DemoStorage.load().participants[id][who];
    }

    function _announce(uint256 id, Deal storage deal) private {
        emit TradeDealCreated(
            id,
            deal.name,
            deal.symbol,
            deal.interestRate,
            1,
            true,
            address(0),
            deal.collateral,
            address(0),
            deal.usdc,
            uint8(id % 4)
        );
    }
}
