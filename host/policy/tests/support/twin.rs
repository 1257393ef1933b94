//! The embedded bundle and its native twins, put together as the gateway does it.

use std::sync::Arc;

use pointsman_default_bundle as embedded;
use pointsman_native::Native;
use pointsman_policy::bundle::MAX_COMPONENT;
use pointsman_policy::{Bundle, NativeBundle};

/// The embedded bundle.
pub(crate) fn default_bundle() -> Bundle {
    let files = embedded::bundle().iter();
    let files = files.map(|(name, bytes)| ((*name).to_owned(), bytes.to_vec()));
    Bundle::from_files(files, MAX_COMPONENT).expect("the embedded bundle is whole")
}

/// The native twins of the embedded bundle.
pub(crate) fn twins() -> Arc<dyn NativeBundle> {
    Arc::new(Native::new(embedded::stage))
}
