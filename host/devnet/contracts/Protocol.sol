// SPDX-License-Identifier: MIT
pragma solidity ^0.8.30;

import {Owned} from "./Owned.sol";

interface IController {
    function paused() external view returns (bool);
    function getContract(bytes32 id) external view returns (address);
}

interface IRoundsManager {
    function currentRound() external view returns (uint256);
    function currentRoundInitialized() external view returns (bool);
    function blockHashForRound(uint256 round) external view returns (bytes32);
}

interface IBondingManager {
    function isActiveTranscoder(address transcoder) external view returns (bool);
    function getTranscoderPoolSize() external view returns (uint256);
    function updateTranscoderWithFees(address transcoder, uint256 fees, uint256 round) external payable;
}

/// A contract that finds its fellows through the Controller, each time anew, as the protocol's own do.
abstract contract Protocol is Owned {
    IController public immutable controller;

    constructor(IController controller_) {
        controller = controller_;
    }

    modifier whenNotPaused() {
        require(!controller.paused(), "system is paused");
        _;
    }

    function rounds() internal view returns (IRoundsManager) {
        return IRoundsManager(controller.getContract(keccak256("RoundsManager")));
    }

    function bonding() internal view returns (IBondingManager) {
        return IBondingManager(controller.getContract(keccak256("BondingManager")));
    }
}
