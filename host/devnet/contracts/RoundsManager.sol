// SPDX-License-Identifier: MIT
pragma solidity ^0.8.30;

import {IController, Protocol} from "./Protocol.sol";

/// Time, counted in rounds of L1 blocks.
///
/// The first round is already initialized, and it and the one before have a hash: tickets can be made at once. Knobs, for
/// the owner: an L1 of its own with slower blocks, as on Arbitrum, and the hash of a round, zero included.
contract RoundsManager is Protocol {
    uint256 private constant PERC_DIVISOR = 1_000_000;

    event NewRound(uint256 indexed round, bytes32 blockHash);

    uint256 public immutable roundLength;
    /// Share of a round, in parts per million, at whose end stakes are locked.
    uint256 public immutable roundLockAmount;
    uint256 private immutable firstRound;
    uint256 private firstBlock;

    uint256 public lastInitializedRound;
    mapping(uint256 => bytes32) public blockHashForRound;
    /// Blocks of this chain to one of L1; 0 when this chain is its own L1.
    uint256 private l1Ratio;
    uint256 private l1Origin;
    uint256 private l1Since;

    constructor(IController controller_, uint256 roundLength_, uint256 roundLockAmount_, uint256 firstRound_)
        Protocol(controller_)
    {
        require(roundLength_ > 0 && firstRound_ > 0, "rounds need a length and begin with 1");
        roundLength = roundLength_;
        roundLockAmount = roundLockAmount_;
        firstRound = firstRound_;
        firstBlock = block.number;
        bytes32 hash = blockhash(block.number - 1);
        blockHashForRound[firstRound_] = hash;
        blockHashForRound[firstRound_ - 1] = keccak256(abi.encode(hash));
        lastInitializedRound = firstRound_;
        emit NewRound(firstRound_, hash);
    }

    /// Anyone may begin the round that time has reached.
    function initializeRound() external whenNotPaused {
        uint256 round = currentRound();
        require(lastInitializedRound < round, "round already initialized");
        bytes32 hash = blockHash(blockNum() - 1);
        lastInitializedRound = round;
        blockHashForRound[round] = hash;
        emit NewRound(round, hash);
    }

    /// From now on L1 is at block `origin`, and at the next after `ratio` blocks of this chain. The round stays what it is.
    function setL1(uint256 origin, uint256 ratio) external onlyOwner {
        uint256 age = blockNum() - firstBlock;
        require(ratio > 0 && origin >= age, "an L1 of this age has more blocks");
        (l1Ratio, l1Origin, l1Since) = (ratio, origin, block.number);
        firstBlock = origin - age;
    }

    function setBlockHashForRound(uint256 round, bytes32 hash) external onlyOwner {
        blockHashForRound[round] = hash;
    }

    function blockNum() public view returns (uint256) {
        return l1Ratio == 0 ? block.number : l1Origin + (block.number - l1Since) / l1Ratio;
    }

    /// The chain's own when numbers are the chain's own; else made up, as on Arbitrum.
    function blockHash(uint256 number) public view returns (bytes32) {
        return l1Ratio == 0 ? blockhash(number) : keccak256(abi.encode(number));
    }

    function currentRound() public view returns (uint256) {
        return firstRound + (blockNum() - firstBlock) / roundLength;
    }

    function currentRoundInitialized() external view returns (bool) {
        return lastInitializedRound == currentRound();
    }

    function currentRoundStartBlock() public view returns (uint256) {
        return firstBlock + (currentRound() - firstRound) * roundLength;
    }

    function currentRoundLocked() external view returns (bool) {
        uint256 locked = roundLength * roundLockAmount / PERC_DIVISOR;
        return blockNum() + locked >= currentRoundStartBlock() + roundLength;
    }
}
