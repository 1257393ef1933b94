// SPDX-License-Identifier: MIT
pragma solidity ^0.8.30;

/// Who is reached where. As in the protocol nothing is checked: any caller, any text.
///
/// It has no owner and no state at the start, so its code can be put at any address: the second registry, for AI, is at
/// one that is the same on every network.
contract ServiceRegistry {
    event ServiceURIUpdate(address indexed addr, string serviceURI);

    mapping(address => string) private uris;

    function setServiceURI(string calldata serviceURI) external {
        set(msg.sender, serviceURI);
    }

    /// A knob that the protocol does not have: tests fill the registry without a key for each address.
    function setServiceURIFor(address addr, string calldata serviceURI) external {
        set(addr, serviceURI);
    }

    function getServiceURI(address addr) external view returns (string memory) {
        return uris[addr];
    }

    function set(address addr, string calldata serviceURI) private {
        uris[addr] = serviceURI;
        emit ServiceURIUpdate(addr, serviceURI);
    }
}
