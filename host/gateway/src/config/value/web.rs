//! Addresses of services on the web. They often carry a secret, so that no message repeats them and the start-up log
//! shows them [`redacted`].

use url::Url;

/// An `http://` or `https://` URL with a host.
pub(crate) fn url(text: &str) -> Result<Url, String> {
    let url = Url::parse(text).map_err(|cause| format!("not a URL: {cause}"))?;
    match url.scheme() {
        "http" | "https" => Ok(url),
        scheme => Err(format!("scheme `{scheme}` is not http or https")),
    }
}

/// The same text with every URL in it cut down to scheme, host and port: user, path and query may be secrets.
pub(in crate::config) fn redacted(text: &str) -> String {
    let items = text.split(',').map(|item| {
        if !item.contains("://") {
            return item.to_owned();
        }
        match Url::parse(item.trim()) {
            Ok(url) => {
                let origin = url.origin().ascii_serialization();
                let rest =
                    url.path().len() > 1 || url.query().is_some() || url.fragment().is_some();
                let user = !url.username().is_empty() || url.password().is_some();
                format!("{origin}{}", if rest || user { "/…" } else { "" })
            }
            Err(_) => "…".to_owned(),
        }
    });
    items.collect::<Vec<_>>().join(",")
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn only_web_urls_are_taken_and_none_is_repeated() {
        assert!(url("https://auth.example/hook?key=s3cret").is_ok());
        for (text, message) in [
            (
                "auth.example/s3cret",
                "not a URL: relative URL without a base",
            ),
            ("file:///s3cret", "scheme `file` is not http or https"),
            ("https://", "not a URL: empty host"),
        ] {
            assert_eq!(url(text), Err(message.to_owned()));
        }
    }

    #[test]
    fn what_may_be_secret_is_cut_off() {
        for (text, shown) in [
            (
                "https://auth.example:8443/T0/s3cret",
                "https://auth.example:8443/…",
            ),
            ("https://u:s3cret@auth.example", "https://auth.example/…"),
            ("https://auth.example?k=s3cret", "https://auth.example/…"),
            (
                "https://a:8935,https://b:8935/",
                "https://a:8935,https://b:8935",
            ),
            ("https://s3cret@:x/", "…"),
            ("a:8935", "a:8935"),
            ("0.0.0.0:80", "0.0.0.0:80"),
        ] {
            assert_eq!(redacted(text), shown, "{text}");
        }
    }
}
