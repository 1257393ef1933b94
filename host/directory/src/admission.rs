//! Whom an orchestrator may claim to be.
//!
//! # Contract
//!
//! An answer names two accounts: the one that signs results, and the one that tickets are paid to. Nothing in the protocol proves
//! either. So whoever is known from the registry alone must ask to be paid to the account that registered its URI: another one would
//! be paid for work under a borrowed name and stake. Whoever the operator names himself is taken at its word, as in go-livepeer: he
//! vouches for it, and a stranger who registers the same URI must not be able to take it out. Either way a session goes on
//! paying the account that it began with.
//!
//! A stranger reached by TLS may not send the work to an address without it either. The blocklist holds for both accounts, whoever names the orchestrator.

use std::collections::BTreeSet;
use std::sync::Arc;

use pointsman_wire::net::OrchestratorInfo;
use pointsman_wire::sign::Address;
use pointsman_wire::uri::ServiceUri;

use crate::facts::Unusable;
use crate::source::{Blocklist, Listing};

/// See the module.
#[derive(Clone, Debug, Default)]
pub(crate) struct Admission {
    /// Who may be paid; `None`: anybody.
    owners: Option<BTreeSet<Address>>,
    /// Whether it may not send the work to where it can be read on the way.
    tls: bool,
    blocklist: Arc<Blocklist>,
}

/// The accounts that an answer names.
#[derive(Clone, Copy, Debug, Default, PartialEq, Eq)]
pub(crate) struct Claim {
    /// Zero off-chain.
    pub(crate) signer: Address,
    pub(crate) recipient: Option<Address>,
    /// Whether it wants work in cleartext.
    pub(crate) cleartext: bool,
}

// === impl Admission ===

impl Admission {
    pub(crate) fn of(uri: &ServiceUri, listing: &Listing, blocklist: &Arc<Blocklist>) -> Self {
        Self {
            tls: listing.is_a_strangers() && uri.is_tls(),
            owners: listing.is_a_strangers().then(|| listing.owners.clone()),
            blocklist: Arc::clone(blocklist),
        }
    }

    /// Why an orchestrator that claims this is not used, if so.
    pub(crate) fn judge(&self, claim: &Claim) -> Option<Unusable> {
        let accounts = [Some(claim.signer), claim.recipient];
        let blocked = accounts.into_iter().flatten();
        if let Some(account) = blocked
            .into_iter()
            .find(|one| self.blocklist.accounts.contains(one))
        {
            return Some(Unusable::Blocked(account));
        }
        if self.tls && claim.cleartext {
            return Some(Unusable::Cleartext);
        }
        let owners = self.owners.as_ref()?;
        match claim.recipient {
            Some(recipient) if owners.contains(&recipient) => None,
            found => Some(Unusable::Recipient {
                found,
                owners: owners.iter().copied().collect(),
            }),
        }
    }
}

// === impl Claim ===

impl Claim {
    pub(crate) fn of(info: &OrchestratorInfo) -> Self {
        let params = info.ticket_params.as_ref();
        let recipient = params.and_then(|params| account(&params.recipient));
        Self {
            signer: account(&info.address).unwrap_or_default(),
            recipient: recipient.filter(|recipient| !recipient.is_zero()),
            cleartext: is_cleartext(&info.transcoder),
        }
    }
}

fn is_cleartext(transcoder: &str) -> bool {
    ServiceUri::from_webhook(transcoder).is_ok_and(|uri| !uri.is_tls())
}

fn account(bytes: &[u8]) -> Option<Address> {
    Address::try_from(bytes).ok()
}

#[cfg(test)]
mod tests {
    use super::*;
    use crate::source::Origin;

    fn claim(signer: u8, recipient: u8) -> Claim {
        Claim {
            signer: Address::repeat_byte(signer),
            recipient: Some(Address::repeat_byte(recipient)),
            cleartext: false,
        }
    }

    fn uri() -> ServiceUri {
        "https://a".parse().expect("a URI")
    }

    fn listing(origins: &[Origin]) -> Listing {
        Listing {
            origins: origins.iter().copied().collect(),
            owners: [1, 2].map(Address::repeat_byte).into(),
            ..Listing::default()
        }
    }

    #[test]
    fn who_is_known_from_the_registry_alone_is_paid_as_registered() {
        let admission = Admission::of(&uri(), &listing(&[Origin::Chain]), &Arc::default());
        assert_eq!(admission.judge(&claim(9, 1)), None);
        assert_eq!(admission.judge(&claim(9, 2)), None, "two share the URI");
        for wrong in [claim(1, 9), Claim::default()] {
            let why = admission.judge(&wrong).expect("refused").to_string();
            assert!(
                why.contains("0x0101010101010101010101010101010101010101"),
                "{why}"
            );
        }
        let cleartext = Claim {
            cleartext: true,
            ..claim(9, 1)
        };
        assert_eq!(admission.judge(&cleartext), Some(Unusable::Cleartext));
        let vouched = Admission::of(
            &uri(),
            &listing(&[Origin::List, Origin::Chain]),
            &Arc::default(),
        );
        assert_eq!(vouched.judge(&claim(1, 9)), None);
        assert_eq!(vouched.judge(&cleartext), None);
    }

    #[test]
    fn the_blocklist_holds_for_signer_and_recipient_of_everyone() {
        let blocklist = Arc::new(Blocklist {
            accounts: [Address::repeat_byte(9)].into(),
            ..Blocklist::default()
        });
        for origins in [&[Origin::List][..], &[Origin::Chain], &[Origin::Webhook]] {
            let admission = Admission::of(&uri(), &listing(origins), &blocklist);
            let blocked = Some(Unusable::Blocked(Address::repeat_byte(9)));
            assert_eq!(admission.judge(&claim(9, 1)), blocked);
            assert_eq!(admission.judge(&claim(1, 9)), blocked);
            assert_eq!(admission.judge(&claim(1, 1)), None);
        }
    }
}
