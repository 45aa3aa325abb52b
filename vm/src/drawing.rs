//! Not built yet.

use crate::dispatch::Flow;
use crate::error::MachineError;
use crate::layout::Layout;
use crate::machine::{Machine, Regs};

/// Not built yet.
#[inline(always)]
pub(crate) fn draw_line<L: Layout>(m: &mut Machine<L>, _r: &mut Regs) -> Flow {
    m.fatal(MachineError::NotBuilt { what: "drawing::draw_line" })
}
