//! Ethereum addresses.

use pointsman_wire::sign::Address;

/// `0x` and 40 hexadecimal digits. Where capitals and small letters are mixed, they are the address's checksum and must be right.
pub(in crate::config) fn address(text: &str) -> Result<Address, String> {
    let wrong =
        || format!("`{text}` is not an Ethereum address: write 0x and 40 hexadecimal digits");
    let digits = text.strip_prefix("0x").ok_or_else(wrong)?;
    let address: Address = digits.parse().map_err(|_| wrong())?;
    let capitals = digits.bytes().any(|byte| byte.is_ascii_uppercase());
    let small = digits.bytes().any(|byte| byte.is_ascii_lowercase());
    if capitals && small && address.to_checksum(None) != text {
        return Err(format!(
            "`{text}` is mistyped: its capitals are a checksum, and it does not fit"
        ));
    }
    if address.is_zero() {
        return Err(format!("`{text}` is nobody's address"));
    }
    Ok(address)
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn a_slip_of_the_pen_is_seen() {
        let good = "0xD8E8328501E9645d16Cf49539efC04f734606ee4";
        assert!(address(good).is_ok());
        assert_eq!(address(&good.to_lowercase()), address(good));
        let error = |text: &str| address(text).expect_err(text);
        assert!(error("0xD8E8328501E9645d16Cf49539efC04f734606eE4").contains("mistyped"));
        for text in [
            "",
            "0x",
            "D8E8328501E9645d16Cf49539efC04f734606ee4",
            "0x12",
            "https://host",
        ] {
            assert!(error(text).contains("is not an Ethereum address"), "{text}");
        }
        assert!(error("0x0000000000000000000000000000000000000000").contains("nobody"));
    }
}
