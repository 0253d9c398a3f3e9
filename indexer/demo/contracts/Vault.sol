// SPDX-License-Identifier: MIT
pragma solidity ^0.8.24;

import {AccessControl} from "@openzeppelin/contracts/access/AccessControl.sol";
import {Ownable, Ownable2Step} from "@openzeppelin/contracts/access/Ownable2Step.sol";
import {Pausable} from "@openzeppelin/contracts/utils/Pausable.sol";

/// OpenZeppelin's roles, pause and ownership in two steps, and nothing else.
contract Vault is AccessControl, Ownable2Step, Pausable {
    constructor() Ownable(msg.sender) {
        _grantRole(DEFAULT_ADMIN_ROLE, msg.sender);
    }

    function setRoleAdmin(bytes32 role, bytes32 admin) external onlyOwner {
        _setRoleAdmin(role, admin);
    }

    function pause() external {
        _pause();
    }

    function unpause() external {
        _unpause();
    }
}
