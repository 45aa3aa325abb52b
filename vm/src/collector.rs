//! Not built yet.

use crate::dispatch::Flow;
use crate::error::MachineError;
use crate::layout::Layout;
use crate::machine::{Machine, Regs};

/// Not built yet.
#[inline(always)]
pub(crate) fn reclaim_cell_op<L: Layout>(m: &mut Machine<L>, _r: &mut Regs) -> Flow {
    m.fatal(MachineError::NotBuilt { what: "collector::reclaim_cell_op" })
}

/// Not built yet.
#[inline(always)]
pub(crate) fn gc_scan_1<L: Layout>(m: &mut Machine<L>, _r: &mut Regs) -> Flow {
    m.fatal(MachineError::NotBuilt { what: "collector::gc_scan_1" })
}

/// Not built yet.
#[inline(always)]
pub(crate) fn gc_scan_2<L: Layout>(m: &mut Machine<L>, _r: &mut Regs) -> Flow {
    m.fatal(MachineError::NotBuilt { what: "collector::gc_scan_2" })
}

/// One more pointer to this object, if it is counted at all.
pub(crate) fn add_reference<L: Layout>(m: &mut Machine<L>, _cell: u32) {
    m.fail(MachineError::NotBuilt { what: "collector::add_reference" })
}

/// One pointer less to this object, if it is counted at all.
pub(crate) fn delete_reference<L: Layout>(m: &mut Machine<L>, _cell: u32) {
    m.fail(MachineError::NotBuilt { what: "collector::delete_reference" })
}
