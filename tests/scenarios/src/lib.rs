//! Scenarios: what a person does with Medley and what he sees, as scripts with pictures beside them. Each runs on the
//! host runner and on Duralumin in QEMU, as a test of its own with a time limit.
//!
//! ```text
//!   scripts/desktop.script    what to do (language: tests/script)
//!   scripts/*.png             what must be seen: made by our own machine, looked at by people
//!   scripts/*-got.png         what was seen instead, when a test fails; not kept in git
//!   $MEDLEY/prompt.png        in a script: a picture beside the image
//! ```
//! The image: see tests/fixtures.
#![forbid(unsafe_code)]

mod disk;
mod in_qemu;
mod on_host;
mod suite;

pub use disk::{Disk, State};
pub use in_qemu::{MachineWithLisp, play_in_qemu};
pub use on_host::{play_on_host, run_on_host};
pub use suite::{Suite, run};

use std::path::{Path, PathBuf};

/// An error, for whoever wants its words alone.
pub fn text(error: impl ToString) -> String {
    error.to_string()
}

/// A folder of test data that is not part of the repository (`conformance`, `bench`): beside the image's folder.
pub fn shared(medley: &Path, folder: &str) -> Option<PathBuf> {
    let path = medley.parent()?.parent()?.join(folder);
    if path.is_dir() {
        return Some(path);
    }
    eprintln!("SKIPPED: no folder {}", path.display());
    None
}

/// Where the scripts are.
pub fn folder() -> PathBuf {
    fixtures::root().join("tests/scenarios/scripts")
}

/// All scripts, by name.
pub fn scripts() -> Vec<PathBuf> {
    let entries = std::fs::read_dir(folder()).expect("the scripts are there");
    let files = entries.map(|entry| entry.expect("a folder that can be read").path());
    let mut scripts: Vec<PathBuf> =
        files.filter(|file| file.extension().is_some_and(|kind| kind == "script")).collect();
    scripts.sort();
    scripts
}

/// Makes a tar archive of files: names inside, and where they are.
pub fn archive(file: &Path, contents: &[(&str, &Path)]) -> std::io::Result<()> {
    let mut archive = tar::Builder::new(std::fs::File::create(file)?);
    for (name, path) in contents {
        archive.append_path_with_name(path, name)?;
    }
    archive.into_inner()?.sync_all()
}
