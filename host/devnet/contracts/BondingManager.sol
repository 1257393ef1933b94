// SPDX-License-Identifier: MIT
pragma solidity ^0.8.30;

import {IController, Protocol} from "./Protocol.sol";

/// Orchestrators (transcoders, in the protocol's older word), ordered by stake, and the fees they earned.
///
/// There is no token: the owner says who has how much stake, from and until which round. Fees are real: they come with the
/// TicketBroker's call and are paid out to the orchestrator that earned them.
contract BondingManager is Protocol {
    uint256 private constant PRECISION = 10 ** 27;
    uint256 private constant FOREVER = type(uint256).max;

    struct Transcoder {
        uint256 stake;
        uint256 rewardCut;
        uint256 feeShare;
        uint256 activationRound;
        uint256 deactivationRound;
        uint256 fees;
        uint256 lastFeeRound;
        uint256 unpaid;
        address next;
        bool registered;
    }

    event TranscoderUpdate(address indexed transcoder, uint256 rewardCut, uint256 feeShare);
    event TranscoderActivated(address indexed transcoder, uint256 activationRound);
    event TranscoderDeactivated(address indexed transcoder, uint256 deactivationRound);
    event WithdrawFees(address indexed delegator, address recipient, uint256 amount);

    uint256 public immutable getTranscoderPoolMaxSize;
    uint256 public getTranscoderPoolSize;
    uint256 public getTotalBonded;
    address public getFirstTranscoderInPool;
    mapping(address => Transcoder) private transcoders;

    constructor(IController controller_, uint256 poolMaxSize) Protocol(controller_) {
        getTranscoderPoolMaxSize = poolMaxSize;
    }

    /// Puts an orchestrator in the pool, or back in it at another stake.
    function activate(address transcoder, uint256 stake, uint256 round) external onlyOwner {
        Transcoder storage t = transcoders[transcoder];
        if (t.deactivationRound == FOREVER) {
            unlink(transcoder);
        }
        require(getTranscoderPoolSize < getTranscoderPoolMaxSize, "the pool is full");
        t.registered = true;
        t.stake = stake;
        t.activationRound = round;
        t.deactivationRound = FOREVER;
        link(transcoder, stake);
        emit TranscoderActivated(transcoder, round);
    }

    /// Takes an orchestrator out of the pool; it is active until the round begins.
    function deactivate(address transcoder, uint256 round) external onlyOwner {
        Transcoder storage t = transcoders[transcoder];
        require(t.deactivationRound == FOREVER, "not in the pool");
        unlink(transcoder);
        t.deactivationRound = round;
        emit TranscoderDeactivated(transcoder, round);
    }

    /// Both in parts per million.
    function setCuts(address transcoder, uint256 rewardCut, uint256 feeShare) external onlyOwner {
        transcoders[transcoder].rewardCut = rewardCut;
        transcoders[transcoder].feeShare = feeShare;
        emit TranscoderUpdate(transcoder, rewardCut, feeShare);
    }

    function updateTranscoderWithFees(address transcoder, uint256 fees, uint256) external payable whenNotPaused {
        require(msg.sender == controller.getContract(keccak256("TicketBroker")), "caller must be TicketBroker");
        Transcoder storage t = transcoders[transcoder];
        require(t.registered, "transcoder must be registered");
        require(msg.value == fees, "fees must come with the call");
        t.fees += fees;
        t.unpaid += fees;
        t.lastFeeRound = rounds().currentRound();
    }

    function withdrawFees(address payable recipient, uint256 amount) external whenNotPaused {
        Transcoder storage t = transcoders[msg.sender];
        require(amount <= t.unpaid, "insufficient fees to withdraw");
        t.unpaid -= amount;
        (bool sent,) = recipient.call{value: amount}("");
        require(sent, "fees could not be sent");
        emit WithdrawFees(msg.sender, recipient, amount);
    }

    /// Earned and not withdrawn, whatever the round.
    function pendingFees(address transcoder, uint256) external view returns (uint256) {
        return transcoders[transcoder].unpaid;
    }

    function getNextTranscoderInPool(address transcoder) external view returns (address) {
        return transcoders[transcoder].next;
    }

    function isActiveTranscoder(address transcoder) external view returns (bool) {
        Transcoder storage t = transcoders[transcoder];
        uint256 round = rounds().currentRound();
        return t.registered && t.activationRound <= round && round < t.deactivationRound;
    }

    function isRegisteredTranscoder(address transcoder) external view returns (bool) {
        return transcoders[transcoder].registered;
    }

    function transcoderStatus(address transcoder) external view returns (uint8) {
        return transcoders[transcoder].registered ? 1 : 0;
    }

    function transcoderTotalStake(address transcoder) external view returns (uint256) {
        return transcoders[transcoder].stake;
    }

    function getTranscoder(address transcoder)
        external
        view
        returns (
            uint256 lastRewardRound,
            uint256 rewardCut,
            uint256 feeShare,
            uint256 lastActiveStakeUpdateRound,
            uint256 activationRound,
            uint256 deactivationRound,
            uint256 activeCumulativeRewards,
            uint256 cumulativeRewards,
            uint256 cumulativeFees,
            uint256 lastFeeRound
        )
    {
        Transcoder storage t = transcoders[transcoder];
        rewardCut = t.rewardCut;
        feeShare = t.feeShare;
        lastActiveStakeUpdateRound = t.activationRound;
        activationRound = t.activationRound;
        deactivationRound = t.deactivationRound;
        cumulativeFees = t.fees;
        lastFeeRound = t.lastFeeRound;
        // No rewards are minted here.
        (lastRewardRound, activeCumulativeRewards, cumulativeRewards) = (0, 0, 0);
    }

    /// Of the rounds in which the orchestrator is active; zeros for others, as in the protocol.
    function getTranscoderEarningsPoolForRound(address transcoder, uint256 round)
        external
        view
        returns (
            uint256 totalStake,
            uint256 rewardCut,
            uint256 feeShare,
            uint256 cumulativeRewardFactor,
            uint256 cumulativeFeeFactor
        )
    {
        Transcoder storage t = transcoders[transcoder];
        if (t.registered && t.activationRound <= round && round < t.deactivationRound) {
            return (t.stake, t.rewardCut, t.feeShare, PRECISION, 0);
        }
    }

    function link(address transcoder, uint256 stake) private {
        address before = address(0);
        address behind = getFirstTranscoderInPool;
        while (behind != address(0) && transcoders[behind].stake >= stake) {
            before = behind;
            behind = transcoders[behind].next;
        }
        transcoders[transcoder].next = behind;
        setNext(before, transcoder);
        getTranscoderPoolSize += 1;
        getTotalBonded += stake;
    }

    function unlink(address transcoder) private {
        address before = address(0);
        address here = getFirstTranscoderInPool;
        while (here != transcoder) {
            before = here;
            here = transcoders[here].next;
        }
        setNext(before, transcoders[transcoder].next);
        transcoders[transcoder].next = address(0);
        getTranscoderPoolSize -= 1;
        getTotalBonded -= transcoders[transcoder].stake;
    }

    function setNext(address before, address next) private {
        if (before == address(0)) {
            getFirstTranscoderInPool = next;
        } else {
            transcoders[before].next = next;
        }
    }
}
