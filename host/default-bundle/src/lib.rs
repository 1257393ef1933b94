//! default-bundle
