//! From a core module to a component, and what a component must be.
//!
//! Modules made by the sdk carry the type of their component. A module of another toolchain need not: what it exports says which
//! hooks it has, and the contract's own WIT says the rest.

use std::collections::BTreeSet;

use sha2::{Digest, Sha256};
use wasmparser::{Encoding, Parser, Payload};
use wit_component::{ComponentEncoder, DecodedWasm, StringEncoding};
use wit_parser::{Resolve, WorldKey};

use crate::BuildError;

/// The package whose interfaces a policy imports and exports.
const PACKAGE: &str = "pointsman:policy/";

/// The contract.
const WIT: &str = include_str!("../../../wit/policy.wit");

/// Its version, as the names of its interfaces end.
const VERSION: &str = "@0.1.0";

/// The custom section with a component's type begins with this.
const TYPE: &str = "component-type";

/// The number of custom sections.
const CUSTOM: u8 = 0;

/// Whether the bytes are a core module and not a component.
pub(crate) fn is_module(bytes: &[u8]) -> bool {
    let first = Parser::new(0).parse_all(bytes).next();
    matches!(
        first,
        Some(Ok(Payload::Version {
            encoding: Encoding::Module,
            ..
        }))
    )
}

/// Makes a component of a core module.
pub(crate) fn encode(file: &str, module: &[u8]) -> Result<Vec<u8>, BuildError> {
    if let Some(import) = foreign_import(file, module)? {
        return Err(BuildError::Import {
            component: file.to_owned(),
            import,
        });
    }
    let module = typed(file, module)?;
    let mut encoder = ComponentEncoder::default();
    let encoded = encoder
        .validate(true)
        .module(&module)
        .and_then(ComponentEncoder::encode);
    let component = encoded.map_err(|error| not_component(file, &error))?;
    bare(&component).map_err(|error| not_component(file, &error))
}

/// The module with the type of its component, which is read off the interfaces it exports unless it is there already.
fn typed(file: &str, module: &[u8]) -> Result<Vec<u8>, BuildError> {
    let fail = |error: &dyn std::fmt::Display| not_component(file, error);
    let mut interfaces = BTreeSet::new();
    for payload in Parser::new(0).parse_all(module) {
        match payload.map_err(|error| fail(&error))? {
            Payload::CustomSection(section) if section.name().starts_with(TYPE) => {
                return Ok(module.to_vec());
            }
            Payload::ExportSection(exports) => {
                for export in exports {
                    let name = export.map_err(|error| fail(&error))?.name;
                    let interface = name.split('#').next().unwrap_or(name);
                    interfaces.extend(interface.strip_prefix(PACKAGE));
                }
            }
            _ => {}
        }
    }
    if interfaces.is_empty() {
        return Err(BuildError::NoExport {
            component: file.to_owned(),
        });
    }
    let mut exports = String::new();
    for interface in interfaces {
        let Some(name) = interface.strip_suffix(VERSION) else {
            return Err(fail(&format!(
                "it exports {PACKAGE}{interface}, and this program has {PACKAGE}…{VERSION}: build it against that WIT"
            )));
        };
        exports.push_str(&format!("export {name}; "));
    }
    let world = format!("{WIT}\nworld built {{ import log; {exports}}}\n");
    let mut resolve = Resolve::default();
    let package = resolve
        .push_source("policy.wit", &world)
        .map_err(|error| fail(&error))?;
    let world = resolve
        .select_world(&[package], Some("built"))
        .map_err(|error| fail(&error))?;
    let mut typed = module.to_vec();
    wit_component::embed_component_metadata(
        &mut typed,
        &resolve,
        world,
        StringEncoding::UTF8,
        false,
    )
    .map_err(|error| fail(&error))?;
    Ok(typed)
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
