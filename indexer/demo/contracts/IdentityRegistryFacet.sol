// SPDX-License-Identifier: MIT
pragma solidity ^0.8.24;

import {State, DemoStorage} from "./DemoStorage.sol";

/// Wallets, their identities and the claims that trusted issuers make about them.
contract IdentityRegistryFacet {
    event IdentityAdded(address trustedIssuer, address indexed _address, address identity);
    event IdentityRemoved(address trustedIssuer, address indexed _address, address identity);
    event ClaimAdded(address trustedIssuer, address indexed identity, uint256 indexed claimTopic, bytes claim);
    event ClaimRemoved(address trustedIssuer, address indexed identity, uint256 indexed claimTopic);
    event ClaimsRemoved(address trustedIssuer, address indexed identity, uint256[] claimTopics);
    event ClaimsSet(address trustedIssuer, address indexed identity, uint256[] claims);
    event ClaimTopicAdded(uint256 indexed claimTopic);
    event TrustedIssuerAdded(address indexed trustedIssuer, uint256[] claimTopics);
    event TrustedIssuerRemoved(address indexed trustedIssuer);
    event ClaimTopicsUpdated(address indexed trustedIssuer, uint256[] claimTopics);
    event ClaimTopicRemoved(address indexed issuer, uint256 claimTopic);

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

    /// Takes away those that are there and lists just them.
    function removeClaims(address identity, uint256[] calldata topics) external {
        State storage s = DemoStorage.load();
        uint256 count = 0;
        uint256[] memory removed = new uint256[](topics.length);
        for (uint256 i = 0; i < topics.length; i++) {
            if (!s.claims[identity][topics[i]]) continue;
            s.claims[identity][topics[i]] = false;
            removed[count++] = topics[i];
        }
        assembly {
            mstore(removed, count)
        }
        emit ClaimsRemoved(msg.sender, identity, removed);
    }

    /// One claim with its bytes, of whatever topic.
    function addClaim(address identity, uint256 topic, bytes calldata claim) external {
        DemoStorage.load().claims[identity][topic] = true;
        emit ClaimAdded(msg.sender, identity, topic, claim);
    }

    function hasClaim(address identity, uint256 topic) external view returns (bool) {
        return DemoStorage.load().claims[identity][topic];
    }

    function addClaimTopic(uint256 topic) external {
        State storage s = DemoStorage.load();
        if (!s.claimTopics[topic]) s.topicList.push(topic);
        s.claimTopics[topic] = true;
        emit ClaimTopicAdded(topic);
    }

    function getClaimTopics() external view returns (uint256[] memory) {
        return DemoStorage.load().topicList;
    }

    function addTrustedIssuer(address issuer, uint256[] calldata topics) external {
        DemoStorage.load().trustedIssuers[issuer] = true;
        DemoStorage.load().issuerTopics[issuer] = topics;
        emit TrustedIssuerAdded(issuer, topics);
    }

    function updateIssuerClaimTopics(address issuer, uint256[] calldata topics) external {
        DemoStorage.load().issuerTopics[issuer] = topics;
        emit ClaimTopicsUpdated(issuer, topics);
    }

    /// Says that a topic went, and takes none away.
    function removeTrustedIssuerClaimTopic(address issuer, uint256 topic) external {
        emit ClaimTopicRemoved(issuer, topic);
    }

    function removeTrustedIssuer(address issuer) external {
        DemoStorage.load().trustedIssuers[issuer] = false;
        delete DemoStorage.load().issuerTopics[issuer];
        emit TrustedIssuerRemoved(issuer);
    }

    function isTrustedIssuer(address issuer) external view returns (bool) {
        return DemoStorage.load().trustedIssuers[issuer];
    }

    function getTrustedIssuerClaimTopics(address issuer) external view returns (uint256[] memory) {
        return DemoStorage.load().issuerTopics[issuer];
    }

    function getIdentity(address wallet) external view returns (address) {
        return DemoStorage.load().identities[wallet];
    }
}
