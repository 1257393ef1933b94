//! `pointsman policy push`.

use anyhow::Result;
use pointsman_fetch::{Archive, push};

use crate::cli::Push;

pub(super) async fn run(wanted: &Push) -> Result<()> {
    let rules = wanted.rules()?;
    let (path, limits) = (wanted.bundle.clone(), rules.limits);
    let read = tokio::task::spawn_blocking(move || Archive::read(&path, &limits));
    let pushed = push(&read.await??, &wanted.repository, &rules).await?;
    println!("{pushed}");
    Ok(())
}
