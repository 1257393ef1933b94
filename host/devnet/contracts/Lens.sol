// SPDX-License-Identifier: MIT
pragma solidity ^0.8.30;

import {IController} from "./Protocol.sol";
import {RoundsManager} from "./RoundsManager.sol";
import {BondingManager} from "./BondingManager.sol";
import {TicketBroker} from "./TicketBroker.sol";
import {Reserves} from "./Reserves.sol";

/// All that a devnet orchestrator has to know of the chain about one sender, as of one block, in one call.
///
/// Not of the protocol. A real orchestrator follows events and can be behind; asking each time, a test never waits for it.
contract Lens {
    struct Standing {
        uint256 l1Block;
        uint256 round;
        bytes32 roundHash;
        bytes32 previousRoundHash;
        bool active;
        uint256 poolSize;
        uint256 deposit;
        uint256 withdrawRound;
        uint256 reserve;
        uint256 claimedInRound;
        uint256 claimedByRecipient;
    }

    IController public immutable controller;

    constructor(IController controller_) {
        controller = controller_;
    }

    function standing(address sender, address recipient) external view returns (Standing memory s) {
        RoundsManager rounds = RoundsManager(controller.getContract(keccak256("RoundsManager")));
        BondingManager bonding = BondingManager(controller.getContract(keccak256("BondingManager")));
        TicketBroker broker = TicketBroker(controller.getContract(keccak256("TicketBroker")));
        s.l1Block = rounds.blockNum();
        s.round = rounds.lastInitializedRound();
        s.roundHash = rounds.blockHashForRound(s.round);
        s.previousRoundHash = rounds.blockHashForRound(s.round - 1);
        s.active = bonding.isActiveTranscoder(recipient);
        s.poolSize = bonding.getTranscoderPoolSize();
        (TicketBroker.Sender memory money, Reserves.ReserveInfo memory reserve) = broker.getSenderInfo(sender);
        s.deposit = money.deposit;
        s.withdrawRound = money.withdrawRound;
        s.reserve = reserve.fundsRemaining;
        s.claimedInRound = reserve.claimedInCurrentRound;
        s.claimedByRecipient = broker.claimedReserve(sender, recipient);
    }
}
