//! Runs a Lisp file of benchmarks in the host runner and prints a table of its times beside those of other machines.
//!
//! The Lisp file writes lines `name milliseconds` to `{DSK}/out/NAME.out` and makes `{DSK}/out/NAME.done` when it is
//! through, where NAME is its own name without `.lisp`; `{DSK}/out/` is replaced by a temporary folder. Of several runs
//! the shortest time counts for each line: a machine that has other things to do can only make them longer.
//!
//! Times taken at different hours say little, so another machine can be run in between (`--against`), by a command that
//! prints such lines. The first machine that ours is compared with decides the exit status:
//!
//! | status | |
//! |---|---|
//! | 0 | on the average (geometric mean) ours is not slower, and no line is more than 1.5 times slower |
//! | 1 | it is |
//! | 2 | something is missing or went wrong |
#![forbid(unsafe_code)]

mod figures;

use figures::{Figures, Table};
use std::fs;
use std::path::{Path, PathBuf};
use std::process::Command;

const USAGE: &str = "\
usage: bench [options]
  --sysout FILE         the image: MEDLEY_SYSOUT or shared/medley/lisp.sys if not given
  --lisp FILE           the benchmarks: bench/bench.lisp beside the image's folder if not given
  --runner FILE         the host runner: beside this program if not given
  --runs N              how often, 3 if not given
  --against COMMAND     after each run this shell command, which prints lines `name milliseconds`
  --figures NAME=FILE   a column from a file of such lines; several times for the same name: the shortest count
  --save FILE           the lines of our own column
the first of --against and --figures is what ours is compared with";

#[derive(Default)]
struct Options {
    sysout: Option<PathBuf>,
    lisp: Option<PathBuf>,
    runner: Option<PathBuf>,
    runs: u32,
    against: Option<String>,
    figures: Vec<(String, PathBuf)>,
    save: Option<PathBuf>,
}

fn main() {
    let result = options().and_then(|options| match options {
        Some(options) => run(&options),
        None => {
            println!("{USAGE}");
            Ok(0)
        }
    });
    match result {
        Ok(status) => std::process::exit(status),
        Err(error) => {
            eprintln!("bench: {error}");
            std::process::exit(2)
        }
    }
}

fn options() -> Result<Option<Options>, String> {
    use lexopt::prelude::*;
    let mut options = Options { runs: 3, ..Default::default() };
    let mut parser = lexopt::Parser::from_env();
    let read = |parser: &mut lexopt::Parser| parser.value().map_err(|error| error.to_string());
    while let Some(argument) = parser.next().map_err(|error| error.to_string())? {
        match argument {
            Long("sysout") => options.sysout = Some(read(&mut parser)?.into()),
            Long("lisp") => options.lisp = Some(read(&mut parser)?.into()),
            Long("runner") => options.runner = Some(read(&mut parser)?.into()),
            Long("runs") => options.runs = read(&mut parser)?.parse().map_err(|error| format!("--runs: {error}"))?,
            Long("against") => options.against = Some(read(&mut parser)?.string().map_err(|error| error.to_string())?),
            Long("figures") => {
                let text = read(&mut parser)?.string().map_err(|error| error.to_string())?;
                let (name, file) = text.split_once('=').ok_or("--figures wants NAME=FILE")?;
                options.figures.push((name.to_string(), file.into()));
            }
            Long("save") => options.save = Some(read(&mut parser)?.into()),
            Short('h') | Long("help") => return Ok(None),
            other => return Err(format!("{}\n{USAGE}", other.unexpected())),
        }
    }
    Ok(Some(options))
}

fn run(options: &Options) -> Result<i32, String> {
    let sysout = match &options.sysout {
        Some(path) => path.clone(),
        None => fixtures::image().ok_or("there is no Medley image; give --sysout or set MEDLEY_SYSOUT")?,
    };
    let lisp = match &options.lisp {
        Some(path) => path.clone(),
        None => sysout.with_file_name("../bench/bench.lisp"),
    };
    let runner = match &options.runner {
        Some(path) => path.clone(),
        None => std::env::current_exe().map_err(|error| format!("where am I? {error}"))?.with_file_name("runner"),
    };
    let mut ours = Figures::default();
    let mut against = Figures::default();
    for round in 1..=options.runs {
        eprintln!("bench: run {round} of {}", options.runs);
        ours.merge(Figures::parse(&one_run(&runner, &sysout, &lisp)?));
        if let Some(command) = &options.against {
            against.merge(Figures::parse(&output_of(command)?));
        }
    }
    if let Some(path) = &options.save {
        fs::write(path, ours.to_string()).map_err(|error| format!("cannot write {}: {error}", path.display()))?;
    }
    let mut table = Table::new(ours);
    if options.against.is_some() {
        table.column("reference", against);
    }
    for (name, file) in &options.figures {
        let text = fs::read_to_string(file).map_err(|error| format!("cannot read {}: {error}", file.display()))?;
        table.column(name, Figures::parse(&text));
    }
    print!("{table}");
    Ok(table.is_slower() as i32)
}

/// What a shell command prints.
fn output_of(command: &str) -> Result<String, String> {
    let output = Command::new("sh").arg("-c").arg(command).output().map_err(|error| format!("sh: {error}"))?;
    if !output.status.success() {
        return Err(format!("{command}: {}", output.status));
    }
    Ok(String::from_utf8_lossy(&output.stdout).into_owned())
}

/// Loads the file in a fresh machine; what it wrote.
fn one_run(runner: &Path, sysout: &Path, lisp: &Path) -> Result<String, String> {
    let folder = std::env::temp_dir().join(format!("duralumin-bench-{}", std::process::id()));
    let _ = fs::remove_dir_all(&folder);
    let result = one_run_in(&folder, runner, sysout, lisp);
    let _ = fs::remove_dir_all(&folder);
    result
}

fn one_run_in(folder: &Path, runner: &Path, sysout: &Path, lisp: &Path) -> Result<String, String> {
    let cannot = |what: &Path, error: std::io::Error| format!("{}: {error}", what.display());
    fs::create_dir_all(folder).map_err(|error| cannot(folder, error))?;
    let name = lisp.file_stem().unwrap_or_default().to_string_lossy();
    let place = folder.display();
    let source = fs::read(lisp).map_err(|error| cannot(lisp, error))?;
    let source = String::from_utf8_lossy(&source).replace("{DSK}/out/", &format!("{{DSK}}{place}/"));
    let (source_file, script_file) = (folder.join("run.lisp"), folder.join("run.script"));
    fs::write(&source_file, source).map_err(|error| cannot(&source_file, error))?;
    // Return answers the question for an init file, which comes after some nine seconds.
    let script = format!(
        "wait until 10s\ntype \"\\n\"\nwait 3s\ntype \"(load \\\"{{DSK}}{place}/run.lisp\\\")\\n\"\n\
         limit 30m\nwait file \"{name}.done\"\nquit\n"
    );
    fs::write(&script_file, script).map_err(|error| cannot(&script_file, error))?;
    let output = Command::new(runner).arg(sysout).arg("--script").arg(&script_file).output();
    let output = output.map_err(|error| cannot(runner, error))?;
    if !output.status.success() {
        let said = String::from_utf8_lossy(&output.stderr);
        return Err(format!("{}: {}\n{said}", runner.display(), output.status));
    }
    let answers = folder.join(format!("{name}.out"));
    fs::read_to_string(&answers).map_err(|error| cannot(&answers, error))
}
