// SPDX-License-Identifier: MIT
pragma solidity ^0.8.24;

/// An identity: keys (ERC-734), claims (ERC-735) and attributes.
contract Identity {
    struct Claim {
        uint256 topic;
        uint256 scheme;
        address issuer;
        bytes signature;
        bytes data;
        string uri;
    }

    event Initialized(uint64 version);
    event KeyAdded(bytes32 indexed key, uint256 indexed purpose, uint256 indexed keyType);
    event KeyRemoved(bytes32 indexed key, uint256 indexed purpose, uint256 indexed keyType);
    event ClaimAdded(
        bytes32 indexed claimId,
        uint256 indexed topic,
        uint256 scheme,
        address indexed issuer,
        bytes signature,
        bytes data,
        string uri
    );
    event ClaimChanged(
        bytes32 indexed claimId,
        uint256 indexed topic,
        uint256 scheme,
        address indexed issuer,
        bytes signature,
        bytes data,
        string uri
    );
    event ClaimRemoved(
        bytes32 indexed claimId,
        uint256 indexed topic,
        uint256 scheme,
        address indexed issuer,
        bytes signature,
        bytes data,
        string uri
    );
    event Executed(uint256 indexed executionId, address indexed to, uint256 indexed value, bytes data);
    event ExecutionFailed(
        uint256 indexed executionId, address indexed to, uint256 indexed value, bytes data
    );
    event AttributeSet(string key, uint8 attributeType, string value);

    mapping(bytes32 => uint256) private purposes;
    mapping(bytes32 => Claim) private claims;
    mapping(string => string) private attributes;
    uint256 private executions;

    constructor(address owner) {
        emit Initialized(type(uint64).max);
        _addKey(keccak256(abi.encode(owner)), 1, 1);
    }

    function addKey(bytes32 key, uint256 purpose, uint256 keyType) external {
        _addKey(key, purpose, keyType);
    }

    /// Takes the key away with whatever it was good for.
    function removeKey(bytes32 key, uint256 purpose) external {
        require(purposes[key] != 0, "unknown key");
        delete purposes[key];
        emit KeyRemoved(key, purpose, 1);
    }

    /// The id depends on issuer and topic only: adding again overwrites, and says ClaimAdded again.
    function addClaim(uint256 topic, uint256 scheme, bytes calldata signature, bytes calldata data, string calldata uri)
        external
        returns (bytes32 claimId)
    {
        claimId = keccak256(abi.encode(msg.sender, topic));
        claims[claimId] = Claim(topic, scheme, msg.sender, signature, data, uri);
        emit ClaimAdded(claimId, topic, scheme, msg.sender, signature, data, uri);
    }

    /// Keeps the id although topic and issuer are no longer what it was made of.
    function changeClaim(bytes32 claimId, uint256 topic, bytes calldata data, string calldata uri) external {
        require(claims[claimId].issuer != address(0), "unknown claim");
        claims[claimId] = Claim(topic, 2, msg.sender, "", data, uri);
        emit ClaimChanged(claimId, topic, 2, msg.sender, "", data, uri);
    }

    function getClaim(bytes32 claimId) external view returns (Claim memory) {
        return claims[claimId];
    }

    /// The claim is gone before the event is made, so everything but its id is empty in it.
    function removeClaim(bytes32 claimId) external {
        require(claims[claimId].issuer != address(0), "unknown claim");
        delete claims[claimId];
        Claim storage gone = claims[claimId];
        emit ClaimRemoved(claimId, gone.topic, gone.scheme, gone.issuer, gone.signature, gone.data, gone.uri);
    }

    function execute(address to, uint256 value, bytes calldata data) external {
        (bool done,) = to.call{value: value}(data);
        require(done, "execution failed");
        emit Executed(executions++, to, value, data);
    }

    /// As older builds had it: what fails is told and not undone.
    function tryExecute(address to, uint256 value, bytes calldata data) external {
        (bool done,) = to.call{value: value}(data);
        if (done) emit Executed(executions++, to, value, data);
        else emit ExecutionFailed(executions++, to, value, data);
    }

    function getAttribute(string calldata key) external view returns (string memory) {
        return attributes[key];
    }

    function keyHasPurpose(bytes32 key, uint256 purpose) external view returns (bool) {
        return purposes[key] & (1 << purpose) != 0;
    }

    function setAttribute(string calldata key, uint8 attributeType, string calldata value) external {
        attributes[key] = value;
        emit AttributeSet(key, attributeType, value);
    }

    function _addKey(bytes32 key, uint256 purpose, uint256 keyType) private {
        purposes[key] |= 1 << purpose;
        emit KeyAdded(key, purpose, keyType);
    }
}

/// Makes identities; their first events come before the one that announces them.
contract IdentityFactory {
    event IdentityCreated(address indexed owner, address indexed identity);

    mapping(address => address) public getIdentity;

    function createIdentity(address owner) external returns (address identity) {
        identity = address(new Identity(owner));
        getIdentity[owner] = identity;
        emit IdentityCreated(owner, identity);
    }
}
