// SPDX-License-Identifier: MIT
pragma solidity ^0.8.30;

/// Signatures over a hash as an Ethereum personal message. Each has one valid form only.
library Signatures {
    /// Half of the curve's order: a signature whose s is above has a twin below.
    uint256 private constant HALF_ORDER = 0x7fffffffffffffffffffffffffffffff5d576e7357a4501ddfe92f46681b20a0;

    /// Who signed; reverts in the words of the libraries that the protocol's contracts use.
    function signer(bytes32 hash, bytes memory sig) internal pure returns (address found) {
        require(sig.length == 65, "INVALID_SIGNATURE_LENGTH");
        bytes32 r;
        uint256 s;
        uint8 v;
        assembly ("memory-safe") {
            r := mload(add(sig, 32))
            s := mload(add(sig, 64))
            v := byte(0, mload(add(sig, 96)))
        }
        require(s <= HALF_ORDER, "ECDSA: invalid signature 's' value");
        // Any v but 27 and 28 recovers nobody.
        found = ecrecover(keccak256(abi.encodePacked("\x19Ethereum Signed Message:\n32", hash)), v, r, bytes32(s));
        require(found != address(0), "ECDSA: invalid signature");
    }
}
