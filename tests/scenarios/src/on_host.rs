//! Scripts on the host runner: a process with a script.

use std::path::{Path, PathBuf};
use std::process::{Child, Command, Stdio};
use std::sync::OnceLock;
use std::time::{Duration, Instant};

/// Builds the host runner, once, and says where it is.
pub fn runner() -> Result<&'static Path, String> {
    static RUNNER: OnceLock<Result<PathBuf, String>> = OnceLock::new();
    let build = || {
        let built = Command::new(std::env::var_os("CARGO").unwrap_or("cargo".into()))
            .args(["build", "--release", "--quiet", "-p", "runner"])
            .current_dir(qemu::root())
            .status()
            .map_err(|error| format!("cargo: {error}"))?;
        let file = qemu::root().join("target/release/runner");
        if built.success() { Ok(file) } else { Err("the runner does not build".into()) }
    };
    RUNNER.get_or_init(build).as_deref().map_err(Clone::clone)
}

/// Plays a script on the host runner.
pub fn play_on_host(medley: &Path, script: &Path, limit: Duration) -> Result<(), String> {
    let child = Command::new(runner()?)
        .arg(medley)
        .arg("--script")
        .arg(script)
        .stdin(Stdio::null())
        .stdout(Stdio::null())
        .stderr(Stdio::piped())
        .spawn()
        .map_err(|error| format!("the runner: {error}"))?;
    wait(child, limit)
}

/// Runs a job on the host runner: Lisp's init file, which ends with a LOGOUT.
pub fn run_on_host(medley: &Path, job: &Path, limit: Duration) -> Result<(), String> {
    let child = Command::new(runner()?)
        .arg(medley)
        .env("LDEINIT", format!("{{DSK}}{}", job.display()))
        .stdin(Stdio::null())
        .stdout(Stdio::null())
        .stderr(Stdio::piped())
        .spawn()
        .map_err(|error| format!("the runner: {error}"))?;
    wait(child, limit)
}

/// Waits for the end of a process; what it complained about, if it did not end well or in time.
fn wait(mut child: Child, limit: Duration) -> Result<(), String> {
    let end = Instant::now() + limit;
    let status = loop {
        match child.try_wait() {
            Ok(Some(status)) => break Some(status),
            Ok(None) if Instant::now() < end => std::thread::sleep(Duration::from_millis(20)),
            Ok(None) => {
                let _ = child.kill();
                break None;
            }
            Err(error) => return Err(error.to_string()),
        }
    };
    let output = child.wait_with_output().map_err(|error| error.to_string())?;
    let said = String::from_utf8_lossy(&output.stderr);
    match status {
        Some(status) if status.success() => Ok(()),
        Some(status) => Err(format!("the runner ended with {status}:\n{said}")),
        None => Err(format!("the runner did not end within {limit:?}:\n{said}")),
    }
}
