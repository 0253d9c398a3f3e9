// SPDX-License-Identifier: MIT
pragma solidity ^0.8.24;

import {State, DemoStorage} from "./DemoStorage.sol";

/// Wallets, their identities and the claims that trusted issuers make about them.
contract IdentityRegistryFacet {
    event IdentityAdded(address trustedIssuer, address indexed _address, address identity);
    event IdentityRemoved(address trustedIssuer, address indexed _address, address identity);
    event ClaimAdded(address trustedIssuer, address indexed identity, uint256 indexed claimTopic, bytes claim);
    event ClaimRemoved(address trustedIssuer, address indexed identity, uint256 indexed claimTopic);
    event ClaimsSet(address trustedIssuer, address indexed identity, uint256[] claims);
    event ClaimTopicAdded(uint256 indexed claimTopic);
    event TrustedIssuerAdded(address indexed trustedIssuer, uint256[] claimTopics);
    event TrustedIssuerRemoved(address indexed trustedIssuer);
    event ClaimTopicsUpdated(address indexed trustedIssuer, uint256[] claimTopics);

    function addIdentity(address wallet, address identity) external {
        DemoStorage.load().identities[wallet] = identity;
        emit IdentityAdded(msg.sender, wallet, identity);
    }

    /// Both arguments carry the wallet.
    function removeIdentity(address wallet) external {
        delete DemoStorage.load().identities[wallet];
        emit IdentityRemoved(msg.sender, wallet, wallet);
    }

    /// Only topics that the registry knows are stored, each with its ClaimAdded; ClaimsSet lists all that were asked for.
    function setClaims(address identity, uint256[] calldata topics) external {
        State storage s = DemoStorage.load();
        for (uint256 i = 0; i < topics.length; i++) {
            if (!s.claimTopics[topics[i]]) continue;
            s.claims[identity][topics[i]] = true;
            emit ClaimAdded(msg.sender, identity, topics[i], "");
        }
        emit ClaimsSet(msg.sender, identity, topics);
    }

    function removeClaim(address identity, uint256 topic) external {
        State storage s = DemoStorage.load();
        require(s.claims[identity][topic], "no such claim");
        s.claims[identity][topic] = false;
        emit ClaimRemoved(msg.sender, identity, topic);
    }

    function addClaimTopic(uint256 topic) external {
        DemoStorage.load().claimTopics[topic] = true;
        emit ClaimTopicAdded(topic);
    }

    function addTrustedIssuer(address issuer, uint256[] calldata topics) external {
        emit TrustedIssuerAdded(issuer, topics);
    }

    function updateIssuerClaimTopics(address issuer, uint256[] calldata topics) external {
        emit ClaimTopicsUpdated(issuer, topics);
    }

    function removeTrustedIssuer(address issuer) external {
        emit TrustedIssuerRemoved(issuer);
    }

    function getIdentity(address wallet) external view returns (address) {
        return DemoStorage.load().identities[wallet];
    }
}
