//! The process's TLS implementation.

/// Makes ring the process's crypto provider. Safe to call more than once.
pub fn install() {
    // An error means that one is installed already.
    let _ = rustls::crypto::ring::default_provider().install_default();
}
