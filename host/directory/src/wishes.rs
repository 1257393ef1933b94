//! An application's wishes with everybody called by identity.
//!
//! Applications may name an orchestrator by the address that it signs with ([`Name`](pointsman_facts::Name)), which only its answers
//! tell, and which several may share. What selects and what is recorded knows identities alone, so each address is replaced by those
//! of everybody who signs with it in this snapshot.

use std::sync::Arc;

use pointsman_facts::{Hints, Symbol};

use crate::snapshot::Present;

/// `hints` with identities in place of addresses. Mostly the same: then nothing is copied.
pub(crate) fn identified(present: &Present, hints: &Arc<Hints>) -> Arc<Hints> {
    let lists = [&hints.order, &hints.ignore].into_iter().chain(&hints.only);
    let mut named = lists.flatten();
    if named.all(|&name| present.row_of(name).is_some()) {
        return Arc::clone(hints);
    }
    let of = |list: &[Symbol]| list.iter().flat_map(|&name| who(present, name)).collect();
    Arc::new(Hints {
        order: of(&hints.order),
        only: hints.only.as_deref().map(of),
        ignore: of(&hints.ignore),
        ..(**hints).clone()
    })
}

/// Whom `name` means. A name that nobody has stays: a list of the only ones must not become empty words.
fn who(present: &Present, name: Symbol) -> Vec<Symbol> {
    if present.row_of(name).is_some() {
        return vec![name];
    }
    let signing = present.address.iter().zip(&present.id);
    let signing = signing.filter(|(address, _)| **address == name.0);
    let ids: Vec<Symbol> = signing.map(|(_, &id)| Symbol(id)).collect();
    match ids.is_empty() {
        true => vec![name],
        false => ids,
    }
}
