use proptest::prelude::*;

use super::*;

const HEX: &str = "e3b0c44298fc1c149afbf4c8996fb92427ae41e4649b934ca495991b7852b855";

fn read(text: &str) -> Result<Reference, ReferenceError> {
    text.parse()
}

#[test]
fn each_form_is_read_and_written_back() {
    for text in [
        "policies/dist".to_owned(),
        "./eu-first.tar.zst".to_owned(),
        format!("https://h.example:8443/a/b.tar.zst#sha256={HEX}"),
        format!("oci://h.example/team/eu-first@sha256:{HEX}"),
        format!("oci://127.0.0.1:5000/eu__first/a-b--c.d:1.2_x@sha256:{HEX}"),
        format!("oci://[::1]:5000/a:t@sha256:{HEX}"),
        format!("oci://[::1]/a@sha256:{HEX}"),
        format!("oci://h.example:443/a@sha256:{HEX}"),
    ] {
        assert_eq!(read(&text).expect("a reference").to_string(), text);
    }
    let upper = read(&format!(
        "HTTPS://H.example/x#sha256={}",
        HEX.to_uppercase()
    ))
    .expect("a reference");
    assert_eq!(
        upper.to_string(),
        format!("https://h.example/x#sha256={HEX}")
    );
}

#[test]
fn what_is_not_pinned_is_refused_with_what_to_write() {
    let error = read("https://h.example/x.tar?token=hush")
        .expect_err("unpinned")
        .to_string();
    assert!(
        error.contains("write https://h.example/x.tar#sha256=HEX"),
        "{error}"
    );
    assert!(!error.contains("hush"), "{error}");
    let error = read("oci://h.example/x:1")
        .expect_err("unpinned")
        .to_string();
    assert!(
        error.contains("write oci://h.example/x:1@sha256:HEX"),
        "{error}"
    );
    for short in [
        "https://h/x#sha256=abc",
        "https://h/x#sha256=",
        "oci://h/x@sha256:abc",
        "oci://h/x@sha512:abc",
    ] {
        assert!(
            matches!(read(short), Err(ReferenceError::Digest(_))),
            "{short}"
        );
    }
    assert!(matches!(
        read("https://h/x#md5=abc"),
        Err(ReferenceError::HttpsUnpinned(_))
    ));
}

#[test]
fn other_schemes_and_credentials_are_refused() {
    for scheme in ["http", "ftp", "file", "git+ssh"] {
        let error = read(&format!("{scheme}://h/x")).expect_err("refused");
        assert_eq!(error, ReferenceError::Scheme(scheme.to_owned()));
    }
    for secret in [
        format!("https://u:hush@h/x#sha256={HEX}"),
        format!("oci://u:hush@h/x@sha256:{HEX}"),
        "oci://u:hush@h/x".to_owned(),
    ] {
        let error = read(&secret).expect_err("refused");
        assert_eq!(error, ReferenceError::Credentials, "{secret}");
        assert!(!error.to_string().contains("hush"));
    }
    assert_eq!(read(""), Err(ReferenceError::Empty));
    assert_eq!(
        read(&"x".repeat(MAX_REFERENCE + 1)),
        Err(ReferenceError::TooLong)
    );
}

#[test]
fn a_url_shows_no_query() {
    let reference = read(&format!("https://h/x?token=hush#sha256={HEX}")).expect("a reference");
    assert_eq!(reference.to_string(), format!("https://h/x#sha256={HEX}"));
}

#[test]
fn repositories_are_named_as_the_specification_says() {
    for wrong in [
        "oci://h",
        "oci://h/",
        "oci:///x",
        "oci://h/X",
        "oci://h/a//b",
        "oci://h/a/",
        "oci://h/.a",
        "oci://h/a.",
        "oci://h/a..b",
        "oci://h/a___b",
        "oci://h/a b",
        "oci://h/../x",
        "oci://h/a:",
        "oci://h/a:-x",
        "oci://h/a:b:c",
        "oci://h?x/a",
        "oci://h#x/a",
        "oci://h:99999/a",
        "oci://h:x/a",
        "h/a",
        "https://h/a",
    ] {
        assert!(wrong.parse::<Repository>().is_err(), "{wrong}");
    }
    let long = format!("oci://h/{}", "a".repeat(MAX_REPOSITORY + 1));
    assert!(long.parse::<Repository>().is_err());
    let tag = format!("oci://h/a:{}", "t".repeat(MAX_TAG + 1));
    assert!(tag.parse::<Repository>().is_err());
    let octal: Repository = "oci://0177.0.0.1:5000/a".parse().expect("a repository");
    assert!(octal.is_loopback(), "{octal}");
}

proptest! {
    #[test]
    fn no_text_panics_and_what_is_read_reads_again(text in "(oci://|https://)?[a-z0-9:/@#.=\\[\\]-]{0,40}") {
        for text in [text.clone(), format!("{text}@sha256:{HEX}"), format!("{text}#sha256={HEX}")] {
            if let Ok(reference) = text.parse::<Reference>() {
                prop_assert_eq!(reference.to_string().parse::<Reference>(), Ok(reference));
            }
        }
    }
}

#[test]
fn the_forms_in_the_readme_are_read() {
    let readme = include_str!("../../README.md");
    let rows = readme
        .lines()
        .filter_map(|line| line.strip_prefix("| `")?.split_once('`'));
    let forms: Vec<&str> = rows.map(|(form, _)| form).collect();
    assert_eq!(forms.len(), 4, "{forms:?}");
    for form in forms {
        let written = form.replace("HEX", HEX);
        assert_eq!(read(&written).expect("a reference").to_string(), written);
    }
}
