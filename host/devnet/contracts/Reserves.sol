// SPDX-License-Identifier: MIT
pragma solidity ^0.8.30;

import {Protocol} from "./Protocol.sol";

/// What a sender sets aside for the case that its deposit is used up: in each round every active orchestrator may claim an
/// equal share of what was there when the round began.
abstract contract Reserves is Protocol {
    struct ReserveInfo {
        uint256 fundsRemaining;
        uint256 claimedInCurrentRound;
    }

    struct Reserve {
        uint256 funds;
        mapping(uint256 => uint256) claimedForRound;
        mapping(uint256 => mapping(address => uint256)) claimedByAddress;
    }

    event ReserveFunded(address indexed reserveHolder, uint256 amount);
    event ReserveClaimed(address indexed reserveHolder, address claimant, uint256 amount);

    mapping(address => Reserve) private reserves;

    /// What is left of the claimant's share.
    function claimableReserve(address holder, address claimant) public view returns (uint256) {
        if (!bonding().isActiveTranscoder(claimant)) {
            return 0;
        }
        uint256 orchestrators = bonding().getTranscoderPoolSize();
        if (orchestrators == 0) {
            return 0;
        }
        uint256 round = rounds().currentRound();
        Reserve storage reserve = reserves[holder];
        uint256 share = (reserve.funds + reserve.claimedForRound[round]) / orchestrators;
        uint256 claimed = reserve.claimedByAddress[round][claimant];
        // Orchestrators that joined during the round make the shares smaller than what others claimed before.
        return claimed < share ? share - claimed : 0;
    }

    function claimedReserve(address holder, address claimant) public view returns (uint256) {
        return reserves[holder].claimedByAddress[rounds().currentRound()][claimant];
    }

    function reserveOf(address holder) internal view returns (uint256) {
        return reserves[holder].funds;
    }

    function reserveInfo(address holder) internal view returns (ReserveInfo memory) {
        Reserve storage reserve = reserves[holder];
        return ReserveInfo(reserve.funds, reserve.claimedForRound[rounds().currentRound()]);
    }

    function addReserve(address holder, uint256 amount) internal {
        reserves[holder].funds += amount;
        emit ReserveFunded(holder, amount);
    }

    function clearReserve(address holder) internal returns (uint256 funds) {
        funds = reserves[holder].funds;
        reserves[holder].funds = 0;
    }

    /// Claims up to an amount; says how much there was.
    function claimReserve(address holder, address claimant, uint256 amount) internal returns (uint256) {
        uint256 claimable = claimableReserve(holder, claimant);
        if (amount > claimable) {
            amount = claimable;
        }
        Reserve storage reserve = reserves[holder];
        // Shares of a round can add up to more than is left when the pool shrank within it.
        if (amount > reserve.funds) {
            amount = reserve.funds;
        }
        if (amount > 0) {
            uint256 round = rounds().currentRound();
            reserve.funds -= amount;
            reserve.claimedForRound[round] += amount;
            reserve.claimedByAddress[round][claimant] += amount;
            emit ReserveClaimed(holder, claimant, amount);
        }
        return amount;
    }
}
