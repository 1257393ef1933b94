//! The certificate of an orchestrator, as a real one makes it at every start.
//!
//! Self-signed ECDSA P-256 with an empty subject, CA = true, key usage certSign and digitalSignature, extended key usage
//! serverAuth, valid for 8765 hours, and the host of the service URI as its single dNSName, also when that is an IP
//! address. Strict verifiers choke on most of that (a CA as end entity, an IP as DNS name), which is the point: a
//! gateway must live with it.

use std::sync::Arc;
use std::time::{Duration, SystemTime};

use rcgen::{
    BasicConstraints, CertificateParams, DistinguishedName, ExtendedKeyUsagePurpose, IsCa, KeyPair,
    KeyUsagePurpose, SanType,
};
use rustls::ServerConfig;
use rustls::pki_types::{CertificateDer, PrivateKeyDer};
use tokio_rustls::TlsAcceptor;

const VALIDITY: Duration = Duration::from_secs(8765 * 3600);

/// A certificate or a TLS configuration that could not be made.
#[derive(Debug, thiserror::Error)]
pub enum TlsError {
    /// By the certificate maker.
    #[error("no certificate could be made: {0}")]
    Certificate(#[from] rcgen::Error),
    /// By the TLS library.
    #[error("TLS could not be set up: {0}")]
    Config(#[from] rustls::Error),
}

/// A fresh certificate for `host`, offering HTTP/2 and HTTP/1.1.
pub(crate) fn acceptor(host: &str) -> Result<TlsAcceptor, TlsError> {
    let (certificate, key) = certificate(host)?;
    let provider = Arc::new(rustls::crypto::ring::default_provider());
    let mut config = ServerConfig::builder_with_provider(provider)
        .with_safe_default_protocol_versions()?
        .with_no_client_auth()
        .with_single_cert(vec![certificate], key)?;
    config.alpn_protocols = vec![b"h2".to_vec(), b"http/1.1".to_vec()];
    Ok(TlsAcceptor::from(Arc::new(config)))
}

fn certificate(
    host: &str,
) -> Result<(CertificateDer<'static>, PrivateKeyDer<'static>), rcgen::Error> {
    let key = KeyPair::generate()?;
    let mut params = CertificateParams::default();
    params.distinguished_name = DistinguishedName::new();
    params.subject_alt_names = vec![SanType::DnsName(host.try_into()?)];
    params.is_ca = IsCa::Ca(BasicConstraints::Unconstrained);
    params.key_usages = vec![
        KeyUsagePurpose::KeyCertSign,
        KeyUsagePurpose::DigitalSignature,
    ];
    params.extended_key_usages = vec![ExtendedKeyUsagePurpose::ServerAuth];
    let now = SystemTime::now();
    params.not_before = now.into();
    params.not_after = (now + VALIDITY).into();
    let certificate = params.self_signed(&key)?.der().clone();
    let key = PrivateKeyDer::Pkcs8(key.serialize_der().into());
    Ok((certificate, key))
}

#[cfg(test)]
mod tests {
    use super::*;

    fn contains(haystack: &[u8], needle: &[u8]) -> bool {
        haystack
            .windows(needle.len())
            .any(|window| window == needle)
    }

    #[test]
    fn the_certificate_has_the_real_ones_oddities() {
        let (certificate, _) = certificate("127.0.0.1").expect("a certificate");
        // [2] dNSName of 9 bytes, where an iPAddress would be [7] of 4.
        assert!(contains(&certificate, b"\x82\x09127.0.0.1"));
        // basicConstraints, critical, cA TRUE.
        let ca = b"\x06\x03\x55\x1d\x13\x01\x01\xff\x04\x05\x30\x03\x01\x01\xff";
        assert!(contains(&certificate, ca));
        // keyUsage digitalSignature and keyCertSign.
        let usage = b"\x06\x03\x55\x1d\x0f\x01\x01\xff\x04\x04\x03\x02\x02\x84";
        assert!(contains(&certificate, usage));
        // id-ecPublicKey on prime256v1.
        let key = b"\x06\x07\x2a\x86\x48\xce\x3d\x02\x01\x06\x08\x2a\x86\x48\xce\x3d\x03\x01\x07";
        assert!(contains(&certificate, key));
        // No common name anywhere.
        assert!(!contains(&certificate, b"\x06\x03\x55\x04\x03"));
    }

    #[test]
    fn each_start_has_its_own() {
        let make = || certificate("localhost").expect("a certificate").0;
        assert_ne!(make(), make());
    }
}
