//! Decisions on disk, as the settings say.

use std::sync::Arc;

use anyhow::{Context, Result};
use pointsman_recording::{Bounds, Recorder};

use crate::config::Settings;

/// The folder of recordings in the data directory.
pub(crate) const FOLDER: &str = "decisions";

/// Starts to record, if that is wanted. Needs the metrics recorder that the gateway has installed.
pub(crate) fn start(settings: &Settings) -> Result<Option<Arc<Recorder>>> {
    let Some(share) = settings.recording.share else {
        return Ok(None);
    };
    let folder = settings.data.dir.join(FOLDER);
    let wanted = pointsman_recording::Settings {
        bounds: Bounds {
            bytes: settings.recording.bytes as u64,
            age: settings.recording.age,
            ..Bounds::default()
        },
        share,
        ..pointsman_recording::Settings::new(folder.clone())
    };
    let recorder = Recorder::start(wanted).with_context(|| {
        let folder = folder.display();
        format!("decisions cannot be recorded in {folder}: mend that, or start with --record off")
    })?;
    Ok(Some(Arc::new(recorder)))
}
