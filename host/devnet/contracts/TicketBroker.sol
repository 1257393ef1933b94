// SPDX-License-Identifier: MIT
pragma solidity ^0.8.30;

import {IController, Protocol} from "./Protocol.sol";
import {Reserves} from "./Reserves.sol";
import {Signatures} from "./Signatures.sol";

/// Senders' money, and the tickets that win it.
///
/// Checks come in the protocol's order and refuse with its words. The ETH is held here and goes with the fees to the
/// BondingManager; there is no Minter.
contract TicketBroker is Reserves {
    struct Sender {
        uint256 deposit;
        uint256 withdrawRound;
    }

    struct Ticket {
        address recipient;
        address sender;
        uint256 faceValue;
        uint256 winProb;
        uint256 senderNonce;
        bytes32 recipientRandHash;
        bytes auxData;
    }

    event DepositFunded(address indexed sender, uint256 amount);
    event Unlock(address indexed sender, uint256 startRound, uint256 endRound);
    event UnlockCancelled(address indexed sender);
    event Withdrawal(address indexed sender, uint256 deposit, uint256 reserve);
    event WinningTicketTransfer(address indexed sender, address indexed recipient, uint256 amount);
    event WinningTicketRedeemed(
        address indexed sender,
        address indexed recipient,
        uint256 faceValue,
        uint256 winProb,
        uint256 senderNonce,
        uint256 recipientRand,
        bytes auxData
    );

    /// Rounds between asking for one's money and having it.
    uint256 public immutable unlockPeriod;
    /// Rounds in which a ticket can be redeemed, that of its making included.
    uint256 public immutable ticketValidityPeriod;
    mapping(bytes32 => bool) public usedTickets;
    mapping(address => Sender) private senders;

    constructor(IController controller_, uint256 unlockPeriod_, uint256 ticketValidityPeriod_) Protocol(controller_) {
        unlockPeriod = unlockPeriod_;
        ticketValidityPeriod = ticketValidityPeriod_;
    }

    // --- a sender's money ---

    function fundDeposit() external payable whenNotPaused {
        addDeposit(msg.sender, msg.value);
    }

    function fundReserve() external payable whenNotPaused {
        addToReserve(msg.sender, msg.value);
    }

    function fundDepositAndReserve(uint256 deposit, uint256 reserve) external payable {
        fundDepositAndReserveFor(msg.sender, deposit, reserve);
    }

    function fundDepositAndReserveFor(address sender, uint256 deposit, uint256 reserve) public payable whenNotPaused {
        require(
            msg.value == deposit + reserve, "msg.value does not equal sum of deposit amount and reserve amount"
        );
        addToReserve(sender, reserve);
        addDeposit(sender, deposit);
    }

    function unlock() external whenNotPaused {
        Sender storage sender = senders[msg.sender];
        requireMoney(sender, msg.sender);
        require(sender.withdrawRound == 0, "unlock already initiated");
        uint256 round = rounds().currentRound();
        sender.withdrawRound = round + unlockPeriod;
        emit Unlock(msg.sender, round, sender.withdrawRound);
    }

    function cancelUnlock() external whenNotPaused {
        require(senders[msg.sender].withdrawRound > 0, "no unlock request in progress");
        lock(msg.sender);
    }

    /// Leaves the withdraw round as it is, as the protocol does.
    function withdraw() external whenNotPaused {
        Sender storage sender = senders[msg.sender];
        requireMoney(sender, msg.sender);
        require(sender.withdrawRound > 0, "no unlock request in progress");
        require(!isLocked(sender), "account is locked");
        uint256 deposit = sender.deposit;
        sender.deposit = 0;
        uint256 reserve = clearReserve(msg.sender);
        (bool sent,) = msg.sender.call{value: deposit + reserve}("");
        require(sent, "money could not be sent");
        emit Withdrawal(msg.sender, deposit, reserve);
    }

    // --- tickets ---

    function redeemWinningTicket(Ticket memory ticket, bytes memory sig, uint256 recipientRand) public whenNotPaused {
        require(rounds().currentRoundInitialized(), "current round is not initialized");
        requireValid(ticket, sig, recipientRand);
        Sender storage sender = senders[ticket.sender];
        require(isLocked(sender), "sender is unlocked");
        requireMoney(sender, ticket.sender);
        usedTickets[getTicketHash(ticket)] = true;

        uint256 amount = ticket.faceValue;
        if (amount > sender.deposit) {
            // What the deposit lacks is claimed from the reserve, as far as it goes.
            uint256 lacking = amount - sender.deposit;
            amount = sender.deposit + claimReserve(ticket.sender, ticket.recipient, lacking);
            sender.deposit = 0;
        } else {
            sender.deposit -= amount;
        }
        if (amount > 0) {
            uint256 round = uint256(word(ticket.auxData, 0));
            bonding().updateTranscoderWithFees{value: amount}(ticket.recipient, amount, round);
            emit WinningTicketTransfer(ticket.sender, ticket.recipient, amount);
        }
        emit WinningTicketRedeemed(
            ticket.sender,
            ticket.recipient,
            ticket.faceValue,
            ticket.winProb,
            ticket.senderNonce,
            recipientRand,
            ticket.auxData
        );
    }

    /// Redeems each that can be; those that cannot change nothing and are not reported.
    function batchRedeemWinningTickets(
        Ticket[] memory tickets,
        bytes[] memory sigs,
        uint256[] memory recipientRands
    ) external {
        require(tickets.length == sigs.length && sigs.length == recipientRands.length, "lengths differ");
        for (uint256 i = 0; i < tickets.length; i++) {
            try this.redeemWinningTicket(tickets[i], sigs[i], recipientRands[i]) {} catch {}
        }
    }

    function getTicketHash(Ticket memory ticket) public pure returns (bytes32) {
        return keccak256(
            abi.encodePacked(
                ticket.recipient,
                ticket.sender,
                ticket.faceValue,
                ticket.winProb,
                ticket.senderNonce,
                ticket.recipientRandHash,
                ticket.auxData
            )
        );
    }

    // --- views ---

    function getSenderInfo(address addr) external view returns (Sender memory sender, ReserveInfo memory reserve) {
        return (senders[addr], reserveInfo(addr));
    }

    function isUnlockInProgress(address addr) external view returns (bool) {
        return senders[addr].withdrawRound > 0;
    }

    // --- inside ---

    /// Money that comes in while it is unlocking locks it again.
    function lock(address addr) private {
        if (senders[addr].withdrawRound > 0) {
            senders[addr].withdrawRound = 0;
            emit UnlockCancelled(addr);
        }
    }

    function addDeposit(address addr, uint256 amount) private {
        senders[addr].deposit += amount;
        lock(addr);
        emit DepositFunded(addr, amount);
    }

    function addToReserve(address addr, uint256 amount) private {
        addReserve(addr, amount);
        lock(addr);
    }

    function requireMoney(Sender storage sender, address addr) private view {
        require(sender.deposit > 0 || reserveOf(addr) > 0, "sender deposit and reserve are zero");
    }

    function isLocked(Sender storage sender) private view returns (bool) {
        return sender.withdrawRound == 0 || rounds().currentRound() < sender.withdrawRound;
    }

    function requireValid(Ticket memory ticket, bytes memory sig, uint256 recipientRand) private view {
        require(ticket.recipient != address(0), "ticket recipient is null address");
        require(ticket.sender != address(0), "ticket sender is null address");
        requireFresh(ticket.auxData);
        require(
            keccak256(abi.encode(recipientRand)) == ticket.recipientRandHash,
            "recipientRand does not match recipientRandHash"
        );
        bytes32 hash = getTicketHash(ticket);
        require(!usedTickets[hash], "ticket is used");
        require(Signatures.signer(hash, sig) == ticket.sender, "invalid signature over ticket hash");
        require(uint256(keccak256(abi.encodePacked(sig, recipientRand))) < ticket.winProb, "ticket did not win");
    }

    /// The aux data are the round of the ticket's making and that round's hash.
    function requireFresh(bytes memory auxData) private view {
        require(auxData.length == 64, "invalid length for ticket auxData: must be 64 bytes");
        uint256 round = uint256(word(auxData, 0));
        bytes32 hash = rounds().blockHashForRound(round);
        require(hash != bytes32(0), "ticket creationRound does not have a block hash");
        require(hash == word(auxData, 1), "ticket creationRoundBlockHash invalid for creationRound");
        require(round + ticketValidityPeriod > rounds().currentRound(), "ticket is expired");
    }

    /// The caller has seen to it that it is there.
    function word(bytes memory data, uint256 index) private pure returns (bytes32 value) {
        assembly ("memory-safe") {
            value := mload(add(add(data, 32), mul(index, 32)))
        }
    }
}
