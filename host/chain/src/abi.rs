//! The contracts' functions and events that a gateway uses.
//!
//! Names and types are those of the Livepeer protocol, branch `delta`; selectors and topics are checked below against recorded calls and logs.

#![allow(
    missing_docs,
    unreachable_pub,
    clippy::too_many_arguments,
    reason = "the macro writes items that the lints were not made for"
)]

use alloy::sol;

sol! {
    #[derive(Debug)]
    interface Controller {
        event SetContractInfo(bytes32 id, address contractAddress, bytes20 gitCommitHash);
        function getContract(bytes32 id) external view returns (address);
        function paused() external view returns (bool);
    }

    #[derive(Debug)]
    interface BondingManager {
        event TranscoderActivated(address indexed transcoder, uint256 activationRound);
        event TranscoderDeactivated(address indexed transcoder, uint256 deactivationRound);
        event TranscoderUpdate(address indexed transcoder, uint256 rewardCut, uint256 feeShare);

        struct Transcoder {
            uint256 lastRewardRound;
            uint256 rewardCut;
            uint256 feeShare;
            uint256 lastActiveStakeUpdateRound;
            uint256 activationRound;
            uint256 deactivationRound;
            uint256 activeCumulativeRewards;
            uint256 cumulativeRewards;
            uint256 cumulativeFees;
            uint256 lastFeeRound;
        }

        function getFirstTranscoderInPool() external view returns (address);
        function getNextTranscoderInPool(address transcoder) external view returns (address);
        function getTranscoderPoolSize() external view returns (uint256);
        function getTotalBonded() external view returns (uint256);
        function isActiveTranscoder(address transcoder) external view returns (bool);
        function transcoderTotalStake(address transcoder) external view returns (uint256);
        function getTranscoder(address transcoder) external view returns (Transcoder memory);
    }

    #[derive(Debug)]
    interface RoundsManager {
        event NewRound(uint256 indexed round, bytes32 blockHash);
        function currentRound() external view returns (uint256);
        function lastInitializedRound() external view returns (uint256);
        function currentRoundInitialized() external view returns (bool);
        function currentRoundLocked() external view returns (bool);
        function currentRoundStartBlock() external view returns (uint256);
        function roundLength() external view returns (uint256);
        function blockHashForRound(uint256 round) external view returns (bytes32);
        function blockNum() external view returns (uint256);
    }

    #[derive(Debug)]
    interface ServiceRegistry {
        event ServiceURIUpdate(address indexed addr, string serviceURI);
        function getServiceURI(address addr) external view returns (string memory);
    }

    #[derive(Debug)]
    interface TicketBroker {
        event DepositFunded(address indexed sender, uint256 amount);
        event ReserveFunded(address indexed reserveHolder, uint256 amount);
        event ReserveClaimed(address indexed reserveHolder, address claimant, uint256 amount);
        event WinningTicketTransfer(address indexed sender, address indexed recipient, uint256 amount);
        event Unlock(address indexed sender, uint256 startRound, uint256 endRound);
        event UnlockCancelled(address indexed sender);
        event Withdrawal(address indexed sender, uint256 deposit, uint256 reserve);

        struct Sender {
            uint256 deposit;
            uint256 withdrawRound;
        }
        struct ReserveInfo {
            uint256 fundsRemaining;
            uint256 claimedInCurrentRound;
        }

        function getSenderInfo(address sender) external view returns (Sender memory sender, ReserveInfo memory reserve);
        function claimedReserve(address reserveHolder, address claimant) external view returns (uint256);
        function unlockPeriod() external view returns (uint256);
        function ticketValidityPeriod() external view returns (uint256);

        function fundDeposit() external payable;
        function fundReserve() external payable;
        function fundDepositAndReserve(uint256 depositAmount, uint256 reserveAmount) external payable;
        function unlock() external;
        function cancelUnlock() external;
        function withdraw() external;
    }

    #[derive(Debug)]
    interface Aggregator {
        function decimals() external view returns (uint8);
        function description() external view returns (string memory);
        function latestRoundData() external view returns (uint80 roundId, int256 answer, uint256 startedAt, uint256 updatedAt, uint80 answeredInRound);
    }

    #[derive(Debug)]
    interface Multicall3 {
        struct Call3 {
            address target;
            bool allowFailure;
            bytes callData;
        }
        struct Result {
            bool success;
            bytes returnData;
        }
        function aggregate3(Call3[] calldata calls) external payable returns (Result[] memory returnData);
    }
}

#[cfg(test)]
mod tests {
    use alloy::primitives::{b256, hex};
    use alloy::sol_types::{SolCall, SolEvent};

    use super::*;

    #[test]
    fn selectors_are_those_of_the_deployed_contracts() {
        for (got, want) in [
            (Controller::getContractCall::SELECTOR, "e16c7d98"),
            (Controller::pausedCall::SELECTOR, "5c975abb"),
            (BondingManager::getTranscoderCall::SELECTOR, "5dce9948"),
            (BondingManager::getTotalBondedCall::SELECTOR, "5c50c356"),
            (BondingManager::isActiveTranscoderCall::SELECTOR, "08802374"),
            (
                BondingManager::transcoderTotalStakeCall::SELECTOR,
                "9ef9df94",
            ),
            (RoundsManager::blockNumCall::SELECTOR, "8ae63d6d"),
            (RoundsManager::currentRoundLockedCall::SELECTOR, "6841f253"),
            (ServiceRegistry::getServiceURICall::SELECTOR, "214c2a4b"),
            (TicketBroker::getSenderInfoCall::SELECTOR, "e1a589da"),
            (TicketBroker::claimedReserveCall::SELECTOR, "4ac826da"),
            (TicketBroker::fundDepositCall::SELECTOR, "6caa736b"),
            (TicketBroker::fundReserveCall::SELECTOR, "6f9c3c8f"),
            (
                TicketBroker::fundDepositAndReserveCall::SELECTOR,
                "511f4073",
            ),
            (TicketBroker::unlockCall::SELECTOR, "a69df4b5"),
            (TicketBroker::cancelUnlockCall::SELECTOR, "c2c4c2c8"),
            (TicketBroker::withdrawCall::SELECTOR, "3ccfd60b"),
            (Aggregator::latestRoundDataCall::SELECTOR, "feaf968c"),
            (Multicall3::aggregate3Call::SELECTOR, "82ad56cb"),
        ] {
            assert_eq!(hex::encode(got), want);
        }
    }

    #[test]
    fn topics_are_those_of_the_deployed_contracts() {
        let new_round = b256!("22f2fc17c5daf07db2379b3a03a8ef20a183f761097a58fce219c8a14619e786");
        assert_eq!(RoundsManager::NewRound::SIGNATURE_HASH, new_round);
        let uri = b256!("fbb63068732c85741c9f8e61caffaabe038d577bfafd2d2dcc0e352a4f653a4c");
        assert_eq!(ServiceRegistry::ServiceURIUpdate::SIGNATURE_HASH, uri);
        let transfer = b256!("8b87351a208c06e3ceee59d80725fd77a23b4129e1b51ca231fc89b40712649c");
        assert_eq!(
            TicketBroker::WinningTicketTransfer::SIGNATURE_HASH,
            transfer
        );
        let contracts = b256!("f9a6cf519167d81bc5cb3d26c60c0c9a19704aa908c148e82a861b570f4cd2d7");
        assert_eq!(Controller::SetContractInfo::SIGNATURE_HASH, contracts);
    }
}
