//! Noticing that Lisp has nothing to do.
//!
//! Lisp's scheduler knows no idleness: each process that waits looks whether its time has come and yields, round and
//! round, and an emulator that just runs this burns a whole processor. An unpatched image shows its idleness like
//! this: a process yields by returning from `BLOCK` or `\BACKGROUND` into *another* process, a slow return. When
//! every process of a round was resumed inside one of the functions that do nothing but wait, nobody typed, and the
//! round was short, the machine may rest until the next event or tick.
//!
//! ```text
//!   ... \TTYBACKGROUND -> \TIMER.PROCESS -> \MOUSE.PROCESS -> \BACKGROUND.PROCESS -> \TTYBACKGROUND ...
//!                                                             a round ends here
//! ```
//!
//! A program that calls `(BLOCK)` itself is resumed somewhere else, which makes the round a busy one.

use crate::address::{AtomIndex, LispPtr};
use crate::inspect::function_name;
use crate::layout::Layout;
use crate::machine::Machine;
use crate::memory::Space;
use crate::symbols;

/// A round that took longer than this had work in it, microseconds.
const LONGEST_IDLE_ROUND: u64 = 5_000;
/// How long to rest at most, microseconds: timers are as fine as Lisp's own tick.
const REST: u32 = 16_000;

/// What the machine knows about the scheduler's present round.
#[derive(Clone, Copy, Debug, Default)]
pub struct Idleness {
    /// Functions that yield.
    yields: [Option<AtomIndex>; 2],
    /// Functions that only wait; the first runs once a round.
    waits: [Option<AtomIndex>; 5],
    /// Somebody did something this round.
    busy: bool,
    /// When the round began, in the platform's microseconds.
    since: u64,
    /// Rests so far.
    pub rests: u64,
}

impl Idleness {
    /// Looks the scheduler's functions up. An image without them is never taken for idle.
    pub fn find<L: Layout>(space: Space) -> Idleness {
        let symbol = |name| symbols::find::<L>(space, name).ok();
        Idleness {
            yields: [symbol("BLOCK"), symbol("\\BACKGROUND")],
            waits: [
                symbol("\\BACKGROUND.PROCESS"),
                symbol("\\TTYBACKGROUND"),
                symbol("\\TIMER.PROCESS"),
                symbol("\\MOUSE.PROCESS"),
                symbol("\\PROMPTFORWORDBIN"),
            ],
            busy: true,
            since: 0,
            rests: 0,
        }
    }

    /// Something happened: this round is no idle one.
    pub fn note_activity(&mut self) {
        self.busy = true;
    }
}

/// A frame of the function `from` returned into another process, to a frame of the function `to`.
pub(crate) fn switched<L: Layout>(m: &mut Machine<L>, from: LispPtr, to: LispPtr) {
    let from = Some(function_name::<L>(m.space, from));
    if !m.idleness.yields.contains(&from) {
        return;
    }
    let to = Some(function_name::<L>(m.space, to));
    if !m.idleness.waits.contains(&to) {
        m.idleness.busy = true;
    } else if to == m.idleness.waits[0] {
        let now = m.platform.microseconds();
        let idle = !m.idleness.busy && now.wrapping_sub(m.idleness.since) < LONGEST_IDLE_ROUND;
        if idle {
            m.idleness.rests += 1;
            m.platform.idle(REST);
            m.attention.request();
        }
        m.idleness.busy = false;
        m.idleness.since = if idle { m.platform.microseconds() } else { now };
    }
}
