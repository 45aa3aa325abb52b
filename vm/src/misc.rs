//! Not built yet.

use crate::dispatch::Flow;
use crate::error::MachineError;
use crate::layout::Layout;
use crate::machine::{Machine, Regs};

/// Not built yet.
#[inline(always)]
pub(crate) fn miscn<L: Layout>(m: &mut Machine<L>, _r: &mut Regs) -> Flow {
    m.fatal(MachineError::NotBuilt { what: "misc::miscn" })
}

/// Not built yet.
#[inline(always)]
pub(crate) fn misc7<L: Layout>(m: &mut Machine<L>, _r: &mut Regs) -> Flow {
    m.fatal(MachineError::NotBuilt { what: "misc::misc7" })
}

/// Not built yet.
#[inline(always)]
pub(crate) fn rclk<L: Layout>(m: &mut Machine<L>, _r: &mut Regs) -> Flow {
    m.fatal(MachineError::NotBuilt { what: "misc::rclk" })
}

/// Not built yet.
#[inline(always)]
pub(crate) fn misc3<L: Layout>(m: &mut Machine<L>, _r: &mut Regs) -> Flow {
    m.fatal(MachineError::NotBuilt { what: "misc::misc3" })
}

/// Not built yet.
#[inline(always)]
pub(crate) fn misc4<L: Layout>(m: &mut Machine<L>, _r: &mut Regs) -> Flow {
    m.fatal(MachineError::NotBuilt { what: "misc::misc4" })
}
