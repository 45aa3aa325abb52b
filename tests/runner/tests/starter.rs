//! The starter world in the host runner: the battery of expressions and the soak. Scripts are in newcomer.rs.
//!
//! `SOAK_SECONDS=3600 cargo test --release -p runner --test starter soak` soaks for an hour; without it, for half a minute.

use std::path::Path;
use std::process::Command;

/// Runs a sysout for at most so many seconds, in a folder and with arguments, and deletes it. What was written, and whether
/// the runner was content.
fn run(sysout: &Path, seconds: u32, folder: &Path, arguments: &[&str]) -> (bool, String) {
    let seconds = seconds.to_string();
    let output = Command::new(env!("CARGO_BIN_EXE_runner"))
        .arg(sysout)
        .current_dir(folder)
        .args(["--seconds", &seconds])
        .args(arguments)
        .output()
        .expect("the runner can be started");
    let _ = std::fs::remove_file(sysout);
    let text = format!("{}{}", String::from_utf8_lossy(&output.stdout), String::from_utf8_lossy(&output.stderr));
    (output.status.success(), text)
}

#[test]
fn the_battery_of_expressions() {
    let sysout = battery::battery_world().unwrap();
    let (content, text) = run(&sysout, 120, &std::env::temp_dir(), &["--no-files"]);
    let expected = format!("battery: {} expressions, 0 failures", battery::battery().len());
    assert!(text.contains(&expected), "{text}");
    assert!(content, "{text}");
}

#[test]
fn the_soak() {
    let seconds = battery::soak_seconds(30);
    let sysout = battery::soak_world(seconds).unwrap();
    let folder = std::env::temp_dir().join(format!("duralumin-soak-{}", std::process::id()));
    std::fs::create_dir_all(&folder).unwrap();
    let script = folder.join("mouse.script");
    // The world ends itself; the mouse rests until then.
    let gestures: String = battery::mouse_gestures().take(2 * seconds as usize).collect();
    let steps = format!("wait 1s\n{gestures}wait {}s\n", seconds + 600);
    std::fs::write(&script, steps).unwrap();
    let (content, text) =
        run(&sysout, seconds + 120, &folder, &["--where", "--script", "mouse.script", "--files", "."]);
    let _ = std::fs::remove_dir_all(&folder);
    battery::judge_soak(&text).unwrap_or_else(|what| panic!("{what}"));
    assert!(text.contains("files: T"), "the soak had no files: {text}");
    assert!(content, "{text}");
    // For whoever looks on, with --nocapture.
    text.lines().filter(|line| line.contains("soak: ") || line.contains("storage ")).for_each(|it| println!("{it}"));
}
