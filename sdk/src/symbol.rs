//! Strings as numbers.

/// A string as policies see it: the first 8 bytes, big endian, of SHA-256 of its lower-cased UTF-8. 0 is unknown.
pub type Symbol = u64;

/// The symbol of `text`, computed by the compiler when used in a `const`.
///
/// Settings arrive with their symbols; this is for words that a policy knows by itself.
///
/// ```
/// const TRANSCODE: u64 = pointsman_sdk::symbol("transcode");
/// assert_eq!(pointsman_sdk::symbol("ABC"), 0xba78_16bf_8f01_cfea);
/// ```
///
/// # Panics
///
/// When `text` has a character outside ASCII: lower case is the host's Unicode there, which no `const` can follow.
#[must_use]
pub const fn symbol(text: &str) -> Symbol {
    let text = text.as_bytes();
    if text.is_empty() {
        return 0;
    }
    let mut state = INITIAL;
    let blocks = (text.len() + 9).div_ceil(64);
    let mut block = 0;
    while block < blocks {
        let mut words = [0; 64];
        let mut i = 0;
        while i < 64 {
            words[i / 4] = words[i / 4] << 8 | byte(text, block * 64 + i, blocks) as u32;
            i += 1;
        }
        state = compress(state, words);
        block += 1;
    }
    (state[0] as u64) << 32 | state[1] as u64
}

/// The byte at `at` of the lower-cased and padded message.
const fn byte(text: &[u8], at: usize, blocks: usize) -> u8 {
    let tail = blocks * 64 - 8;
    if at < text.len() {
        assert!(text[at].is_ascii(), "symbol() takes ASCII text");
        text[at].to_ascii_lowercase()
    } else if at == text.len() {
        0x80
    } else if at >= tail {
        ((text.len() as u64 * 8) >> (8 * (7 - (at - tail)))) as u8
    } else {
        0
    }
}

const fn compress(state: [u32; 8], mut words: [u32; 64]) -> [u32; 8] {
    let mut i = 16;
    while i < 64 {
        let (a, b) = (words[i - 15], words[i - 2]);
        let s0 = a.rotate_right(7) ^ a.rotate_right(18) ^ (a >> 3);
        let s1 = b.rotate_right(17) ^ b.rotate_right(19) ^ (b >> 10);
        words[i] = words[i - 16]
            .wrapping_add(s0)
            .wrapping_add(words[i - 7])
            .wrapping_add(s1);
        i += 1;
    }
    let [mut a, mut b, mut c, mut d, mut e, mut f, mut g, mut h] = state;
    let mut i = 0;
    while i < 64 {
        let s1 = e.rotate_right(6) ^ e.rotate_right(11) ^ e.rotate_right(25);
        let t1 = h
            .wrapping_add(s1)
            .wrapping_add((e & f) ^ (!e & g))
            .wrapping_add(ROUND[i])
            .wrapping_add(words[i]);
        let s0 = a.rotate_right(2) ^ a.rotate_right(13) ^ a.rotate_right(22);
        let t2 = s0.wrapping_add((a & b) ^ (a & c) ^ (b & c));
        (h, g, f, e) = (g, f, e, d.wrapping_add(t1));
        (d, c, b, a) = (c, b, a, t1.wrapping_add(t2));
        i += 1;
    }
    let rounds = [a, b, c, d, e, f, g, h];
    let mut sum = state;
    let mut i = 0;
    while i < 8 {
        sum[i] = sum[i].wrapping_add(rounds[i]);
        i += 1;
    }
    sum
}

const INITIAL: [u32; 8] = [
    0x6a09_e667,
    0xbb67_ae85,
    0x3c6e_f372,
    0xa54f_f53a,
    0x510e_527f,
    0x9b05_688c,
    0x1f83_d9ab,
    0x5be0_cd19,
];

const ROUND: [u32; 64] = [
    0x428a_2f98,
    0x7137_4491,
    0xb5c0_fbcf,
    0xe9b5_dba5,
    0x3956_c25b,
    0x59f1_11f1,
    0x923f_82a4,
    0xab1c_5ed5,
    0xd807_aa98,
    0x1283_5b01,
    0x2431_85be,
    0x550c_7dc3,
    0x72be_5d74,
    0x80de_b1fe,
    0x9bdc_06a7,
    0xc19b_f174,
    0xe49b_69c1,
    0xefbe_4786,
    0x0fc1_9dc6,
    0x240c_a1cc,
    0x2de9_2c6f,
    0x4a74_84aa,
    0x5cb0_a9dc,
    0x76f9_88da,
    0x983e_5152,
    0xa831_c66d,
    0xb003_27c8,
    0xbf59_7fc7,
    0xc6e0_0bf3,
    0xd5a7_9147,
    0x06ca_6351,
    0x1429_2967,
    0x27b7_0a85,
    0x2e1b_2138,
    0x4d2c_6dfc,
    0x5338_0d13,
    0x650a_7354,
    0x766a_0abb,
    0x81c2_c92e,
    0x9272_2c85,
    0xa2bf_e8a1,
    0xa81a_664b,
    0xc24b_8b70,
    0xc76c_51a3,
    0xd192_e819,
    0xd699_0624,
    0xf40e_3585,
    0x106a_a070,
    0x19a4_c116,
    0x1e37_6c08,
    0x2748_774c,
    0x34b0_bcb5,
    0x391c_0cb3,
    0x4ed8_aa4a,
    0x5b9c_ca4f,
    0x682e_6ff3,
    0x748f_82ee,
    0x78a5_636f,
    0x84c8_7814,
    0x8cc7_0208,
    0x90be_fffa,
    0xa450_6ceb,
    0xbef9_a3f7,
    0xc671_78f2,
];

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn it_is_the_head_of_sha256_over_one_block_and_over_two() {
        assert_eq!(symbol("abc"), 0xba78_16bf_8f01_cfea);
        // The two-block vector of FIPS 180-2.
        let long = "abcdbcdecdefdefgefghfghighijhijkijkljklmklmnlmnomnopnopq";
        assert_eq!(symbol(long), 0x248d_6a61_d206_38b8);
    }

    #[test]
    fn case_does_not_matter_and_nothing_is_unknown() {
        assert_eq!(symbol("FRA"), symbol("fra"));
        assert_ne!(symbol("fra"), symbol("ams"));
        assert_eq!(symbol(""), 0);
    }
}
