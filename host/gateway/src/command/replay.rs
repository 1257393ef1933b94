//! `pointsman policy replay`.

use std::sync::Arc;

use anyhow::Result;
use pointsman_default_bundle as default_bundle;
use pointsman_native::Native;
use pointsman_policy::Bundle;
use pointsman_policy::bundle::MAX_COMPONENT;
use pointsman_recording::{Reader, replay};
use pointsman_workbench::{Gateway, open};

use crate::cli::Replay;

pub(super) fn run(wanted: &Replay) -> Result<()> {
    crate::logging::errors();
    let reader = Reader::open(&wanted.recordings)?;
    let owned = |(name, bytes): &default_bundle::File| ((*name).to_owned(), bytes.to_vec());
    let files = default_bundle::bundle().iter().map(owned);
    let gateway = Gateway {
        bundle: Bundle::from_files(files, MAX_COMPONENT)?,
        library: default_bundle::library(),
        twins: Arc::new(Native::new(default_bundle::stage)),
    };
    let opened = open(wanted.bundle.as_deref(), &gateway, wanted.offline)?;
    let report = replay(reader, &opened.bundle, Some(gateway.twins))?;
    if wanted.json {
        println!("{}", serde_json::to_string_pretty(&report)?);
    } else {
        print!("{report}");
    }
    Ok(())
}
