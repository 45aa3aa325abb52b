//! Not built yet.

use crate::dispatch::Flow;
use crate::error::MachineError;
use crate::layout::Layout;
use crate::machine::{Machine, Regs};

/// Not built yet.
#[inline(always)]
pub(crate) fn unwind<L: Layout>(m: &mut Machine<L>, _r: &mut Regs) -> Flow {
    m.fatal(MachineError::NotBuilt { what: "binding::unwind" })
}

/// Not built yet.
#[inline(always)]
pub(crate) fn bind<L: Layout>(m: &mut Machine<L>, _r: &mut Regs) -> Flow {
    m.fatal(MachineError::NotBuilt { what: "binding::bind" })
}

/// Not built yet.
#[inline(always)]
pub(crate) fn unbind<L: Layout>(m: &mut Machine<L>, _r: &mut Regs) -> Flow {
    m.fatal(MachineError::NotBuilt { what: "binding::unbind" })
}

/// Not built yet.
#[inline(always)]
pub(crate) fn dunbind<L: Layout>(m: &mut Machine<L>, _r: &mut Regs) -> Flow {
    m.fatal(MachineError::NotBuilt { what: "binding::dunbind" })
}

/// Not built yet.
#[inline(always)]
pub(crate) fn find_key<L: Layout>(m: &mut Machine<L>, _r: &mut Regs) -> Flow {
    m.fatal(MachineError::NotBuilt { what: "binding::find_key" })
}

/// Not built yet.
#[inline(always)]
pub(crate) fn rest_list<L: Layout>(m: &mut Machine<L>, _r: &mut Regs) -> Flow {
    m.fatal(MachineError::NotBuilt { what: "binding::rest_list" })
}

/// Not built yet.
#[inline(always)]
pub(crate) fn arg0<L: Layout>(m: &mut Machine<L>, _r: &mut Regs) -> Flow {
    m.fatal(MachineError::NotBuilt { what: "binding::arg0" })
}

/// Not built yet.
#[inline(always)]
pub(crate) fn my_arg_count<L: Layout>(m: &mut Machine<L>, _r: &mut Regs) -> Flow {
    m.fatal(MachineError::NotBuilt { what: "binding::my_arg_count" })
}

/// Not built yet.
#[inline(always)]
pub(crate) fn my_alink<L: Layout>(m: &mut Machine<L>, _r: &mut Regs) -> Flow {
    m.fatal(MachineError::NotBuilt { what: "binding::my_alink" })
}
