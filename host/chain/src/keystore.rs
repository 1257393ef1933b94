//! The gateway's key, out of a V3 keystore.
//!
//! # Contract
//!
//! [`Keystore::find`] names the one file that is meant, or says which there are; [`Keystore::open`] decrypts it. Neither ever makes a key: a wrong
//! flag ends in an error and not in an empty account. Only [`Keystore::create`] does. The key is in the address that the file names, or it is refused. Nothing here prints a key
//! or a password, and what held either is overwritten when it is dropped.
//!
//! # Why the format is read here
//!
//! The crate for it leaves decrypted bytes in freed memory, takes cost parameters of any size from the file, and knows neither ethers'
//! `Crypto` nor the difference between a wrong password and a damaged file.

mod create;
mod v3;

use std::fmt;
use std::fs;
use std::io::Read;
use std::path::{Path, PathBuf};

use alloy::primitives::Address;
use alloy::signers::local::PrivateKeySigner;
use zeroize::Zeroizing;

pub use create::CreateError;
pub use v3::V3Error;

/// Largest keystore or password file, bytes.
const MAX_FILE: u64 = 64 << 10;

/// Most files of a directory that are looked at.
const MAX_FILES: usize = 1000;

/// A keystore's file, not yet decrypted.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct Keystore {
    path: PathBuf,
    address: Address,
}

/// A password. Shown nowhere.
#[derive(Clone)]
pub struct Password(Zeroizing<String>);

/// A decrypted key. Shown nowhere; overwritten when dropped.
#[derive(Clone)]
pub struct Key(PrivateKeySigner);

/// There is no key to sign with. Each says what to do; none makes a key.
#[derive(Debug, thiserror::Error)]
pub enum KeystoreError {
    /// The path does not exist or cannot be read.
    #[error("keystore {}: {error}. No key is ever made silently: `pointsman wallet new` makes one", path.display())]
    Unreadable {
        /// The file or directory.
        path: PathBuf,
        /// Why.
        error: std::io::Error,
    },
    /// No keystore in the directory.
    #[error("no V3 keystore in {}. No key is ever made silently: `pointsman wallet new` makes one", .0.display())]
    Empty(PathBuf),
    /// Several, and nobody said which.
    #[error("{} has several keys: say which with --eth-acct-addr ({})", path.display(), list(found))]
    Several {
        /// The directory.
        path: PathBuf,
        /// What is there.
        found: Vec<Address>,
    },
    /// Not the one that was asked for.
    #[error("{} has no key of {wanted}: it has {}", path.display(), list(found))]
    NoSuch {
        /// The file or directory.
        path: PathBuf,
        /// `--eth-acct-addr`.
        wanted: Address,
        /// What is there.
        found: Vec<Address>,
    },
    /// The password's file cannot be read.
    #[error("password file {}: {error}", path.display())]
    Password {
        /// The file.
        path: PathBuf,
        /// Why.
        error: std::io::Error,
    },
    /// The password's file is empty.
    #[error("password file {} is empty", .0.display())]
    NoPassword(PathBuf),
    /// The file is none, or the password is not its.
    #[error("keystore {}: {error}", path.display())]
    File {
        /// The file.
        path: PathBuf,
        /// What is wrong.
        error: V3Error,
    },
    /// The key is of another address than the file says.
    #[error("keystore {} says it is of {says}, its key is of {is}: the file was altered", path.display())]
    OtherAddress {
        /// The file.
        path: PathBuf,
        /// By the file.
        says: Address,
        /// By the key.
        is: Address,
    },
}

// === impl Keystore ===

impl Keystore {
    /// The keystore at `path`: the file, or in a directory the one of `address`, or its only one.
    ///
    /// # Errors
    ///
    /// [`KeystoreError`], with the addresses that are there.
    pub fn find(path: &Path, address: Option<Address>) -> Result<Self, KeystoreError> {
        let unreadable = |error| KeystoreError::Unreadable {
            path: path.to_owned(),
            error,
        };
        let mut found = Vec::new();
        if fs::metadata(path).map_err(unreadable)?.is_dir() {
            for entry in fs::read_dir(path).map_err(unreadable)?.take(MAX_FILES) {
                let file = entry.map_err(unreadable)?.path();
                // Directories hold other things as well.
                found.extend(Self::of(&file).ok());
            }
            found.sort_by(|one, two| one.path.cmp(&two.path));
        } else {
            found.push(Self::of(path)?);
        }
        if found.is_empty() {
            return Err(KeystoreError::Empty(path.to_owned()));
        }
        let addresses = || found.iter().map(|one| one.address).collect();
        match (address, &found[..]) {
            (None, [only]) => Ok(only.clone()),
            (None, _) => Err(KeystoreError::Several {
                path: path.to_owned(),
                found: addresses(),
            }),
            (Some(wanted), _) => {
                let one = found.iter().find(|one| one.address == wanted);
                one.cloned().ok_or_else(|| KeystoreError::NoSuch {
                    path: path.to_owned(),
                    wanted,
                    found: addresses(),
                })
            }
        }
    }

    /// Whose key it is, by the file's own word.
    #[must_use]
    pub fn address(&self) -> Address {
        self.address
    }

    /// Where it is.
    #[must_use]
    pub fn path(&self) -> &Path {
        &self.path
    }

    /// Decrypts it. Takes a second of one core and up to 256 MiB at the usual cost: run it on a blocking thread, once.
    ///
    /// # Errors
    ///
    /// [`KeystoreError::File`] with [`V3Error::WrongPassword`] where that is it.
    pub fn open(&self, password: &Password) -> Result<Key, KeystoreError> {
        let path = || self.path.clone();
        let text = read(&self.path).map_err(|error| KeystoreError::Unreadable {
            path: path(),
            error,
        })?;
        let file = |error| KeystoreError::File {
            path: path(),
            error,
        };
        let bytes = v3::decrypt(&text, password.0.as_bytes()).map_err(file)?;
        let signer = PrivateKeySigner::from_slice(&*bytes).map_err(|_| file(V3Error::NoKey))?;
        if signer.address() != self.address {
            return Err(KeystoreError::OtherAddress {
                path: path(),
                says: self.address,
                is: signer.address(),
            });
        }
        Ok(Key(signer))
    }

    fn of(path: &Path) -> Result<Self, KeystoreError> {
        let text = read(path).map_err(|error| KeystoreError::Unreadable {
            path: path.to_owned(),
            error,
        })?;
        let address = v3::address(&text).map_err(|error| KeystoreError::File {
            path: path.to_owned(),
            error,
        })?;
        Ok(Self {
            path: path.to_owned(),
            address,
        })
    }
}

// === impl Password ===

impl Password {
    /// A password as such.
    #[must_use]
    pub fn new(text: String) -> Self {
        Self(Zeroizing::new(text))
    }

    /// Whether it is this text.
    #[must_use]
    pub fn is(&self, text: &str) -> bool {
        *self.0 == text
    }

    /// The content of a file without the white space around it, which editors add.
    ///
    /// # Errors
    ///
    /// Where it cannot be read or holds nothing.
    pub fn from_file(path: &Path) -> Result<Self, KeystoreError> {
        let text = read(path).map_err(|error| KeystoreError::Password {
            path: path.to_owned(),
            error,
        })?;
        let trimmed = text.trim();
        if trimmed.is_empty() {
            return Err(KeystoreError::NoPassword(path.to_owned()));
        }
        Ok(Self::new(trimmed.to_owned()))
    }
}

impl fmt::Debug for Password {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.write_str("Password(***)")
    }
}

// === impl Key ===

impl Key {
    /// Whose it is.
    #[must_use]
    pub fn address(&self) -> Address {
        self.0.address()
    }

    /// What signs with it. Its `Debug` shows the address only.
    #[must_use]
    pub fn signer(&self) -> &PrivateKeySigner {
        &self.0
    }
}

impl From<PrivateKeySigner> for Key {
    fn from(signer: PrivateKeySigner) -> Self {
        Self(signer)
    }
}

impl fmt::Debug for Key {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        write!(f, "Key({})", self.0.address())
    }
}

/// A small text file, whole.
fn read(path: &Path) -> std::io::Result<Zeroizing<String>> {
    let mut text = Zeroizing::new(String::with_capacity(4096));
    let file = fs::File::open(path)?;
    file.take(MAX_FILE + 1).read_to_string(&mut text)?;
    if text.len() as u64 > MAX_FILE {
        return Err(std::io::Error::other("the file is too large to be one"));
    }
    Ok(text)
}

fn list(addresses: &[Address]) -> String {
    let some: Vec<String> = addresses.iter().take(10).map(Address::to_string).collect();
    some.join(", ")
}

#[cfg(test)]
mod tests;
