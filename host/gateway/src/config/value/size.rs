//! Numbers of bytes.

use bytesize::ByteSize;

/// A parser of sizes from `least` to `most` bytes: `64MiB`, `64MB`, `67108864`.
pub(in crate::config) fn between(
    least: ByteSize,
    most: ByteSize,
) -> impl Fn(&str) -> Result<usize, String> {
    move |text| {
        let size: ByteSize = text
            .parse()
            .map_err(|_| format!("`{text}` is not a size such as 64MiB, 64MB or 67108864"))?;
        if !(least..=most).contains(&size) {
            return Err(format!("{text} is not within {least} to {most}"));
        }
        usize::try_from(size.as_u64())
            .map_err(|_| format!("{text} is more than this machine can address"))
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn sizes_are_decimal_or_binary_as_written() {
        let parse = between(ByteSize::kib(64), ByteSize::gib(1));
        assert_eq!(parse("64MiB"), Ok(64 << 20));
        assert_eq!(parse("64MB"), Ok(64_000_000));
        assert_eq!(parse("300000000"), Ok(300_000_000));
    }

    #[test]
    fn errors_say_what_to_write() {
        let parse = between(ByteSize::kib(64), ByteSize::gib(1));
        for (text, message) in [
            ("big", "`big` is not a size such as 64MiB, 64MB or 67108864"),
            ("-1", "`-1` is not a size such as 64MiB, 64MB or 67108864"),
            ("10", "10 is not within 64.0 KiB to 1.0 GiB"),
        ] {
            assert_eq!(parse(text), Err(message.to_owned()));
        }
    }
}
