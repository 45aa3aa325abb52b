//! Not built yet.

use crate::dispatch::Flow;
use crate::error::MachineError;
use crate::layout::Layout;
use crate::machine::{Machine, Regs};

/// Not built yet.
#[inline(always)]
pub(crate) fn listp<L: Layout>(m: &mut Machine<L>, _r: &mut Regs) -> Flow {
    m.fatal(MachineError::NotBuilt { what: "objects::listp" })
}

/// Not built yet.
#[inline(always)]
pub(crate) fn ntypx<L: Layout>(m: &mut Machine<L>, _r: &mut Regs) -> Flow {
    m.fatal(MachineError::NotBuilt { what: "objects::ntypx" })
}

/// Not built yet.
#[inline(always)]
pub(crate) fn typep<L: Layout>(m: &mut Machine<L>, _r: &mut Regs) -> Flow {
    m.fatal(MachineError::NotBuilt { what: "objects::typep" })
}

/// Not built yet.
#[inline(always)]
pub(crate) fn dtest<L: Layout>(m: &mut Machine<L>, _r: &mut Regs) -> Flow {
    m.fatal(MachineError::NotBuilt { what: "objects::dtest" })
}

/// Not built yet.
#[inline(always)]
pub(crate) fn create_cell<L: Layout>(m: &mut Machine<L>, _r: &mut Regs) -> Flow {
    m.fatal(MachineError::NotBuilt { what: "objects::create_cell" })
}

/// Not built yet.
#[inline(always)]
pub(crate) fn type_mask<L: Layout>(m: &mut Machine<L>, _r: &mut Regs) -> Flow {
    m.fatal(MachineError::NotBuilt { what: "objects::type_mask" })
}

/// Not built yet.
#[inline(always)]
pub(crate) fn atom_cell<L: Layout>(m: &mut Machine<L>, _r: &mut Regs) -> Flow {
    m.fatal(MachineError::NotBuilt { what: "objects::atom_cell" })
}

/// Not built yet.
#[inline(always)]
pub(crate) fn instancep<L: Layout>(m: &mut Machine<L>, _r: &mut Regs) -> Flow {
    m.fatal(MachineError::NotBuilt { what: "objects::instancep" })
}
