//! Not built yet.

use crate::dispatch::Flow;
use crate::error::MachineError;
use crate::layout::Layout;
use crate::machine::{Machine, Regs};

/// Not built yet.
#[inline(always)]
pub(crate) fn context_switch<L: Layout>(m: &mut Machine<L>, _r: &mut Regs) -> Flow {
    m.fatal(MachineError::NotBuilt { what: "context::context_switch" })
}

/// Not built yet.
pub(crate) fn slow_return<L: Layout>(m: &mut Machine<L>, _r: &mut Regs) -> Result<(), Flow> {
    Err(m.fatal(MachineError::NotBuilt { what: "context::slow_return" }))
}
