//! The starter world in QEMU: the scripts of tests/world/scripts, and a soak with the mouse.
//!
//! `SOAK_SECONDS=3600 cargo test --release -p scenarios --test starter soak` soaks for an hour; without it, for 25 seconds.

use qemu::Machine;
use scenarios::{Disk, MachineWithLisp, Suite, play_in_qemu, run};
use std::path::Path;
use std::process::ExitCode;
use std::time::Duration;

/// A script takes some 20 s; QEMU without KVM on a busy machine longer.
const LIMIT: Duration = Duration::from_secs(240);

fn main() -> ExitCode {
    let sysout = match battery::starter_world("scripts") {
        Ok(sysout) => sysout,
        Err(what) => {
            eprintln!("the starter world cannot be built: {what}");
            return ExitCode::FAILURE;
        }
    };
    let mut suite = Suite::default();
    suite.test("soak", soak);
    for name in ["exec", "interrupt", "windows", "depth", "tour", "stepper"] {
        let script = fixtures::root().join("tests/world/scripts").join(name).with_extension("script");
        let sysout: &Path = &sysout;
        suite.test(name, move || play_in_qemu(sysout, &script, LIMIT));
    }
    let code = run(suite, 2);
    let _ = std::fs::remove_file(sysout);
    code
}

/// Random expressions, windows, processes and files, and the mouse in all that.
fn soak() -> Result<(), String> {
    let text = |error: qemu::QemuError| error.to_string();
    let seconds = battery::soak_seconds(25);
    let sysout = battery::soak_world(seconds)?;
    let disk = Disk::import("soak", &sysout);
    let _ = std::fs::remove_file(&sysout);
    let disk = disk?;
    // To come up and to close all windows twice takes its time, too.
    let limit = Duration::from_secs(u64::from(seconds) + 180);
    let machine = Machine::new().limit(limit).writable_disk(&disk.path);
    let mut machine = MachineWithLisp::start_from_its_disk(machine, &sysout)?;
    machine.qemu().wait_for("soak begins").map_err(text)?;
    // The world ends itself; the mouse rests before that.
    let end = machine.qemu().age() + Duration::from_secs(u64::from(seconds)) * 4 / 5;
    for gesture in battery::mouse_gestures() {
        if machine.qemu().age() > end {
            break;
        }
        machine.play_steps(&gesture)?;
    }
    machine.qemu().wait_for("soak: ").map_err(text)?;
    machine.qemu().wait().map_err(text)?;
    let log = machine.qemu().log();
    battery::judge_soak(&log)?;
    if !log.contains("files: T") {
        return Err(format!("the soak had no files:\n{log}"));
    }
    println!("     {}", log.lines().find(|line| line.contains("soak: ")).unwrap_or_default());
    Ok(())
}
