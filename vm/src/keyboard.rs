//! The keyboard and the mouse as Lisp sees them.

use crate::layout::Layout;
use crate::machine::Machine;

/// Takes what people did from the platform. Not built yet: nobody does anything.
pub(crate) fn poll<L: Layout>(_m: &mut Machine<L>) {}
