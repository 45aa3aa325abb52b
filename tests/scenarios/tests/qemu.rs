//! Duralumin in QEMU with Medley: every script, how it rests, and the batteries.

use qemu::Machine;
use scenarios::{MachineWithLisp, Suite, archive, play_in_qemu, run, shared, text};
use std::path::Path;
use std::process::ExitCode;
use std::time::{Duration, Instant};

/// A script takes some 20 s; QEMU without KVM on a busy machine longer.
const LIMIT: Duration = Duration::from_secs(150);
/// The batteries compile a lot.
const BATTERY_LIMIT: Duration = Duration::from_secs(400);
/// To Medley's question, and past it.
const TO_THE_EXEC: &str = "limit 60s\nexpect \"$MEDLEY/prompt.png\" mask 296 204 12 16\npress control-e\nwait idle\n";

fn main() -> ExitCode {
    let Some(medley) = fixtures::medley() else { return ExitCode::SUCCESS };
    let mut suite = Suite::default();
    suite.test("conformance-battery", || conformance(&medley));
    suite.test("speed-battery", || speed(&medley));
    suite.scripts(|script| play_in_qemu(&medley, script, LIMIT));
    suite.test("rests-at-the-prompt", || rests(&medley));
    run(suite, 2)
}

/// At the question an idle machine takes next to nothing of the host, and most of the image is still on the disk.
fn rests(medley: &Path) -> Result<(), String> {
    let mut machine = MachineWithLisp::start(Machine::new().limit(LIMIT), medley)?;
    machine.play_steps("limit 60s\nexpect \"$MEDLEY/prompt.png\" mask 296 204 12 16\nwait idle\n")?;
    let qemu = machine.qemu();
    let counters = qemu.ask(b'c', "pages read (").map_err(text)?;
    let percent = counters.split("pages read (").nth(1).and_then(|rest| rest.split(' ').next());
    let percent: u32 = percent.and_then(|percent| percent.parse().ok()).ok_or("no share of pages in the counters")?;
    let (before, since) = (qemu.processor_seconds().map_err(text)?, Instant::now());
    qemu.pause(Duration::from_secs(10));
    let used = (qemu.processor_seconds().map_err(text)? - before) / since.elapsed().as_secs_f64() * 100.0;
    println!("     at the prompt: {percent} % of the image's pages read, {used:.1} % of a core used");
    if percent >= 50 {
        return Err(format!("{percent} % of the image's pages have been read at the prompt"));
    }
    if used >= 10.0 {
        return Err(format!("an idle prompt takes {used:.1} % of a core"));
    }
    Ok(())
}

/// Loads a Lisp file that comes as a file in memory; what it wrote to `NAME.out`.
fn load(medley: &Path, folder: &Path, name: &str) -> Result<String, String> {
    let module = std::env::temp_dir().join(format!("duralumin-{name}-{}.tar", std::process::id()));
    let source = format!("{name}.lisp");
    archive(&module, &[(&source, &folder.join(&source))]).map_err(text)?;
    let machine =
        Machine::new().limit(BATTERY_LIMIT).module(&module).word(format!("export-files={name}.out,{name}.done"));
    let outcome = (|| {
        let mut machine = MachineWithLisp::start(machine, medley)?;
        machine.play_steps(TO_THE_EXEC)?;
        machine.play_steps(&format!("type \"(load \\\"{{DSK}}{source}\\\")\\n\"\n"))?;
        machine.qemu().exported(&format!("{name}.done")).map_err(text)?;
        machine.qemu().exported(&format!("{name}.out")).map_err(text)
    })();
    let _ = std::fs::remove_file(module);
    outcome
}

/// The conformance battery gives what the reference gives.
fn conformance(medley: &Path) -> Result<(), String> {
    let Some(folder) = shared(medley, "conformance") else { return Ok(()) };
    let got = load(medley, &folder, "visible")?;
    let expected = std::fs::read_to_string(folder.join("visible.expected")).map_err(text)?;
    let (got, expected): (Vec<&str>, Vec<&str>) = (got.lines().collect(), expected.lines().collect());
    let different: Vec<String> = expected
        .iter()
        .zip(&got)
        .filter(|(expected, got)| expected != got)
        .map(|(expected, got)| format!("expected {expected}\n     got {got}"))
        .collect();
    println!("     conformance: {} lines, {} different", got.len(), different.len());
    if got.len() != expected.len() {
        return Err(format!("{} lines instead of {}; {}", got.len(), expected.len(), different.join("\n")));
    }
    if different.is_empty() { Ok(()) } else { Err(different.join("\n")) }
}

/// The speed battery runs to its end; its times are for the record, this is an emulated processor.
fn speed(medley: &Path) -> Result<(), String> {
    let Some(folder) = shared(medley, "bench") else { return Ok(()) };
    let got = load(medley, &folder, "bench")?;
    let lines: Vec<&str> = got.lines().filter(|line| !line.is_empty()).collect();
    let times = lines.iter().map(|line| line.rsplit(' ').next().and_then(|time| time.parse::<u64>().ok()));
    let times: Option<Vec<u64>> = times.collect();
    let times = times.ok_or_else(|| format!("a line without a time:\n{got}"))?;
    println!("     speed, in milliseconds: {}", lines.join(", "));
    println!("     speed: {} lines, {:.1} s in all", times.len(), times.iter().sum::<u64>() as f64 / 1000.0);
    if times.len() < 30 { Err(format!("only {} lines", times.len())) } else { Ok(()) }
}
