//! Scripts on the host runner: a process with a script.

use fixtures::RUNNER;
use std::path::Path;
use std::process::{Child, Command, Stdio};
use std::time::{Duration, Instant};

/// Plays a script on the host runner.
pub fn play_on_host(medley: &Path, script: &Path, limit: Duration) -> Result<(), String> {
    run(Command::new(RUNNER.path()?).arg(medley).arg("--script").arg(script), limit)
}

/// Runs a job on the host runner: Lisp's init file, which ends with a LOGOUT.
pub fn run_on_host(medley: &Path, job: &Path, limit: Duration) -> Result<(), String> {
    run(Command::new(RUNNER.path()?).arg(medley).env("LDEINIT", format!("{{DSK}}{}", job.display())), limit)
}

/// Runs the host runner to its end.
fn run(runner: &mut Command, limit: Duration) -> Result<(), String> {
    let child = runner.stdin(Stdio::null()).stdout(Stdio::null()).stderr(Stdio::piped()).spawn();
    wait(child.map_err(|error| format!("the runner: {error}"))?, limit)
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
