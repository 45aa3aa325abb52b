//! Letting the machine run: on, by steps, to a place, until something changes.
//!
//! | what is waited for | how |
//! |---|---|
//! | nothing | `Machine::run`, as ever |
//! | watched words | `Machine::run`, if the surroundings notice writes ([`Surroundings::arm`]) |
//! | a place, the end of a function, so many steps | one instruction at a time, which is several times slower |
//!
//! While instructions are looked at one by one, watched words are compared after each.

use crate::surroundings::{MOST_WATCHES, Surroundings, Watched};
use crate::{Answer, Change, MOST_STOPS, Monitor, Problem, Reason, Session, Verdict, arguments};
use core::fmt;
use core::ops::ControlFlow;
use vm::address::LispPtr;
use vm::inspect::function_name;
use vm::layout::Layout;
use vm::machine::{Exit, Machine};
use vm::memory::Space;

/// Steps that are shown one by one.
const MOST_SHOWN: u32 = 100;

/// A cell that is watched.
#[derive(Clone, Copy, PartialEq, Eq, Debug)]
pub(crate) struct Watch {
    pub(crate) at: LispPtr,
    /// What it held when the machine went on.
    old: u32,
    /// Stop only if it becomes this.
    wanted: Option<u32>,
}

impl Watch {
    /// The change, if there is one to stop for.
    fn look(&self, space: Space) -> Option<(u32, u32)> {
        let new = space.cell(self.at);
        (new != self.old && self.wanted.is_none_or(|wanted| wanted == new)).then_some((self.old, new))
    }
}

/// An instruction to stop at.
#[derive(Clone, Copy, PartialEq, Eq, Debug)]
pub(crate) struct Stop {
    /// The header of its function.
    function: LispPtr,
    /// Its byte address.
    pc: u32,
}

/// What ends a run besides the places and changes that are waited for anyway.
#[derive(Clone, Copy)]
enum Until {
    /// So many instructions.
    Steps(u32),
    /// One of these frames runs: PVARs and function.
    Frame([Option<(u32, LispPtr)>; 2]),
    /// This instruction.
    Place(u32),
    /// Nothing.
    Forever,
}

impl Monitor {
    /// Runs Lisp until there is something for [`Monitor::note`].
    pub fn resume<L: Layout>(&mut self, m: &mut Machine<L>, world: &mut dyn Surroundings) -> Exit {
        self.reason = Reason::None;
        if self.stops.iter().flatten().next().is_some() {
            return self.run_looking(m, Until::Forever, |_| {});
        }
        if self.watches.iter().flatten().next().is_none() {
            return m.run();
        }
        loop {
            self.remember(m.space);
            let mut watched = [Watched { at: LispPtr::NIL, words: 2 }; MOST_WATCHES];
            let mut numbers = [0; MOST_WATCHES];
            let mut count = 0;
            for (number, watch) in self.watches.iter().enumerate() {
                if let Some(watch) = watch {
                    watched[count].at = watch.at;
                    numbers[count] = number;
                    count += 1;
                }
            }
            if !world.arm(&watched[..count]) {
                return self.run_looking(m, Until::Forever, |_| {});
            }
            let exit = m.run();
            world.disarm();
            if exit != Exit::Stopped {
                return exit;
            }
            let Some(hit) = world.take_hit() else { return exit };
            let number = numbers[hit.watch];
            let change = self.watches[number].as_ref().and_then(|watch| watch.look(m.space));
            if let Some((old, new)) = change {
                self.reason = Reason::Changed(Change { watch: number, old, new, pc: hit.pc.0, function: hit.function });
                return exit;
            }
        }
    }

    /// Notes what watched words hold now.
    fn remember(&mut self, space: Space) {
        for watch in self.watches.iter_mut().flatten() {
            watch.old = space.cell(watch.at);
        }
    }

    /// Runs instruction by instruction, and looks after each.
    fn run_looking<L: Layout>(
        &mut self,
        m: &mut Machine<L>,
        until: Until,
        mut each: impl FnMut(&mut Machine<L>),
    ) -> Exit {
        self.reason = Reason::None;
        self.remember(m.space);
        let mut before = (m.regs.pc, m.func);
        let mut seen = 0;
        let mut ended = false;
        let exit = m.run_watched(|m, completed| {
            // The first is the one that the machine stands at; one that was broken off comes up again.
            if completed == seen {
                before = (m.regs.pc, m.func);
                return ControlFlow::Continue(());
            }
            seen = completed;
            each(m);
            for (watch, place) in self.watches.iter().enumerate() {
                if let Some((old, new)) = place.as_ref().and_then(|place| place.look(m.space)) {
                    let (pc, function) = before;
                    self.reason = Reason::Changed(Change { watch, old, new, pc, function });
                    return ControlFlow::Break(());
                }
            }
            if let Some(number) = self.stops.iter().position(|stop| stop.is_some_and(|stop| stop.pc == m.regs.pc)) {
                self.reason = Reason::Place(number);
                return ControlFlow::Break(());
            }
            ended = match until {
                Until::Steps(steps) => completed >= steps.into(),
                Until::Frame(frames) => frames.contains(&Some((m.regs.pvar, m.func))),
                Until::Place(pc) => m.regs.pc == pc,
                Until::Forever => false,
            };
            before = (m.regs.pc, m.func);
            if ended { ControlFlow::Break(()) } else { ControlFlow::Continue(()) }
        });
        // Breaking off looks like having done all steps.
        if exit == Exit::Steps { Exit::Stopped } else { exit }
    }

    /// A run within a command: says where it got to.
    fn run_for<'t, L: Layout>(&mut self, s: &mut Session<'_, L>, until: Until) -> Answer<'t> {
        if self.dead {
            return Err(Problem::Because("the machine cannot go on"));
        }
        s.world.forgive(false);
        let exit = match until {
            Until::Steps(2..=MOST_SHOWN) => {
                let Session { m, out, .. } = s;
                let mut shown = Ok(());
                let exit = self.run_looking(*m, until, |m| {
                    let mut s = Session { m, world: &mut Nothing, out: *out };
                    shown = shown.and_then(|()| s.whereabouts());
                });
                shown?;
                exit
            }
            _ => self.run_looking(s.m, until, |_| {}),
        };
        s.world.forgive(true);
        self.frame = None;
        match exit {
            Exit::Stopped => {
                self.say_why(s)?;
                if !matches!(until, Until::Steps(2..=MOST_SHOWN)) || self.reason != Reason::None {
                    s.whereabouts()?;
                }
                Ok(Verdict::Stay)
            }
            Exit::Fatal(_) => {
                self.note(exit);
                self.say_why(s)?;
                s.whereabouts()?;
                Ok(Verdict::Stay)
            }
            end => Ok(Verdict::End(end)),
        }
    }

    /// `go`
    pub(crate) fn go<'t, L: Layout>(&mut self, _: &mut Session<'_, L>, _: &[&'t str]) -> Answer<'t> {
        if self.dead {
            return Err(Problem::Because("the machine cannot go on; off switches it off"));
        }
        Ok(Verdict::Go)
    }

    /// `step [COUNT]`
    pub(crate) fn step<'t, L: Layout>(&mut self, s: &mut Session<'_, L>, words: &[&'t str]) -> Answer<'t> {
        let steps = match *words {
            [] => 1,
            [count] => arguments::number(count)?.max(1),
            _ => return Err(Problem::Usage),
        };
        self.run_for(s, Until::Steps(steps))
    }

    /// `next`
    pub(crate) fn next<'t, L: Layout>(&mut self, s: &mut Session<'_, L>, _: &[&'t str]) -> Answer<'t> {
        let here = Some((s.m.regs.pvar, s.m.func));
        let caller = self.caller(s);
        self.run_for(s, Until::Frame([here, caller]))
    }

    /// `finish`
    pub(crate) fn finish<'t, L: Layout>(&mut self, s: &mut Session<'_, L>, _: &[&'t str]) -> Answer<'t> {
        let caller = self.caller(s);
        if caller.is_none() {
            return Err(Problem::Because("this is the outermost frame"));
        }
        self.run_for(s, Until::Frame([caller, None]))
    }

    /// The frame that the running one returns to.
    fn caller<L: Layout>(&self, s: &Session<'_, L>) -> Option<(u32, LispPtr)> {
        let links = vm::inspect::stack::LinkKind::Control;
        let caller = s.m.chain(s.m.running_frame(), links).nth(1)?;
        Some((caller.at.ptr().0 + 10, caller.header))
    }

    /// `until PLACE`
    pub(crate) fn until<'t, L: Layout>(&mut self, s: &mut Session<'_, L>, words: &[&'t str]) -> Answer<'t> {
        let [place] = *words else { return Err(Problem::Usage) };
        let (_, pc) = s.instruction(place)?;
        self.run_for(s, Until::Place(pc))
    }

    /// `stop [PLACE]`
    pub(crate) fn stop<'t, L: Layout>(&mut self, s: &mut Session<'_, L>, words: &[&'t str]) -> Answer<'t> {
        match *words {
            [] => {
                for number in 0..MOST_STOPS {
                    self.show_stop(s, number)?;
                }
            }
            [place] => {
                let (function, pc) = s.instruction(place)?;
                s.check(LispPtr(pc >> 1))?;
                let free = self.stops.iter().position(Option::is_none);
                let number = free.ok_or(Problem::Because("sixteen places are enough; clear takes one away"))?;
                self.stops[number] = Some(Stop { function, pc });
                self.show_stop(s, number)?;
            }
            _ => return Err(Problem::Usage),
        }
        Ok(Verdict::Stay)
    }

    fn show_stop<L: Layout>(&self, s: &mut Session<'_, L>, number: usize) -> core::fmt::Result {
        let Some(Stop { function, pc }) = self.stops[number] else { return Ok(()) };
        let name = s.name(function_name::<L>(s.m.space, function));
        writeln!(s.out, "place {number}: {name}+{:#o}", pc.wrapping_sub(function.byte().0))
    }

    /// `clear [NUMBER]`
    pub(crate) fn clear<'t, L: Layout>(&mut self, s: &mut Session<'_, L>, words: &[&'t str]) -> Answer<'t> {
        match *words {
            [] => self.stops = [None; MOST_STOPS],
            [number] => {
                let place = self.stops.get_mut(arguments::number(number)? as usize).and_then(Option::take);
                place.ok_or(Problem::Because("there is no such place; stop lists them"))?;
            }
            _ => return Err(Problem::Usage),
        }
        let left = self.stops.iter().flatten().count();
        writeln!(s.out, "{left} place{} left", crate::plural(left as u32))?;
        Ok(Verdict::Stay)
    }

    /// `watch [ADDRESS|SYMBOL [VALUE]]`
    pub(crate) fn watch<'t, L: Layout>(&mut self, s: &mut Session<'_, L>, words: &[&'t str]) -> Answer<'t> {
        let (place, wanted) = match *words {
            [] => {
                for number in 0..MOST_WATCHES {
                    self.show_watch::<L>(s, number)?;
                }
                return Ok(Verdict::Stay);
            }
            [place] => (place, None),
            [place, value] => (place, Some(arguments::hexadecimal_number(value)?)),
            _ => return Err(Problem::Usage),
        };
        let at = LispPtr(s.place(place)?.0 & !1);
        s.check(at)?;
        let free = self.watches.iter().position(Option::is_none);
        let number = free.ok_or(Problem::Because("eight watches are enough; unwatch takes one away"))?;
        let old = s.m.space.cell(at);
        self.watches[number] = Some(Watch { at, old, wanted });
        self.show_watch::<L>(s, number)?;
        Ok(Verdict::Stay)
    }

    /// A line about a watch, if there is one of this number: where, and what is there now.
    fn show_watch<L: Layout>(&self, s: &mut Session<'_, L>, number: usize) -> fmt::Result {
        let Some(Watch { at, wanted, .. }) = self.watches[number] else { return Ok(()) };
        let cell = s.m.space.cell(at);
        write!(s.out, "watch {number}: {at:?} (word {:#x})  {cell:08x}  {}", at.0, self.printed::<L>(s, cell))?;
        match wanted {
            Some(wanted) => writeln!(s.out, ", until it is {wanted:08x}  {}", self.printed::<L>(s, wanted)),
            None => writeln!(s.out),
        }
    }

    /// `unwatch [NUMBER]`
    pub(crate) fn unwatch<'t, L: Layout>(&mut self, s: &mut Session<'_, L>, words: &[&'t str]) -> Answer<'t> {
        match *words {
            [] => self.watches = [None; MOST_WATCHES],
            [number] => {
                let place = self.watches.get_mut(arguments::number(number)? as usize).and_then(Option::take);
                place.ok_or(Problem::Because("there is no such watch; watch lists them"))?;
            }
            _ => return Err(Problem::Usage),
        }
        let left = self.watches.iter().flatten().count();
        writeln!(s.out, "{left} watch{} left", if left == 1 { "" } else { "es" })?;
        Ok(Verdict::Stay)
    }

    /// `reset`
    pub(crate) fn reset<'t, L: Layout>(&mut self, s: &mut Session<'_, L>, _: &[&'t str]) -> Answer<'t> {
        // A reset is what may help a machine whose stack is full; one with a damaged heap stays dead.
        if self.dead && self.reason != Reason::Error(vm::error::MachineError::StackExhausted) {
            return Err(Problem::Because("the machine cannot go on; off switches it off"));
        }
        if !s.m.reset_hard() {
            return Err(Problem::Because("the image has no frame to begin anew in"));
        }
        self.dead = false;
        writeln!(s.out, "hard reset: Lisp begins anew with the stack, and keeps all else")?;
        Ok(Verdict::Go)
    }

    /// `off`
    pub(crate) fn off<'t, L: Layout>(&mut self, s: &mut Session<'_, L>, words: &[&'t str]) -> Answer<'t> {
        match *words {
            ["now"] => Ok(Verdict::Off),
            [] => {
                writeln!(s.out, "nothing would be saved; off now does it")?;
                Ok(Verdict::Stay)
            }
            _ => Err(Problem::Usage),
        }
    }

    /// `why`
    pub(crate) fn why<'t, L: Layout>(&mut self, s: &mut Session<'_, L>, _: &[&'t str]) -> Answer<'t> {
        self.say_why(s)?;
        Ok(Verdict::Stay)
    }

    /// `shell`
    pub(crate) fn shell<'t, L: Layout>(&mut self, _: &mut Session<'_, L>, _: &[&'t str]) -> Answer<'t> {
        Err(Problem::Because("there is no shell: below the monitor is only the hardware"))
    }
}

/// Surroundings that know nothing: what prints an instruction needs none.
struct Nothing;

impl Surroundings for Nothing {
    fn has(&self, _: vm::address::LispPage) -> bool {
        true
    }
    fn page(&self, _: u32) -> crate::PageState {
        crate::PageState::default()
    }
    fn forgive(&mut self, _: bool) {}
    fn paging(&mut self, _: &mut dyn core::fmt::Write) -> core::fmt::Result {
        Ok(())
    }
    fn devices(&mut self, _: &mut dyn core::fmt::Write) -> core::fmt::Result {
        Ok(())
    }
}
