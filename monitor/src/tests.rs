//! The monitor on the test image, and on a machine with nothing in it.

extern crate std;
use super::*;
use core::ops::ControlFlow;
use std::format;
use std::string::String;
use std::vec::Vec;
use vm::address::LispPage;
use vm::layout::{Medley2, Medley35};
use vm::platform::InputEvent;
use vm::startup;
use vm::testing::{self, Fixture};

/// Surroundings where everything is there, and which write down what they are asked to do.
#[derive(Default)]
struct World {
    armed: Vec<Watched>,
    forgiving: bool,
}

impl Surroundings for World {
    fn has(&self, page: LispPage) -> bool {
        page.0 < 0x8000
    }
    fn page(&self, number: u32) -> PageState {
        let pages = if number < 64 || number == 576 { 8 } else { 0 };
        PageState { pages, resident: number < 32, written: number < 16 }
    }
    fn forgive(&mut self, on: bool) {
        assert_ne!(self.forgiving, on, "forgiving is switched on and off");
        self.forgiving = on;
    }
    fn paging(&mut self, out: &mut dyn Write) -> fmt::Result {
        writeln!(out, "no faults")
    }
    fn devices(&mut self, out: &mut dyn Write) -> fmt::Result {
        writeln!(out, "no devices")
    }
}

/// A machine, its monitor, and what is printed.
struct Bench<L: Layout> {
    m: Fixture<L>,
    world: World,
    monitor: Monitor,
}

impl<L: Layout> Bench<L> {
    fn new(m: Fixture<L>) -> Self {
        Bench { m, world: World::default(), monitor: Monitor::new() }
    }

    fn run(&mut self, line: &str) -> (Verdict, String) {
        let mut out = String::new();
        let verdict = self.monitor.command(&mut self.m.machine, &mut self.world, &mut out, line);
        (verdict, out)
    }

    /// What a command prints that must leave the machine where it is.
    fn say(&mut self, line: &str) -> String {
        let (verdict, out) = self.run(line);
        assert_eq!(verdict, Verdict::Stay, "{line}: {out}");
        out
    }

    #[track_caller]
    fn expect(&mut self, line: &str, texts: &[&str]) -> String {
        let out = self.say(line);
        for text in texts {
            assert!(out.contains(text), "{line} does not say {text:?}:\n{out}");
        }
        out
    }
}

/// The image after a while; `None` without one.
fn image() -> Option<Bench<Medley2>> {
    let mut m = testing::image::<Medley2>()?;
    m.machine.start(&startup::Session::default()).unwrap();
    let exit = m.machine.run_stepping(300_000);
    assert_eq!(exit, Exit::Steps);
    Some(Bench::new(m))
}

#[test]
fn commands_are_found() {
    let name = |word| commands::find::<Medley2>(word).map(|command| command.name);
    // One letter is URaid's, and capitals matter there.
    assert_eq!(name("M"), Some("registers"));
    assert_eq!(name("m"), Some("move"));
    assert_eq!(name("c"), Some("check"));
    assert_eq!(name("q"), Some("go"));
    assert_eq!(name("reg"), Some("registers"));
    assert_eq!(name("st"), None);
    assert_eq!(name("ste"), Some("step"));
    assert_eq!(name("nonsense"), None);
    let all = commands::all::<Medley35>();
    for (i, command) in all.iter().enumerate() {
        assert!(all[..i].iter().all(|other| other.name != command.name), "{} twice", command.name);
        let letter = command.letter;
        assert!(letter.is_none() || all[..i].iter().all(|other| other.letter != letter), "{letter:?} twice");
    }
    // The reference's summary, and what it does not list but has.
    for letter in "cCfklaBFdMmOtpwx@<ehqsv(!?".chars() {
        assert!(all.iter().any(|command| command.letter == Some(letter)), "URaid's {letter} is missing");
    }
}

#[test]
fn the_book_has_every_command() {
    let book = include_str!("../../docs/monitor.md");
    for command in commands::all::<Medley2>() {
        let row = format!("| `{}", command.name);
        assert!(command.name == "next-frame" || book.contains(&row), "docs/monitor.md has no row {row:?}");
    }
}

/// Everything at once on a machine with nothing but zeroes: nothing is found, nothing hangs or fails.
fn nothing_there<L: Layout>() {
    let mut bench = Bench::new(testing::machine::<L>());
    for command in commands::all::<L>() {
        if matches!(command.name, "step" | "next" | "finish" | "until" | "go" | "continue" | "reset") {
            continue;
        }
        for arguments in ["", "0", "123456", "NIL", "{1,2}", "1 2", "nonsense", "a b c d", "a b c d e f g"] {
            bench.say(&format!("{} {arguments}", command.name));
        }
    }
    bench.say("");
    assert_eq!(bench.run("go").0, Verdict::Go);
    assert_eq!(bench.run("off now").0, Verdict::Off);
    bench.monitor.bury();
    bench.expect("go", &["cannot go on"]);
    bench.expect("reset off", &["usage: reset\n"]);
    bench.expect("step", &["cannot go on"]);
}

#[test]
fn an_empty_machine_is_no_danger() {
    nothing_there::<Medley2>();
    nothing_there::<Medley35>();
}

#[test]
fn looking_at_the_image() {
    let Some(mut bench) = image() else { return };
    bench.expect("M", &["tos", "sp", "pvar", "at  "]);
    let chain = bench.expect("stack", &["   0  ", "frame"]);
    assert!(chain.lines().count() > 3, "{chain}");
    bench.expect("f 0", &["flags c", "basic frame"]);
    bench.expect("", &["frame "]);
    bench.expect("check", &["the stack is sound"]);
    bench.expect("blocks", &["free", "frame of", "arguments"]);
    bench.expect("code", &[">"]);
    bench.expect("code \\INTERRUPTFRAME", &["\\INTERRUPTFRAME at", "RETURN"]);
    // A function ends with its last instruction, whatever is behind that; and its block is as a new image has it.
    let code = bench.expect("code CL:CAR", &["CL:CAR", "1 argument,"]);
    assert!(code.ends_with("RETURN\n"), "{code}");
    bench.expect("block func", &["in use, Code, trailer sound"]);
    bench.expect("symbol NIL", &["NIL: symbol 0x0", "NIL"]);
    bench.expect("symbol car", &["CAR: symbol", "code of"]);
    bench.expect("a \\MAXTYPENUMBER", &[]);
    bench.expect("d \\INTERRUPTFRAME", &["code of \\INTERRUPTFRAME"]);
    bench.expect("a no-such-thing", &["no symbol no-such-thing"]);
    bench.expect("show @*PACKAGE*", &["PACKAGE", "references"]);
    bench.expect("t 0", &["LITATOM"]);
    bench.expect("t {16,5}", &["SMALLP"]);
    bench.expect("O {16,5}", &["5"]);
    bench.expect("words 60000 10", &["060000", "060008", "15e3"]);
    bench.expect("words", &["060010"]);
    bench.expect("words 999999", &["Lisp has no page"]);
    bench.expect("cells 60000 2", &["060002"]);
    bench.expect("pages", &["stack", "screen", "no faults"]);
    bench.expect("map", &["0000000 #"]);
    bench.expect("storage", &["collector: after", "counts:", "arrays:"]);
    bench.expect("types 5", &["LISTP", "made so far"]);
    bench.expect("free", &["blocks"]);
    bench.expect("devices", &["no devices", "Lisp's keys"]);
    bench.expect("help", &["URaid", "watch"]);
    bench.expect("help step", &["carry out instructions"]);
    bench.expect("link c", &["Control"]);
    bench.expect("( 1", &["1 deep"]);
    bench.expect("off", &["off now"]);
    bench.expect("s", &["no shell"]);
}

#[test]
fn stepping_and_places() {
    let Some(mut bench) = image() else { return };
    let before = bench.m.machine.regs;
    bench.expect("step", &["at  "]);
    assert_ne!(bench.m.machine.regs, before);
    let out = bench.say("step 10");
    assert_eq!(out.lines().count(), 10, "{out}");
    // Places: run to one, stop there again, and not any more. Lisp's scheduler goes round.
    bench.expect("until BLOCK", &["at  BLOCK+"]);
    bench.expect("stop BLOCK", &["place 0: BLOCK"]);
    let Bench { m, world, monitor } = &mut bench;
    let exit = monitor.resume(&mut m.machine, world);
    assert!(monitor.note(exit));
    let mut out = String::new();
    monitor.greet(&mut m.machine, world, &mut out);
    assert!(out.contains("place 0") && out.contains("at  BLOCK+"), "{out}");
    // A list of places says what their making said; what is not there cannot be taken away.
    let second = bench.say("stop BLOCK");
    assert_eq!(bench.say("stop"), second.replace("place 1", "place 0") + &second);
    bench.expect("clear 2", &["there is no such place"]);
    bench.expect("clear 0", &["1 place left"]);
    bench.expect("clear 0", &["there is no such place"]);
    bench.expect("clear", &["0 places left"]);
    // In BLOCK; its end is in its caller, and stepping over calls does not lead away from here.
    let caller = bench.m.machine.frames().nth(1).unwrap().name;
    let name = symbols::name::<Medley2>(bench.m.machine.space, caller);
    bench.expect("next", &["at  BLOCK+"]);
    bench.expect("finish", &[&format!("at  {name}+")]);
}

#[test]
fn watching_a_variable() {
    let Some(mut bench) = image() else { return };
    // Lisp goes from process to process, round and round.
    bench.expect("watch \\RUNNING.PROCESS", &["watch 0"]);
    bench.expect("watch", &["watch 0"]);
    let Bench { m, world, monitor } = &mut bench;
    let exit = monitor.resume(&mut m.machine, world);
    assert_eq!(exit, Exit::Stopped);
    assert!(monitor.note(exit));
    let mut out = String::new();
    monitor.greet(&mut m.machine, world, &mut out);
    for text in ["watch 0", "old", "new", "by  "] {
        assert!(out.contains(text), "no {text:?}:\n{out}");
    }
    assert!(world.armed.is_empty());
    bench.expect("unwatch 1", &["there is no such watch"]);
    bench.expect("unwatch", &["0 watches left"]);
    // A value that never comes, and then somebody wants to look.
    bench.expect("watch \\RUNNING.PROCESS 12345678", &["watch 0"]);
    bench.m.world().input.push_back(InputEvent::Stop);
    bench.m.machine.attention.request();
    let Bench { m, world, monitor } = &mut bench;
    let exit = monitor.resume(&mut m.machine, world);
    assert_eq!(exit, Exit::Stopped);
    assert!(monitor.note(exit));
    bench.expect("why", &["somebody asked"]);
}

#[test]
fn changing_things() {
    let Some(mut bench) = image() else { return };
    bench.expect("@ \\GCDISABLED 17", &["it was NIL, and is 17"]);
    bench.expect("a \\GCDISABLED", &["17"]);
    bench.expect("@ \\GCDISABLED NIL", &["it was 17, and is NIL"]);
    bench.expect("< 60000 123", &["and is 0123"]);
    bench.expect("x 60000 1", &["0123"]);
    bench.expect("m CAR FOO-NOBODY-HAS", &["no symbol"]);
    bench.expect("m CL:CDR CL:CAR", &["CL:CAR has the definition of CL:CDR now"]);
    bench.expect("d CL:CAR", &["code of CL:CDR"]);
}

/// Fifty thousand instructions, and a look at the input before one of them; where the machine is then.
fn run_with(event: Option<InputEvent>) -> Option<(vm::machine::Regs, LispPtr, u32)> {
    let mut bench = image()?;
    bench.m.world().input.extend(event);
    let (mut done, mut runs, mut acted) = (0, 0, false);
    while done < 50_000 {
        let mut here = 0;
        let exit = bench.m.machine.run_watched(|m, n| {
            here = n;
            if done + n == 20_000 && !acted {
                acted = true;
                m.attention.request();
            }
            if done + n < 50_000 { ControlFlow::Continue(()) } else { ControlFlow::Break(()) }
        });
        assert!(matches!(exit, Exit::Steps | Exit::Stopped));
        done += here;
        runs += 1;
    }
    Some((bench.m.machine.regs, bench.m.machine.func, runs))
}

#[test]
fn a_stop_from_outside_loses_nothing() {
    let Some(straight) = run_with(None) else { return };
    let stopped = run_with(Some(InputEvent::Stop)).unwrap();
    assert_eq!((straight.0, straight.1), (stopped.0, stopped.1));
    assert_eq!((straight.2, stopped.2), (1, 2));
}
