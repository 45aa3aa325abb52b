//! The starter world in the host runner: the battery of expressions, and the soak.
//!
//! `SOAK_SECONDS=3600 cargo test --release -p runner --test starter soak` soaks for an hour; without it, for half a minute.

use std::path::Path;
use std::process::{Command, Output};

/// Runs a sysout for at most so many seconds, and deletes it.
fn run(sysout: &Path, seconds: u32) -> (Output, String) {
    let seconds = seconds.to_string();
    let output = Command::new(env!("CARGO_BIN_EXE_runner"))
        .arg(sysout)
        .args(["--no-files", "--seconds", &seconds])
        .output()
        .expect("the runner can be started");
    let _ = std::fs::remove_file(sysout);
    let text = format!("{}{}", String::from_utf8_lossy(&output.stdout), String::from_utf8_lossy(&output.stderr));
    (output, text)
}

#[test]
fn the_battery_of_expressions() {
    let sysout = battery::battery_world().unwrap();
    let (output, text) = run(&sysout, 120);
    let expected = format!("battery: {} expressions, 0 failures", battery::battery().len());
    assert!(text.contains(&expected), "{text}");
    assert!(output.status.success(), "{text}");
}

#[test]
fn the_soak() {
    let seconds = std::env::var("SOAK_SECONDS").ok().and_then(|text| text.parse().ok()).unwrap_or(30);
    let sysout = battery::soak_world(seconds).unwrap();
    let (output, text) = run(&sysout, seconds + 120);
    assert!(text.contains(" expressions, 0 failures"), "{text}");
    assert!(output.status.success(), "{text}");
    let storage = |line| battery::Storage::read(&text, line).unwrap_or_else(|| panic!("{text}"));
    assert!(storage("storage before").is_steady(&storage("storage after")), "{text}");
    println!("{}", text.lines().last().unwrap_or_default());
}

/// Plays a script of `tests/world/scripts` on the starter world: what a newcomer types and presses, and must see.
fn play(name: &str) {
    let sysout = battery::starter_world(name).unwrap();
    let script = Path::new(env!("CARGO_MANIFEST_DIR")).join("../world/scripts").join(name).with_extension("script");
    let output = Command::new(env!("CARGO_BIN_EXE_runner"))
        .arg(&sysout)
        .args(["--no-files", "--seconds", "120", "--script"])
        .arg(&script)
        .output()
        .expect("the runner can be started");
    let _ = std::fs::remove_file(&sysout);
    let text = format!("{}{}", String::from_utf8_lossy(&output.stdout), String::from_utf8_lossy(&output.stderr));
    assert!(output.status.success(), "{text}");
}

#[test]
fn the_exec() {
    play("exec");
}

#[test]
fn an_interrupt() {
    play("interrupt");
}

#[test]
fn windows() {
    play("windows");
}

#[test]
fn the_tour() {
    play("tour");
}

#[test]
fn the_stepper() {
    play("stepper");
}
