// SPDX-License-Identifier: MIT
pragma solidity ^0.8.30;

import {Owned} from "./Owned.sol";

/// Dollars for one ETH, with the interface of a Chainlink aggregator. The owner sets the answer and its age, so that a stale
/// or a negative one can be had.
contract PriceFeed is Owned {
    uint8 public constant decimals = 8;
    string public constant description = "ETH / USD";

    uint80 private round = 1;
    int256 private answer;
    uint256 private updated;

    constructor(int256 answer_) {
        answer = answer_;
        updated = block.timestamp;
    }

    function set(int256 answer_, uint256 updatedAt) external onlyOwner {
        round += 1;
        answer = answer_;
        updated = updatedAt;
    }

    function latestRoundData()
        external
        view
        returns (uint80 roundId, int256 answer_, uint256 startedAt, uint256 updatedAt, uint80 answeredInRound)
    {
        return (round, answer, updated, updated, round);
    }
}
