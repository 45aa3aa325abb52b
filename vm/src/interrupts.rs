//! Interrupts and the stack limit.

use crate::dispatch::Flow;
use crate::error::MachineError;
use crate::layout::Layout;
use crate::machine::{Machine, Regs};

/// Looks why attention was asked for: stack overflow, keyboard, timer, collector, Lisp's own interrupts.
pub(crate) fn check<L: Layout>(m: &mut Machine<L>, _r: &mut Regs) -> Flow {
    if m.exit.is_some() {
        return Flow::Exit;
    }
    m.fatal(MachineError::NotBuilt { what: "interrupts::check" })
}
