//! The command line.

use std::path::PathBuf;

/// How to call this program.
pub const USAGE: &str = "\
usage: runner SYSOUT [options]
  --script FILE          play a script (tests/script) and end with it
  --screenshot FILE.png  a picture of the screen when the run ends
  --size WxH             the screen's size in pixels, 1024x768 if not given
  --save FILE            where LOGOUT and SAVEVM save the world; without it they only say that it is lost
  --memory MEGABYTES     Lisp's address space, as the image had it if not given
  --files DIR            Lisp's {DSK} is that folder, not all of this computer
  --no-files             Lisp has no files: a machine with no disk
  --monitor              begin in the monitor (docs/monitor.md), with commands from standard input; Ctrl-C comes back to it
  --steps N              end after N instructions
  --seconds N            end after N seconds
  --where                with --seconds: say what Lisp was doing then
  --trace N              print the last N instructions when the run ends
  --deterministic        a microsecond an instruction, no timer: every run is the same
  --input FILE           with --deterministic: lines `N key NUMBER 1|0`, `N button 13|14|15 1|0`, `N mouse X Y`
  --timer N              with --deterministic: ask for attention every N instructions
  --collect N            with --deterministic: have Lisp collect garbage every N instructions
  --trace-file FILE      instructions `n func pc op tos sp pvar ivar`, hexadecimal but n
  --trace-from N         from instruction N on
  --trace-count N        at most N instructions
  --trace-hash-every N   after each N instructions `n hash` instead of lines
  --dump-at N            Lisp's memory before instruction N, to
  --dump-file FILE       FILE, FILE.pages and FILE.regs";

/// What the user wants.
#[derive(Default)]
pub struct Options {
    pub sysout: PathBuf,
    pub script: Option<PathBuf>,
    pub screenshot: Option<PathBuf>,
    pub size: Option<(u16, u16)>,
    pub save: Option<PathBuf>,
    pub memory: Option<u32>,
    pub files: Option<PathBuf>,
    pub no_files: bool,
    pub monitor: bool,
    pub steps: Option<u64>,
    pub seconds: Option<f64>,
    pub say_where: bool,
    pub trace: Option<usize>,
    pub deterministic: bool,
    pub input: Option<PathBuf>,
    pub timer: Option<u64>,
    pub collect: Option<u64>,
    pub trace_file: Option<PathBuf>,
    pub trace_from: u64,
    pub trace_count: Option<u64>,
    pub trace_hash_every: Option<u64>,
    pub dump_at: Option<u64>,
    pub dump_file: Option<PathBuf>,
}

/// A folder that is there, as an absolute path.
fn folder(path: PathBuf) -> Result<PathBuf, String> {
    let found = path.canonicalize().map_err(|error| format!("--files {}: {error}", path.display()))?;
    if found.is_dir() { Ok(found) } else { Err(format!("--files {}: that is no folder", path.display())) }
}

/// The largest screen Lisp's display segment has room for, pixels.
const MOST_PIXELS: u32 = 2_097_152;

/// Reads the command line; `None` if the user asked for help.
pub fn parse() -> Result<Option<Options>, String> {
    use lexopt::prelude::*;
    let mut options = Options::default();
    let mut sysout = None;
    let mut parser = lexopt::Parser::from_env();
    let say = |error: lexopt::Error| error.to_string();
    while let Some(argument) = parser.next().map_err(say)? {
        match argument {
            Long("help") | Short('h') => return Ok(None),
            Long("script") => options.script = Some(parser.value().map_err(say)?.into()),
            Long("screenshot") => options.screenshot = Some(parser.value().map_err(say)?.into()),
            Long("size") => options.size = Some(size(&parser.value().and_then(|value| value.string()).map_err(say)?)?),
            Long("save") => options.save = Some(parser.value().map_err(say)?.into()),
            Long("memory") => options.memory = Some(parser.value().and_then(|value| value.parse()).map_err(say)?),
            Long("steps") => options.steps = Some(parser.value().and_then(|value| value.parse()).map_err(say)?),
            Long("monitor") => options.monitor = true,
            Long("files") => options.files = Some(folder(parser.value().map_err(say)?.into())?),
            Long("no-files") => options.no_files = true,
            Long("seconds") => options.seconds = Some(parser.value().and_then(|value| value.parse()).map_err(say)?),
            Long("where") => options.say_where = true,
            Long("trace") => options.trace = Some(parser.value().and_then(|value| value.parse()).map_err(say)?),
            Long("deterministic") => options.deterministic = true,
            Long("input") => options.input = Some(parser.value().map_err(say)?.into()),
            Long("timer") => options.timer = Some(parser.value().and_then(|value| value.parse()).map_err(say)?),
            Long("collect") => options.collect = Some(parser.value().and_then(|value| value.parse()).map_err(say)?),
            Long("trace-file") => options.trace_file = Some(parser.value().map_err(say)?.into()),
            Long("trace-from") => options.trace_from = parser.value().and_then(|value| value.parse()).map_err(say)?,
            Long("trace-count") => {
                options.trace_count = Some(parser.value().and_then(|value| value.parse()).map_err(say)?)
            }
            Long("trace-hash-every") => {
                options.trace_hash_every = Some(parser.value().and_then(|value| value.parse()).map_err(say)?)
            }
            Long("dump-at") => options.dump_at = Some(parser.value().and_then(|value| value.parse()).map_err(say)?),
            Long("dump-file") => options.dump_file = Some(parser.value().map_err(say)?.into()),
            Value(path) if sysout.is_none() => sysout = Some(path.into()),
            other => return Err(other.unexpected().to_string()),
        }
    }
    options.sysout = sysout.ok_or("which sysout? (--help says more)")?;
    if options.no_files && options.files.is_some() {
        return Err("--files and --no-files do not go together".into());
    }
    if !options.deterministic && (options.input.is_some() || options.timer.is_some() || options.collect.is_some()) {
        return Err("--input, --timer and --collect make sense with --deterministic only".into());
    }
    let looked_at = options.steps.is_some() || options.trace.is_some() || options.trace_file.is_some();
    if options.monitor && (options.deterministic || looked_at || options.dump_at.is_some()) {
        return Err("--monitor goes with none of --deterministic, --steps, --trace, --trace-file and --dump-at".into());
    }
    if options.seconds.is_some_and(|seconds| !(0.0..1e9).contains(&seconds)) {
        return Err("--seconds needs a number from 0 to a thousand million".into());
    }
    if options.dump_at.is_some() != options.dump_file.is_some() {
        return Err("--dump-at and --dump-file go together".into());
    }
    if [options.trace_hash_every, options.timer, options.collect].contains(&Some(0)) {
        return Err("--trace-hash-every, --timer and --collect need a number above 0".into());
    }
    Ok(Some(options))
}

fn size(text: &str) -> Result<(u16, u16), String> {
    let (width, height) = text.split_once('x').ok_or_else(|| format!("--size is WxH, like 1024x768, not {text}"))?;
    let number = |text: &str| text.parse().map_err(|_| format!("--size is WxH, like 1024x768, not {text}"));
    let (width, height): (u16, u16) = (number(width)?, number(height)?);
    if width == 0 || height == 0 || width % 32 != 0 || width as u32 * height as u32 > MOST_PIXELS {
        return Err(format!(
            "a screen of {width}x{height} cannot be: the width is a multiple of 32, and there are at most {MOST_PIXELS} \
             pixels"
        ));
    }
    Ok((width, height))
}
