//! The V3 format of an encrypted key ("Web3 Secret Storage").
//!
//! A key derivation (scrypt, or PBKDF2 with HMAC-SHA256) makes 32 bytes of the password: the first half is the AES-128-CTR key, the second with the
//! ciphertext the MAC, keccak256. Whether the password is right is known from the MAC before anything is decrypted.

use aes::Aes128;
use alloy::primitives::{Address, hex, keccak256};
use ctr::Ctr128BE;
use ctr::cipher::{KeyIvInit, StreamCipher};
use serde::Deserialize;
use serde_json::json;
use sha2::Sha256;
use zeroize::Zeroizing;

/// Most memory that a file may make scrypt use, bytes. The usual cost, N = 262144 with r = 8, takes 256 MiB.
const MAX_MEMORY: u64 = 512 << 20;

/// Most work: N · r · p. The usual is 2 million.
const MAX_WORK: u64 = 64 << 20;

/// Most rounds of PBKDF2. The usual is 262 144.
const MAX_ROUNDS: u32 = 10_000_000;

/// Bytes that are derived.
const DERIVED: usize = 32;

/// A file is no keystore, or not with this password.
#[derive(Clone, Debug, PartialEq, Eq, thiserror::Error)]
pub enum V3Error {
    /// Not a keystore at all.
    #[error("it is no V3 keystore")]
    NotKeystore,
    /// Without an address nobody knows whose key it is before the password is known.
    #[error("it names no address")]
    NoAddress,
    /// Another version.
    #[error("it is a keystore of version {0}: only version 3 is known")]
    Version(u64),
    /// A cipher or key derivation that is not part of V3.
    #[error(
        "it is encrypted with {0}: only aes-128-ctr with scrypt or pbkdf2 (hmac-sha256) is known"
    )]
    Unknown(String),
    /// A cost that no wallet writes.
    #[error("its key derivation costs more than any wallet's: the file was altered")]
    Cost,
    /// A field has the wrong length.
    #[error("its {0} is not what it must be: the file is damaged")]
    Damaged(&'static str),
    /// The MAC differs.
    #[error("wrong password (or the file is damaged)")]
    WrongPassword,
    /// The decrypted bytes are no key.
    #[error("what it holds is no private key")]
    NoKey,
}

/// What deriving costs whoever guesses.
#[derive(Clone, Copy, Debug)]
pub(super) struct Cost {
    /// The logarithm of scrypt's N.
    pub(super) log_n: u8,
}

#[derive(Deserialize)]
struct File {
    version: u64,
    address: Option<String>,
    /// ethers writes it with a capital.
    #[serde(alias = "Crypto")]
    crypto: Crypto,
}

#[derive(Deserialize)]
struct Crypto {
    cipher: String,
    cipherparams: CipherParams,
    ciphertext: String,
    kdf: String,
    kdfparams: KdfParams,
    mac: String,
}

#[derive(Deserialize)]
struct CipherParams {
    iv: String,
}

/// Of both derivations; which are there depends.
#[derive(Deserialize)]
struct KdfParams {
    dklen: usize,
    salt: String,
    n: Option<u64>,
    r: Option<u32>,
    p: Option<u32>,
    c: Option<u32>,
    prf: Option<String>,
}

/// Whose key a keystore says it is.
pub(super) fn address(text: &str) -> Result<Address, V3Error> {
    let file = parse(text)?;
    let address = file.address.ok_or(V3Error::NoAddress)?;
    let digits = address.strip_prefix("0x").unwrap_or(&address);
    let bytes: [u8; 20] = bytes(digits, "address")?
        .try_into()
        .map_err(|_| V3Error::Damaged("address"))?;
    Ok(bytes.into())
}

/// The key.
pub(super) fn decrypt(text: &str, password: &[u8]) -> Result<Zeroizing<[u8; 32]>, V3Error> {
    let Crypto {
        cipher,
        cipherparams,
        ciphertext,
        kdf,
        kdfparams,
        mac,
    } = parse(text)?.crypto;
    if cipher != "aes-128-ctr" {
        return Err(V3Error::Unknown(cipher.chars().take(40).collect()));
    }
    let ciphertext = bytes(&ciphertext, "ciphertext")?;
    let iv: [u8; 16] = bytes(&cipherparams.iv, "iv")?
        .try_into()
        .map_err(|_| V3Error::Damaged("iv"))?;
    if ciphertext.len() != 32 {
        return Err(V3Error::Damaged("ciphertext"));
    }
    let derived = kdfparams.derive(&kdf, password)?;
    let (encryption, authentication) = derived.split_at(16);
    let expected = keccak256([authentication, &ciphertext].concat());
    // Who can time this has the file, and with it the MAC.
    if bytes(&mac, "mac")? != expected.as_slice() {
        return Err(V3Error::WrongPassword);
    }
    let mut key = Zeroizing::new([0; 32]);
    key.copy_from_slice(&ciphertext);
    let mut stream = Ctr128BE::<Aes128>::new_from_slices(encryption, &iv)
        .expect("half of 32 bytes is a key, and the iv has 16");
    stream.apply_keystream(&mut *key);
    Ok(key)
}

/// The keystore of `key`.
pub(super) fn encrypt(
    key: &[u8; 32],
    address: Address,
    password: &[u8],
    cost: Cost,
    salt: [u8; 32],
    iv: [u8; 16],
) -> String {
    let (r, p) = (8, 1);
    let params = scrypt::Params::new(cost.log_n, r, p, DERIVED)
        .expect("the usual r and p fit with any cost below 64");
    let mut derived = Zeroizing::new([0; DERIVED]);
    scrypt::scrypt(password, &salt, &params, &mut *derived).expect("32 bytes can be derived");
    let (encryption, authentication) = derived.split_at(16);
    let mut ciphertext = *key;
    let mut stream = Ctr128BE::<Aes128>::new_from_slices(encryption, &iv)
        .expect("half of 32 bytes is a key, and the iv has 16");
    stream.apply_keystream(&mut ciphertext);
    let mac = keccak256([authentication, &ciphertext].concat());
    // A name for the file's content, nothing depends on it; version 4 as others write it.
    let mut id = [0; 16];
    id.copy_from_slice(&keccak256(mac)[..16]);
    (id[6], id[8]) = (id[6] & 0x0f | 0x40, id[8] & 0x3f | 0x80);
    let id = hex::encode(id);
    let id = [&id[..8], &id[8..12], &id[12..16], &id[16..20], &id[20..]].join("-");
    json!({
        "version": 3,
        "id": id,
        "address": hex::encode(address),
        "crypto": {
            "cipher": "aes-128-ctr",
            "cipherparams": { "iv": hex::encode(iv) },
            "ciphertext": hex::encode(ciphertext),
            "kdf": "scrypt",
            "kdfparams": { "dklen": DERIVED, "n": 1u64 << cost.log_n, "r": r, "p": p, "salt": hex::encode(salt) },
            "mac": hex::encode(mac),
        },
    })
    .to_string()
}

// === impl Cost ===

impl Cost {
    /// Of geth's standard keystores: N = 262 144.
    pub(super) const USUAL: Self = Self { log_n: 18 };
}

// === impl KdfParams ===

impl KdfParams {
    fn derive(&self, kdf: &str, password: &[u8]) -> Result<Zeroizing<[u8; DERIVED]>, V3Error> {
        let salt = bytes(&self.salt, "salt")?;
        if self.dklen != DERIVED {
            return Err(V3Error::Damaged("dklen"));
        }
        let mut derived = Zeroizing::new([0; DERIVED]);
        match (kdf, self.n, self.r, self.p, self.c, self.prf.as_deref()) {
            ("scrypt", Some(n), Some(r), Some(p), ..) => {
                let params = scrypt_params(n, r, p)?;
                scrypt::scrypt(password, &salt, &params, &mut *derived)
                    .map_err(|_| V3Error::Damaged("kdfparams"))?;
            }
            ("pbkdf2", .., Some(rounds), Some("hmac-sha256")) => {
                if rounds == 0 || rounds > MAX_ROUNDS {
                    return Err(V3Error::Cost);
                }
                pbkdf2::pbkdf2::<hmac::Hmac<Sha256>>(password, &salt, rounds, &mut *derived)
                    .map_err(|_| V3Error::Damaged("kdfparams"))?;
            }
            ("scrypt" | "pbkdf2", ..) => return Err(V3Error::Damaged("kdfparams")),
            _ => return Err(V3Error::Unknown(kdf.chars().take(40).collect())),
        }
        Ok(derived)
    }
}

fn scrypt_params(n: u64, r: u32, p: u32) -> Result<scrypt::Params, V3Error> {
    if !n.is_power_of_two() || n < 2 {
        return Err(V3Error::Damaged("kdfparams"));
    }
    let row = 128 * u64::from(r);
    let work = n.saturating_mul(u64::from(r)).saturating_mul(u64::from(p));
    if n.saturating_mul(row) > MAX_MEMORY || work > MAX_WORK {
        return Err(V3Error::Cost);
    }
    // At most 63: the logarithm of a u64.
    let log = n.trailing_zeros() as u8;
    scrypt::Params::new(log, r, p, DERIVED).map_err(|_| V3Error::Damaged("kdfparams"))
}

fn parse(text: &str) -> Result<File, V3Error> {
    let file: File = serde_json::from_str(text).map_err(|_| V3Error::NotKeystore)?;
    match file.version {
        3 => Ok(file),
        other => Err(V3Error::Version(other)),
    }
}

fn bytes(digits: &str, field: &'static str) -> Result<Vec<u8>, V3Error> {
    hex::decode(digits).map_err(|_| V3Error::Damaged(field))
}
