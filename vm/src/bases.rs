//! Not built yet.

use crate::dispatch::Flow;
use crate::error::MachineError;
use crate::layout::Layout;
use crate::machine::{Machine, Regs};

/// Not built yet.
#[inline(always)]
pub(crate) fn bin<L: Layout>(m: &mut Machine<L>, _r: &mut Regs) -> Flow {
    m.fatal(MachineError::NotBuilt { what: "bases::bin" })
}

/// Not built yet.
#[inline(always)]
pub(crate) fn get_base_byte<L: Layout>(m: &mut Machine<L>, _r: &mut Regs) -> Flow {
    m.fatal(MachineError::NotBuilt { what: "bases::get_base_byte" })
}

/// Not built yet.
#[inline(always)]
pub(crate) fn blt<L: Layout>(m: &mut Machine<L>, _r: &mut Regs) -> Flow {
    m.fatal(MachineError::NotBuilt { what: "bases::blt" })
}

/// Not built yet.
#[inline(always)]
pub(crate) fn put_base_byte<L: Layout>(m: &mut Machine<L>, _r: &mut Regs) -> Flow {
    m.fatal(MachineError::NotBuilt { what: "bases::put_base_byte" })
}

/// Not built yet.
#[inline(always)]
pub(crate) fn get_base<L: Layout>(m: &mut Machine<L>, _r: &mut Regs) -> Flow {
    m.fatal(MachineError::NotBuilt { what: "bases::get_base" })
}

/// Not built yet.
#[inline(always)]
pub(crate) fn get_base_ptr<L: Layout>(m: &mut Machine<L>, _r: &mut Regs) -> Flow {
    m.fatal(MachineError::NotBuilt { what: "bases::get_base_ptr" })
}

/// Not built yet.
#[inline(always)]
pub(crate) fn get_bits<L: Layout>(m: &mut Machine<L>, _r: &mut Regs) -> Flow {
    m.fatal(MachineError::NotBuilt { what: "bases::get_bits" })
}

/// Not built yet.
#[inline(always)]
pub(crate) fn put_base<L: Layout>(m: &mut Machine<L>, _r: &mut Regs) -> Flow {
    m.fatal(MachineError::NotBuilt { what: "bases::put_base" })
}

/// Not built yet.
#[inline(always)]
pub(crate) fn put_base_ptr<L: Layout>(m: &mut Machine<L>, _r: &mut Regs) -> Flow {
    m.fatal(MachineError::NotBuilt { what: "bases::put_base_ptr" })
}

/// Not built yet.
#[inline(always)]
pub(crate) fn put_bits<L: Layout>(m: &mut Machine<L>, _r: &mut Regs) -> Flow {
    m.fatal(MachineError::NotBuilt { what: "bases::put_bits" })
}

/// Not built yet.
#[inline(always)]
pub(crate) fn add_base<L: Layout>(m: &mut Machine<L>, _r: &mut Regs) -> Flow {
    m.fatal(MachineError::NotBuilt { what: "bases::add_base" })
}

/// Not built yet.
#[inline(always)]
pub(crate) fn vag2<L: Layout>(m: &mut Machine<L>, _r: &mut Regs) -> Flow {
    m.fatal(MachineError::NotBuilt { what: "bases::vag2" })
}

/// Not built yet.
#[inline(always)]
pub(crate) fn hi_loc<L: Layout>(m: &mut Machine<L>, _r: &mut Regs) -> Flow {
    m.fatal(MachineError::NotBuilt { what: "bases::hi_loc" })
}

/// Not built yet.
#[inline(always)]
pub(crate) fn lo_loc<L: Layout>(m: &mut Machine<L>, _r: &mut Regs) -> Flow {
    m.fatal(MachineError::NotBuilt { what: "bases::lo_loc" })
}
