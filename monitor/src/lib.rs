//! The monitor: a person looks into a machine that stands still, below Lisp and without its help.
//!
//! ```text
//!   keyboard, serial line   --> editor --> a line --> Monitor::command --> text to screen and serial line
//!   (kernel), or stdin (runner)                            |
//!                                                          +--> vm::inspect   registers, frames, values, storage
//!                                                          +--> Surroundings  pages, devices, watched addresses
//!                                                          +--> Machine       a step, a run to some place
//! ```
//!
//! Nothing here touches a device, so the host runner and unit tests use the same monitor as the kernel. Whoever runs a
//! machine calls [`Monitor::resume`] instead of `Machine::run`. When that comes back with something for a person to look
//! at, it calls [`Monitor::greet`], then [`Monitor::command`] with each line until the verdict is to go on.
//!
//! The commands are in one table, [`commands`]; one letter is a command of the reference emulator's debugger URaid. What
//! is printed may come from damaged memory: [`Surroundings::forgive`] makes pages that do not exist read as zeroes while
//! a person looks, and every walk ends.
#![no_std]
#![forbid(unsafe_code)]

mod arguments;
mod code;
pub mod commands;
pub mod editor;
mod objects;
mod pages;
mod running;
mod stack;
mod storage;
mod surroundings;
#[cfg(test)]
mod tests;

pub use surroundings::{Hit, PageState, Surroundings, Watched};

use core::fmt::{self, Write};
use vm::address::{AtomIndex, LispPtr, StackOffset};
use vm::error::MachineError;
use vm::inspect::print::{Limits, Printed};
use vm::inspect::stack::LinkKind;
use vm::layout::Layout;
use vm::machine::{Exit, Machine};
use vm::symbols;

/// Most places where the machine shall stop.
const MOST_STOPS: usize = 16;

/// What to do after a command.
#[derive(Clone, Copy, PartialEq, Eq, Debug)]
pub enum Verdict {
    /// Ask for another.
    Stay,
    /// Let Lisp go on: [`Monitor::resume`].
    Go,
    /// Lisp came to its end while the command ran it.
    End(Exit),
    /// Switch the machine off. Nothing is saved.
    Off,
}

/// What a command's function gives.
type Answer<'a> = Result<Verdict, Problem<'a>>;

/// Why a command did nothing.
#[derive(Clone, Copy, PartialEq, Eq, Debug)]
enum Problem<'a> {
    /// Nobody to write to.
    Output,
    /// Not called like this.
    Usage,
    /// This is no address.
    NoAddress(&'a str),
    /// This is no number.
    NoNumber(&'a str),
    /// The image has no such symbol.
    NoSymbol(&'a str),
    /// The symbol has no compiled function.
    NoCode(&'a str),
    /// Lisp has no page there.
    NoPage(LispPtr),
    /// A sentence.
    Because(&'static str),
}

impl From<fmt::Error> for Problem<'_> {
    fn from(_: fmt::Error) -> Self {
        Problem::Output
    }
}

/// What a command has at hand.
struct Session<'a, L: Layout> {
    m: &'a mut Machine<L>,
    world: &'a mut dyn Surroundings,
    out: &'a mut dyn Write,
}

/// Why the machine stands still.
#[derive(Clone, Copy, PartialEq, Eq, Debug)]
enum Reason {
    /// Nobody knows yet.
    None,
    /// Somebody asked.
    Asked,
    /// A place that was asked for.
    Place(usize),
    /// A watched address changed.
    Changed(Change),
    /// An error.
    Error(MachineError),
}

/// A change of a watched address.
#[derive(Clone, Copy, PartialEq, Eq, Debug)]
struct Change {
    watch: usize,
    old: u32,
    new: u32,
    /// Byte address of the instruction, and its function.
    pc: u32,
    function: LispPtr,
}

/// A monitor, for the life of a machine.
pub struct Monitor {
    reason: Reason,
    /// Byte addresses of instructions to stop at.
    stops: [Option<running::Stop>; MOST_STOPS],
    watches: [Option<running::Watch>; surroundings::MOST_WATCHES],
    /// The frame that `frame`, `variables` and the empty line are about.
    frame: Option<StackOffset>,
    link: LinkKind,
    limits: Limits,
    /// Where the last dump ended.
    next: LispPtr,
    /// The machine cannot go on.
    dead: bool,
}

impl Default for Monitor {
    fn default() -> Self {
        Self::new()
    }
}

impl Monitor {
    /// A monitor that waits for nothing.
    pub const fn new() -> Self {
        Monitor {
            reason: Reason::None,
            stops: [None; MOST_STOPS],
            watches: [None; surroundings::MOST_WATCHES],
            frame: None,
            link: LinkKind::Access,
            limits: Limits { depth: 3, elements: 12, characters: 80 },
            next: LispPtr(0),
            dead: false,
        }
    }

    /// Says that the machine will never go on: only looking is left.
    pub fn bury(&mut self) {
        self.dead = true;
    }

    /// Notes how a run ended, and says whether that is something to look at.
    pub fn note(&mut self, exit: Exit) -> bool {
        match exit {
            Exit::Stopped => {
                if !matches!(self.reason, Reason::Place(_) | Reason::Changed(_)) {
                    self.reason = Reason::Asked;
                }
            }
            Exit::Fatal(error) => {
                self.reason = Reason::Error(error);
                // Whoever calls RAID expects to be let go on.
                self.dead |= !matches!(error, MachineError::Raid { .. });
            }
            Exit::Steps | Exit::Logout => return false,
        }
        true
    }

    /// What to show when the machine has stopped.
    pub fn greet<L: Layout>(&mut self, m: &mut Machine<L>, world: &mut dyn Surroundings, out: &mut dyn Write) {
        world.forgive(true);
        self.frame = None;
        let mut s = Session { m, world, out };
        // Without an output there is nobody to tell.
        let _ = self.say_why(&mut s);
        let _ = s.whereabouts();
        let _ = writeln!(s.out, "(? lists the commands{})", if self.dead { "" } else { ", go continues" });
        s.world.forgive(false);
    }

    /// Carries out a line.
    pub fn command<L: Layout>(
        &mut self,
        m: &mut Machine<L>,
        world: &mut dyn Surroundings,
        out: &mut dyn Write,
        line: &str,
    ) -> Verdict {
        world.forgive(true);
        let mut s = Session { m, world, out };
        let verdict = self.carry_out(&mut s, line);
        s.world.forgive(false);
        verdict
    }

    fn carry_out<L: Layout>(&mut self, s: &mut Session<'_, L>, line: &str) -> Verdict {
        let mut words = [""; 6];
        let mut count = 0;
        for word in line.split_ascii_whitespace() {
            if count == words.len() {
                let _ = writeln!(s.out, "too many words");
                return Verdict::Stay;
            }
            words[count] = word;
            count += 1;
        }
        // An empty line shows the next frame, as it does in URaid.
        let word = if count == 0 { "next-frame" } else { words[0] };
        let arguments = &words[count.min(1)..count];
        let Some(command) = commands::find::<L>(word) else {
            let _ = writeln!(s.out, "there is no command {word}; ? lists them");
            return Verdict::Stay;
        };
        // A word too many may be a slip: `reset` or `go` must not carry it out.
        let refused = command.arguments.is_empty() && !arguments.is_empty();
        match if refused { Err(Problem::Usage) } else { (command.action)(self, s, arguments) } {
            Ok(verdict) => verdict,
            Err(problem) => {
                let _ = match problem {
                    Problem::Output => Ok(()),
                    Problem::Usage => {
                        let space = if command.arguments.is_empty() { "" } else { " " };
                        writeln!(s.out, "usage: {}{space}{}", command.name, command.arguments)
                    }
                    Problem::NoAddress(text) => writeln!(
                        s.out,
                        "{text} is no address: those are hexadecimal words, octal halves like {{12,3456}}, @SYMBOL \
                         (its value), or pc, sp, tos, pvar, ivar, func"
                    ),
                    Problem::NoNumber(text) => writeln!(s.out, "{text} is no number"),
                    Problem::NoSymbol(text) => writeln!(s.out, "the image has no symbol {text}"),
                    Problem::NoCode(text) => writeln!(s.out, "{text} has no compiled code"),
                    Problem::NoPage(at) => writeln!(s.out, "Lisp has no page at {at:?} (word {:#x})", at.0),
                    Problem::Because(sentence) => writeln!(s.out, "{sentence}"),
                };
                Verdict::Stay
            }
        }
    }

    fn say_why<L: Layout>(&self, s: &mut Session<'_, L>) -> fmt::Result {
        match self.reason {
            Reason::None => Ok(()),
            Reason::Asked => writeln!(s.out, "stopped: somebody asked for the monitor"),
            Reason::Place(number) => writeln!(s.out, "stopped: place {number}"),
            Reason::Error(error) => writeln!(s.out, "stopped: {error}"),
            Reason::Changed(change) => {
                let at = self.watches[change.watch].map_or(LispPtr::NIL, |watch| watch.at);
                writeln!(s.out, "stopped: watch {} at {at:?} (word {:#x}) changed", change.watch, at.0)?;
                writeln!(s.out, "  old {:08x}  {}", change.old, self.printed::<L>(s, change.old))?;
                writeln!(s.out, "  new {:08x}  {}", change.new, self.printed::<L>(s, change.new))?;
                write!(s.out, "  by  ")?;
                s.instruction_line(change.function, change.pc)
            }
        }
    }

    /// A value, as far as it is to be shown.
    fn printed<L: Layout>(&self, s: &Session<'_, L>, cell: u32) -> Printed<L> {
        Printed::new(s.m.space, cell, self.limits)
    }
}

impl<L: Layout> Session<'_, L> {
    /// Where Lisp is.
    fn whereabouts(&mut self) -> fmt::Result {
        write!(self.out, "at  ")?;
        self.instruction_line(self.m.func, self.m.regs.pc)
    }

    /// A symbol's name.
    fn name(&self, symbol: AtomIndex) -> impl fmt::Display + use<L> {
        symbols::name::<L>(self.m.space, symbol)
    }

    /// Complains if Lisp has no page there.
    fn check<'t>(&self, at: LispPtr) -> Result<(), Problem<'t>> {
        if self.world.has(at.page()) { Ok(()) } else { Err(Problem::NoPage(at)) }
    }
}

/// What a noun needs behind it after a number.
fn plural(count: u32) -> &'static str {
    if count == 1 { "" } else { "s" }
}
