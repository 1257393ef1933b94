// SPDX-License-Identifier: MIT
pragma solidity ^0.8.30;

import {Owned} from "./Owned.sol";

/// Where the other contracts are, under keccak256 of their names, and whether money may move.
contract Controller is Owned {
    struct Info {
        address contractAddress;
        bytes20 gitCommitHash;
    }

    event SetContractInfo(bytes32 id, address contractAddress, bytes20 gitCommitHash);
    event Pause();
    event Unpause();

    bool public paused;
    mapping(bytes32 => Info) private registry;

    function setContractInfo(bytes32 id, address contractAddress, bytes20 gitCommitHash) external onlyOwner {
        registry[id] = Info(contractAddress, gitCommitHash);
        emit SetContractInfo(id, contractAddress, gitCommitHash);
    }

    function pause() external onlyOwner {
        paused = true;
        emit Pause();
    }

    function unpause() external onlyOwner {
        paused = false;
        emit Unpause();
    }

    /// Zero when unknown: asking never reverts.
    function getContract(bytes32 id) external view returns (address) {
        return registry[id].contractAddress;
    }

    function getContractInfo(bytes32 id) external view returns (address, bytes20) {
        Info storage info = registry[id];
        return (info.contractAddress, info.gitCommitHash);
    }
}
