//! From a core module to a component, and what a component must be.

use sha2::{Digest, Sha256};
use wasmparser::{Parser, Payload};
use wit_component::{ComponentEncoder, DecodedWasm};
use wit_parser::{Resolve, WorldKey};

use crate::BuildError;

/// The package whose interfaces a policy imports and exports.
const PACKAGE: &str = "pointsman:policy/";

/// The number of custom sections.
const CUSTOM: u8 = 0;

/// Makes a component of what cargo compiled.
pub(crate) fn encode(file: &str, module: &[u8]) -> Result<Vec<u8>, BuildError> {
    if let Some(import) = foreign_import(file, module)? {
        return Err(BuildError::Import {
            component: file.to_owned(),
            import,
        });
    }
    let mut encoder = ComponentEncoder::default();
    let encoded = encoder
        .validate(true)
        .module(module)
        .and_then(ComponentEncoder::encode);
    let component = encoded.map_err(|error| not_component(file, &error))?;
    bare(&component).map_err(|error| not_component(file, &error))
}

/// The component without its own custom sections: names of its inner parts and of the tools that made it, which nothing reads.
fn bare(component: &[u8]) -> Result<Vec<u8>, wasmparser::BinaryReaderError> {
    let mut bare = Vec::with_capacity(component.len());
    let (mut from, mut depth) = (0_usize, 0_u32);
    for payload in Parser::new(0).parse_all(component) {
        let payload = payload?;
        let (id, end) = match &payload {
            Payload::ModuleSection {
                unchecked_range, ..
            }
            | Payload::ComponentSection {
                unchecked_range, ..
            } => {
                depth += 1;
                if depth > 1 {
                    continue;
                }
                (1, unchecked_range.end)
            }
            Payload::End(_) => {
                depth = depth.saturating_sub(1);
                continue;
            }
            Payload::Version { range, .. } if depth == 0 => (1, range.end),
            section if depth == 0 => match section.as_section() {
                Some((id, range)) => (id, range.end),
                None => continue,
            },
            _ => continue,
        };
        // Offsets into a slice fit.
        let end = end as usize;
        if id != CUSTOM {
            bare.extend_from_slice(&component[from..end]);
        }
        from = end;
    }
    Ok(bare)
}

/// Checks that a component imports only the log and exports a policy. The host checks more, when it loads it.
pub(crate) fn check(file: &str, bytes: &[u8]) -> Result<(), BuildError> {
    let decoded = wit_component::decode(bytes).map_err(|error| not_component(file, &error))?;
    let DecodedWasm::Component(resolve, world) = decoded else {
        return Err(BuildError::NotComponent {
            component: file.to_owned(),
            reason: "a WIT package, not a component".to_owned(),
        });
    };
    let world = &resolve.worlds[world];
    let named = |key: &WorldKey| name(&resolve, key);
    if let Some(import) = world
        .imports
        .keys()
        .map(named)
        .find(|import| !import.starts_with(PACKAGE))
    {
        return Err(BuildError::Import {
            component: file.to_owned(),
            import,
        });
    }
    if !world
        .exports
        .keys()
        .map(named)
        .any(|export| export.starts_with(PACKAGE))
    {
        return Err(BuildError::NoExport {
            component: file.to_owned(),
        });
    }
    Ok(())
}

/// Lower-case hex of the SHA-256.
pub(crate) fn digest(bytes: &[u8]) -> String {
    use std::fmt::Write as _;

    Sha256::digest(bytes)
        .iter()
        .fold(String::new(), |mut hex, byte| {
            // Writing to a String cannot fail.
            let _ = write!(hex, "{byte:02x}");
            hex
        })
}

fn name(resolve: &Resolve, key: &WorldKey) -> String {
    resolve.name_world_key(key)
}

/// The first import of a core module that no policy has.
fn foreign_import(file: &str, module: &[u8]) -> Result<Option<String>, BuildError> {
    for payload in Parser::new(0).parse_all(module) {
        let payload = payload.map_err(|error| not_component(file, &error))?;
        let Payload::ImportSection(imports) = payload else {
            continue;
        };
        for import in imports.into_imports() {
            let import = import.map_err(|error| not_component(file, &error))?;
            if !import.module.starts_with(PACKAGE) {
                return Ok(Some(format!("{}.{}", import.module, import.name)));
            }
        }
    }
    Ok(None)
}

fn not_component(file: &str, error: &dyn std::fmt::Display) -> BuildError {
    BuildError::NotComponent {
        component: file.to_owned(),
        reason: format!("{error:#}"),
    }
}
