//! Making a key, because somebody asked for one.

use std::fs::{self, OpenOptions};
use std::io::Write;
use std::os::unix::fs::{DirBuilderExt, OpenOptionsExt};
use std::path::{Path, PathBuf};

use alloy::primitives::hex;
use alloy::signers::k256::elliptic_curve::rand_core::{OsRng, RngCore};
use alloy::signers::local::PrivateKeySigner;
use zeroize::Zeroizing;

use super::v3::{self, Cost};
use super::{Keystore, Password};

/// No key was made.
#[derive(Debug, thiserror::Error)]
pub enum CreateError {
    /// The directory or the file cannot be written. Nothing is left of a key.
    #[error("no key was made: {}: {error}", path.display())]
    File {
        /// Which.
        path: PathBuf,
        /// Why.
        error: std::io::Error,
    },
    /// The password protects nothing.
    #[error("no key was made: the password has fewer than {MIN_PASSWORD} characters")]
    Password,
}

/// Shortest password of a new key, characters. Keys that exist are opened with any.
const MIN_PASSWORD: usize = 8;

// === impl Keystore ===

impl Keystore {
    /// Makes a new key in `folder`, encrypted at the usual cost, and leaves the others there alone. The file is on disk and readable by its owner
    /// only when this returns. Takes a second of one core: run it on a blocking thread.
    ///
    /// # Errors
    ///
    /// [`CreateError`]; then there is no key.
    pub fn create(folder: &Path, password: &Password) -> Result<Self, CreateError> {
        Self::create_at(folder, password, Cost::USUAL)
    }

    pub(super) fn create_at(
        folder: &Path,
        password: &Password,
        cost: Cost,
    ) -> Result<Self, CreateError> {
        if password.0.chars().count() < MIN_PASSWORD {
            return Err(CreateError::Password);
        }
        let signer = PrivateKeySigner::random();
        let address = signer.address();
        let key = Zeroizing::new(signer.to_bytes().0);
        let (mut salt, mut iv) = ([0; 32], [0; 16]);
        OsRng.fill_bytes(&mut salt);
        OsRng.fill_bytes(&mut iv);
        let text = v3::encrypt(&key, address, password.0.as_bytes(), cost, salt, iv);
        let path = folder.join(format!("{}.json", hex::encode(address)));
        write(folder, &path, text.as_bytes()).map_err(|error| CreateError::File {
            path: path.clone(),
            error,
        })?;
        Ok(Self { path, address })
    }
}

/// A new file that survives a power loss.
fn write(folder: &Path, path: &Path, bytes: &[u8]) -> std::io::Result<()> {
    fs::DirBuilder::new()
        .recursive(true)
        .mode(0o700)
        .create(folder)?;
    let mut file = OpenOptions::new()
        .write(true)
        .create_new(true)
        .mode(0o600)
        .open(path)?;
    let written = file.write_all(bytes).and_then(|()| file.sync_all());
    let written = written.and_then(|()| fs::File::open(folder)?.sync_all());
    if written.is_err() {
        // Half a key is worse than none.
        let _ = fs::remove_file(path);
    }
    written
}
