//! A disk of the host that is soon full: a file system in memory, mounted over a folder.

use std::io::Write;
use std::path::{Path, PathBuf};
use std::process::Command;

/// Mounted until it is dropped.
pub struct SmallDisk(PathBuf);

impl SmallDisk {
    /// Mounts one of a size as `mount` has it (`256k`). Says so loudly if this process may not mount anything.
    pub fn mount(at: &Path, size: &str) -> Option<SmallDisk> {
        let mounted =
            Command::new("mount").args(["-t", "tmpfs", "-o", &format!("size={size}"), "none"]).arg(at).output();
        match mounted {
            Ok(output) if output.status.success() => Some(SmallDisk(at.into())),
            outcome => {
                // Not by a macro: a test harness keeps to itself what a test prints that passes.
                let _ = writeln!(std::io::stderr(), "SKIPPED: no right to mount a small disk to fill: {outcome:?}");
                None
            }
        }
    }
}

impl Drop for SmallDisk {
    fn drop(&mut self) {
        let _ = Command::new("umount").arg("--lazy").arg(&self.0).status();
    }
}
