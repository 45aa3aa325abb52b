//! The Lisp machine as a headless Linux process, for tests, traces and benchmarks.
//!
//! | status | |
//! |---|---|
//! | 0 | the script ended, the steps are done, or Lisp logged out |
//! | 1 | the script failed, the machine stopped with an error, or Lisp wants it so (`{UNIX}/machine/status`) |
//! | 2 | the command line or a file is wrong |
//! | 3 | Lisp touched memory that it does not have |
#![deny(unsafe_code)]

#[expect(unsafe_code, reason = "statvfs and mkfifo are C functions")]
mod files;
mod input;
#[expect(unsafe_code, reason = "takes the address space for Lisp, and handles its faults")]
mod memory;
#[expect(unsafe_code, reason = "signal is a C function")]
mod monitoring;
mod options;
mod trace;
mod world;
mod worlds;

use memory::Memory;
use options::Options;
use std::cell::RefCell;
use std::io;
use std::ops::ControlFlow;
use std::path::Path;
use std::rc::Rc;
use std::sync::atomic::{AtomicPtr, Ordering};
use std::time::{Duration, Instant};
use vm::address::{BYTES_PER_PAGE, ByteAddr, LispPtr};
use vm::inspect::{Instruction, function_name};
use vm::layout::{Layout, Medley2, Medley35, SMALL_POSITIVE};
use vm::machine::{Attention, Exit, Machine};
use vm::startup::Session;
use vm::symbols;
use vm::sysout::{INTERFACE_PAGE_OFFSET, LayoutKind, PageMap, Sysout, SysoutError};
use world::{Host, INSTRUCTIONS, Scene, TIME_IS_OVER};

/// How often the machine is asked to look at the world.
const TICK: Duration = Duration::from_millis(10);

fn main() {
    let options = match options::parse() {
        Ok(Some(options)) => options,
        Ok(None) => {
            println!("{}", options::USAGE);
            return;
        }
        Err(error) => fail(&error),
    };
    let bytes = std::fs::read(&options.sysout)
        .unwrap_or_else(|error| fail(&format!("cannot read {}: {error}", options.sysout.display())));
    let run = |bytes: &[u8]| -> Result<i32, SysoutError> {
        let (sysout, map) = check(bytes)?;
        Ok(match sysout.layout() {
            LayoutKind::Medley2 => start::<Medley2>(&options, bytes, &map),
            LayoutKind::Medley35 => start::<Medley35>(&options, bytes, &map),
        })
    };
    match run(&bytes) {
        Ok(status) => std::process::exit(status),
        Err(error) => fail(&format!("{}: {error}", options.sysout.display())),
    }
}

/// Something the user has to put right.
fn fail(what: &str) -> ! {
    eprintln!("runner: {what}");
    std::process::exit(2)
}

/// Looks whether a file is a sound sysout.
fn check(bytes: &[u8]) -> Result<(Sysout, PageMap<'_>), SysoutError> {
    let at = INTERFACE_PAGE_OFFSET as usize;
    let page = bytes.get(at..at + BYTES_PER_PAGE).and_then(|page| page.try_into().ok());
    let page = page.ok_or(SysoutError::TooShort { bytes: bytes.len() as u64 })?;
    let sysout = Sysout::parse(page, bytes.len() as u64)?;
    let (at, length) = sysout.map_bytes();
    let map = sysout.page_map(bytes.get(at as usize..at as usize + length).unwrap_or_default())?;
    map.invert(&mut vec![0; sysout.layout().max_pages() as usize])?;
    Ok((sysout, map))
}

/// Runs an image to its end; the exit status.
fn start<L: Layout>(options: &Options, bytes: &[u8], map: &PageMap<'_>) -> i32 {
    let no_memory = |error: io::Error| -> ! { fail(&format!("no memory for Lisp: {error}")) };
    let mut memory = Memory::reserve(L::MAX_PAGES).unwrap_or_else(|error| no_memory(error));
    memory.open_all(map.pages().map(|(_, lisp)| lisp)).unwrap_or_else(|error| no_memory(error));
    for (file, lisp) in map.pages() {
        let at = file.0 as usize * BYTES_PER_PAGE;
        memory.load(lisp, bytes[at..at + BYTES_PER_PAGE].try_into().expect("a page"));
    }
    memory::catch_faults(report_fault::<L>).unwrap_or_else(|error| fail(&format!("cannot catch faults: {error}")));

    let script = options.script.as_ref().map(|path| {
        let text = std::fs::read_to_string(path)
            .unwrap_or_else(|error| fail(&format!("cannot read {}: {error}", path.display())));
        script::parse(&text).unwrap_or_else(|error| fail(&format!("{}: {error}", path.display())))
    });
    let files = (options.script.clone().unwrap_or_default(), options.sysout.clone());
    let space = memory.space();
    let begin = (!options.deterministic).then(Instant::now);
    let size = options.size.unwrap_or((1024, 768));
    let scene = Rc::new(RefCell::new(Scene::new(script, files, options.screenshot.clone(), space, size, begin)));
    let memory = Rc::new(RefCell::new(memory));
    let root = files::Root::new(options.files.as_deref());
    let host = Host {
        memory: memory.clone(),
        scene: scene.clone(),
        size,
        start: begin,
        say_where: options.say_where,
        files: (!options.no_files).then(|| files::host_files(root.clone())),
        worlds: (!options.no_files).then(|| worlds::HostWorlds::new(options.save.clone(), root)),
    };

    let machine = match Machine::<L>::new(space, Box::leak(Box::new(host))) {
        Ok(machine) => Box::into_raw(Box::new(machine)),
        Err(error) => fail(&format!("{}: {error}", options.sysout.display())),
    };
    MACHINE.store(machine.cast(), Ordering::Release);
    // SAFETY: the machine was leaked and lives for ever; this is the one reference to it. Other threads, and the kernel's
    // interrupt handlers, touch nothing of it but `attention`, which is made of atomics; that they do so beside a
    // reference that calls itself unique relies on atomic accesses never being left out or doubled.
    #[expect(unsafe_code, reason = "others look at the machine while it runs")]
    let (machine, attention) = unsafe { (&mut *machine, &raw const (*machine).attention) };
    if let Err(error) = machine.start(&Session { megabytes: options.memory }) {
        fail(&format!("{}: {error}", options.sysout.display()));
    }

    if options.deterministic {
        // Noticing idleness asks for attention, which the reference does not do.
        machine.idleness = Default::default();
    }
    let watched = options.deterministic
        || options.steps.is_some()
        || options.trace.is_some()
        || options.trace_file.is_some()
        || options.dump_at.is_some();
    if begin.is_some() || options.seconds.is_some() {
        tick(attention, begin.is_some(), options.seconds.map(Duration::from_secs_f64));
    }
    if options.monitor {
        return monitoring::run(machine, &scene, &memory);
    }
    let exit = if watched { watch(machine, options, &scene, &memory) } else { machine.run() };
    match exit {
        Exit::Stopped if TIME_IS_OVER.load(Ordering::Relaxed) => {
            eprintln!("runner: the time is over");
            say_where(machine, 60);
            scene.borrow_mut().end(0)
        }
        Exit::Steps | Exit::Logout | Exit::Stopped => scene.borrow_mut().end(files::status()),
        Exit::Fatal(error) => {
            eprintln!("runner: {error}");
            say_where(machine, 12);
            scene.borrow_mut().end(1)
        }
    }
}

/// Says what runs, and who called it, as far as that can be read.
fn say_where<L: Layout>(machine: &Machine<L>, callers: usize) {
    memory::expect_faults(1);
    report(machine, machine.regs.pc);
    for frame in machine.frames().skip(1).take(callers) {
        eprintln!("  called by {} + {:#o}", symbols::name::<L>(machine.space, frame.name), frame.pc);
    }
}

/// Asks for attention at regular times, for ever; if `always` is false, only once the time is over.
#[expect(unsafe_code, reason = "another thread asks for attention")]
fn tick(attention: *const Attention, always: bool, limit: Option<Duration>) {
    struct Shared(*const Attention);
    // SAFETY: it points into the machine that `start` leaked, which is there for ever, and is used for atomics only.
    unsafe impl Send for Shared {}
    let shared = Shared(attention);
    let begin = Instant::now();
    std::thread::spawn(move || {
        let shared = shared;
        loop {
            std::thread::sleep(TICK);
            let over = limit.is_some_and(|limit| begin.elapsed() >= limit);
            if over {
                TIME_IS_OVER.store(true, Ordering::Relaxed);
            }
            if always || over {
                // SAFETY: the machine was leaked, so its attention is there for ever; it is made of atomics.
                unsafe { (*shared.0).request() };
            }
        }
    });
}

/// Runs with traces, dumps, stops and exact input.
fn watch<L: Layout>(
    machine: &mut Machine<L>,
    options: &Options,
    scene: &RefCell<Scene>,
    memory: &RefCell<Memory>,
) -> Exit {
    let wrong = |path: &Path, error: io::Error| -> ! { fail(&format!("cannot write {}: {error}", path.display())) };
    let mut file = options.trace_file.as_ref().map(|path| {
        trace::TraceFile::create(path, options.trace_from, options.trace_count, options.trace_hash_every)
            .unwrap_or_else(|error| wrong(path, error))
    });
    let mut recent = trace::Recent::new(options.trace.unwrap_or(0));
    let mut input = match &options.input {
        Some(path) => input::read(path).unwrap_or_else(|error| fail(&error)),
        None => Default::default(),
    };
    let deterministic = options.deterministic;
    let steps = options.steps.unwrap_or(u64::MAX);
    let mut next_timer = options.timer.unwrap_or(u64::MAX);
    let mut next_collection = options.collect.unwrap_or(u64::MAX);
    let mut next_play = if deterministic { 0 } else { u64::MAX };
    let mut next_input = input.front().map_or(u64::MAX, |event| event.0);
    let mut dump_at = options.dump_at.unwrap_or(u64::MAX);
    let mut last = 0;
    let exit = machine.run_watched(|m, n| {
        last = n;
        if deterministic {
            INSTRUCTIONS.store(n, Ordering::Relaxed);
        }
        while n >= next_input {
            if let Some((_, event)) = input.pop_front() {
                m.apply_input(event);
            }
            next_input = input.front().map_or(u64::MAX, |event| event.0);
        }
        if n >= next_play {
            let mut scene = scene.borrow_mut();
            scene.play();
            while let Some(event) = scene.event() {
                m.apply_input(event);
            }
            next_play = u64::try_from(scene.wake().as_micros()).unwrap_or(u64::MAX);
        }
        if n >= next_timer {
            m.attention.request();
            next_timer += options.timer.unwrap_or(u64::MAX);
        }
        if n >= next_collection {
            ask_for_collection(m);
            next_collection += options.collect.unwrap_or(u64::MAX);
        }
        if n >= dump_at {
            dump_at = u64::MAX;
            let path = options.dump_file.as_ref().expect("it goes with --dump-at");
            trace::dump(m, &memory.borrow(), n, path).unwrap_or_else(|error| wrong(path, error));
        }
        if n >= steps {
            return ControlFlow::Break(());
        }
        recent.note(m, n);
        if let Some(file) = &mut file {
            file.note(m, n).unwrap_or_else(|error| wrong(options.trace_file.as_ref().expect("it is open"), error));
        }
        ControlFlow::Continue(())
    });
    recent.print(machine);
    if let (Some(file), Some(path)) = (&mut file, &options.trace_file) {
        file.finish(last).unwrap_or_else(|error| wrong(path, error));
    }
    if exit != Exit::Steps {
        eprintln!("runner: the run ended at instruction {last}");
    }
    exit
}

/// Ends the countdown to the next collection of garbage, if there is one.
fn ask_for_collection<L: Layout>(m: &mut Machine<L>) {
    let countdown = m.symbols.reclaim_countdown;
    if m.space.cell(countdown) != 0 {
        m.space.set_cell(countdown, SMALL_POSITIVE);
        m.attention.request();
    }
}

/// The machine, for the report of a fault.
static MACHINE: AtomicPtr<()> = AtomicPtr::new(std::ptr::null_mut());

/// Says in which function Lisp is. In a damaged image this may itself touch what is not there.
fn report<L: Layout>(m: &Machine<L>, pc: u32) {
    if m.func == LispPtr::NIL {
        return eprintln!("runner: in no function yet: Lisp was about to start");
    }
    memory::say_on_fault(format!("runner: in the function at {:?}, whose name cannot be read", m.func));
    let name = symbols::name::<L>(m.space, function_name::<L>(m.space, m.func)).to_string();
    let offset = pc.wrapping_sub(m.func.byte().0);
    memory::say_on_fault(format!("runner: in {name}, code that cannot be read"));
    if offset < 0x1_0000 {
        eprintln!("runner: in {name} + {offset:#o}: {}", Instruction::<L>::at(m.space, ByteAddr(pc)));
    } else {
        eprintln!("runner: in {name}");
    }
    memory::say_on_fault("runner: the other callers cannot be read".into());
}

/// Says where Lisp was when it touched what it does not have.
#[expect(unsafe_code, reason = "a fault handler finds the machine again")]
fn report_fault<L: Layout>(address: Option<LispPtr>, maybe_pc: usize) {
    if let Some(address) = address {
        eprintln!(
            "runner: Lisp touched {address:?} (word {:#x}, page {:#x}), which neither the image nor the allocator gave",
            address.0,
            address.page().0
        );
    }
    // SAFETY: null, or the machine that `start` of this very layout leaked; its thread is in this handler.
    let Some(m) = (unsafe { MACHINE.load(Ordering::Acquire).cast::<Machine<L>>().as_ref() }) else {
        return eprintln!("runner: in no function yet: the machine was looking for its symbols");
    };
    let instructions = INSTRUCTIONS.load(Ordering::Relaxed);
    if instructions > 0 {
        eprintln!("runner: at instruction {instructions}");
    }
    // While stepping the registers are in the machine; in threaded code the pc may still be in its native register.
    let in_function = |pc: u32| pc.wrapping_sub(m.func.byte().0) < 0x1_0000;
    let pc = if in_function(maybe_pc as u32) { maybe_pc as u32 } else { m.regs.pc };
    report(m, pc);
}
