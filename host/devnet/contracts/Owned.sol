// SPDX-License-Identifier: MIT
pragma solidity ^0.8.30;

/// Who deployed a contract of the devnet turns its knobs; nobody else can.
abstract contract Owned {
    address public immutable owner = msg.sender;

    modifier onlyOwner() {
        require(msg.sender == owner, "caller must be the owner");
        _;
    }
}
