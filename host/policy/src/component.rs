//! Is this binary a policy? Answered from its names, before anything is compiled.
//!
//! Compiling costs tens of milliseconds and its errors speak of types; most mistakes are plainer: a core module, a
//! component for another version of the contract, one that wants WASI. Those are found here and said in words that say what to
//! do. Whether the *types* fit is wasmtime's to say, at the first instantiation.

use wasmparser::{Chunk, Encoding, Parser, Payload, Validator, WasmFeatures};

use crate::fault::Hook;

/// The package every name of the contract begins with.
const PACKAGE: &str = "pointsman:policy/";
/// The version line that this host speaks; types are frozen within it.
pub const VERSION: &str = "0.1";

/// Why a binary is no policy for this host.
#[derive(Clone, Debug, PartialEq, Eq, thiserror::Error)]
pub enum ComponentError {
    /// Not WebAssembly at all.
    #[error("it is not WebAssembly: a policy is a component, made by `pointsman policy build`")]
    NotWasm,
    /// What a compiler makes before it is made a component.
    #[error("it is a core module, not a component: run `pointsman policy build` on its crate")]
    CoreModule,
    /// It begins like a component and is none.
    #[error("it is not a valid component: {0}")]
    Invalid(String),
    /// It speaks another version of the contract.
    #[error(
        "it is built against {PACKAGE}{interface} version {found}; this host supports {VERSION}.x: build it again with this host's sdk"
    )]
    Version {
        /// The interface.
        interface: String,
        /// Its version in the component.
        found: String,
    },
    /// It lacks an interface.
    #[error("it does not export {PACKAGE}{wanted}, it exports {}", if exports.is_empty() { "nothing".to_owned() } else { exports.join(", ") })]
    MissingExport {
        /// The interface.
        wanted: String,
        /// What it exports.
        exports: Vec<String>,
    },
    /// It wants more of the world than the log.
    #[error("it imports {}, and a policy can import nothing but the log{}", imports.join(", "), wasi_advice(imports))]
    Import {
        /// What it imports that it may not.
        imports: Vec<String>,
    },
}

/// The names at a component's edge.
#[derive(Debug, Default)]
struct Names {
    imports: Vec<String>,
    exports: Vec<String>,
}

fn wasi_advice(imports: &[String]) -> &'static str {
    if imports.iter().any(|name| name.starts_with("wasi:")) {
        ": there is no WASI; build for wasm32-unknown-unknown (as `pointsman policy build` does), and take time and randomness from the job"
    } else {
        ""
    }
}

/// Checks that `bytes` are a component that can be asked `hook` by this host.
///
/// # Errors
///
/// [`ComponentError`], saying what to do.
pub fn check(bytes: &[u8], hook: Hook) -> Result<(), ComponentError> {
    let names = names(bytes)?;
    for wanted in ["policy", hook.name()] {
        export(&names, wanted)?;
    }
    let imports: Vec<_> = names
        .imports
        .into_iter()
        // The types are an import by form only: names for what the log and the hooks speak of.
        .filter(|name| !speaks(name, "log") && !speaks(name, "types"))
        .collect();
    if !imports.is_empty() {
        return Err(ComponentError::Import { imports });
    }
    Ok(())
}

/// Whether `name` is `interface` in the version line of this host.
fn speaks(name: &str, interface: &str) -> bool {
    version_of(name, interface).is_some_and(supported)
}

fn version_of<'a>(name: &'a str, interface: &str) -> Option<&'a str> {
    let rest = name.strip_prefix(PACKAGE)?.strip_prefix(interface)?;
    rest.strip_prefix('@')
}

fn supported(version: &str) -> bool {
    version
        .strip_prefix(VERSION)
        .and_then(|patch| patch.strip_prefix('.'))
        .is_some_and(|patch| patch.bytes().all(|byte| byte.is_ascii_digit()))
}

fn export(names: &Names, wanted: &str) -> Result<(), ComponentError> {
    let mut versions = names
        .exports
        .iter()
        .filter_map(|name| version_of(name, wanted));
    let Some(first) = versions.next() else {
        return Err(ComponentError::MissingExport {
            wanted: format!("{wanted}@{VERSION}.0"),
            exports: names.exports.clone(),
        });
    };
    if supported(first) || versions.any(supported) {
        return Ok(());
    }
    Err(ComponentError::Version {
        interface: wanted.to_owned(),
        found: first.to_owned(),
    })
}

/// Reads the names of a component's imports and exports. Structure and types are validated on the way, function bodies are not: the
/// compiler does that.
fn names(bytes: &[u8]) -> Result<Names, ComponentError> {
    let invalid = |error: wasmparser::BinaryReaderError| ComponentError::Invalid(error.to_string());
    if !bytes.starts_with(b"\0asm") {
        return Err(ComponentError::NotWasm);
    }
    let mut validator = Validator::new_with_features(WasmFeatures::default());
    let mut names = Names::default();
    let (mut parser, mut outer, mut rest) = (Parser::new(0), Vec::new(), bytes);
    loop {
        let (payload, used) = match parser.parse(rest, true).map_err(invalid)? {
            Chunk::Parsed { payload, consumed } => (payload, consumed),
            Chunk::NeedMoreData(_) => {
                return Err(ComponentError::Invalid("it is cut short".to_owned()));
            }
        };
        rest = rest.get(used..).unwrap_or_default();
        let outermost = outer.is_empty();
        if let Payload::Version { encoding, .. } = &payload
            && outermost
            && *encoding == Encoding::Module
        {
            return Err(ComponentError::CoreModule);
        }
        validator.payload(&payload).map_err(invalid)?;
        match payload {
            Payload::ComponentImportSection(section) if outermost => {
                for import in section {
                    names
                        .imports
                        .push(import.map_err(invalid)?.name.name.to_owned());
                }
            }
            Payload::ComponentExportSection(section) if outermost => {
                for export in section {
                    names
                        .exports
                        .push(export.map_err(invalid)?.name.name.to_owned());
                }
            }
            Payload::ModuleSection { parser: inner, .. }
            | Payload::ComponentSection { parser: inner, .. } => {
                outer.push(std::mem::replace(&mut parser, inner));
            }
            Payload::End(_) => match outer.pop() {
                Some(enclosing) => parser = enclosing,
                None => return Ok(names),
            },
            _ => {}
        }
    }
}

#[cfg(test)]
mod tests {
    use proptest::prelude::*;

    use super::*;

    fn component(text: &str) -> Vec<u8> {
        wat::parse_str(text).expect("component text")
    }

    fn exporting(names: &[&str]) -> Vec<u8> {
        let exports: String = names
            .iter()
            .map(|name| format!("(export \"{name}\" (instance $i))\n"))
            .collect();
        component(&format!("(component (instance $i) {exports})"))
    }

    #[test]
    fn other_binaries_are_told_apart() {
        assert_eq!(
            check(b"#!/bin/sh", Hook::Selection),
            Err(ComponentError::NotWasm)
        );
        let module = component("(module)");
        assert_eq!(
            check(&module, Hook::Selection),
            Err(ComponentError::CoreModule)
        );
        let good = exporting(&["pointsman:policy/policy@0.1.0"]);
        assert!(matches!(
            check(&good[..good.len() - 1], Hook::Selection),
            Err(ComponentError::Invalid(_))
        ));
    }

    #[test]
    fn the_version_line_is_read_from_the_names() {
        let later = exporting(&[
            "pointsman:policy/policy@0.1.7",
            "pointsman:policy/failover@0.1.7",
        ]);
        assert_eq!(check(&later, Hook::Failover), Ok(()));
        let other = exporting(&[
            "pointsman:policy/policy@0.1.0",
            "pointsman:policy/selection@0.2.0",
        ]);
        assert_eq!(
            check(&other, Hook::Selection),
            Err(ComponentError::Version {
                interface: "selection".into(),
                found: "0.2.0".into()
            })
        );
        let prerelease = exporting(&["pointsman:policy/policy@0.1.0-rc.1"]);
        assert!(matches!(
            check(&prerelease, Hook::Selection),
            Err(ComponentError::Version { .. })
        ));
    }

    #[test]
    fn a_missing_hook_names_what_is_there() {
        let error = check(
            &exporting(&["pointsman:policy/policy@0.1.0"]),
            Hook::Selection,
        )
        .expect_err("no hook");
        assert!(error.to_string().contains("selection@0.1.0"), "{error}");
        assert!(error.to_string().contains("policy/policy@0.1.0"), "{error}");
    }

    #[test]
    fn an_import_of_wasi_says_what_to_do() {
        let wasi = component(
            r#"(component
                (import "wasi:clocks/wall-clock@0.2.6" (instance))
                (instance $i)
                (export "pointsman:policy/policy@0.1.0" (instance $i))
                (export "pointsman:policy/selection@0.1.0" (instance $i)))"#,
        );
        let error = check(&wasi, Hook::Selection).expect_err("no WASI");
        let text = error.to_string();
        assert!(
            text.contains("wasi:clocks/wall-clock@0.2.6")
                && text.contains("wasm32-unknown-unknown"),
            "{text}"
        );
    }

    proptest! {
        #[test]
        fn no_bytes_make_it_panic(at in 0..120usize, with: u8, cut in 0..120usize) {
            let mut bytes = exporting(&["pointsman:policy/policy@0.1.0", "pointsman:policy/selection@0.1.0"]);
            let at = at % bytes.len();
            bytes[at] = with;
            let _ = check(&bytes, Hook::Selection);
            bytes.truncate(cut);
            let _ = check(&bytes, Hook::Selection);
        }
    }
}
