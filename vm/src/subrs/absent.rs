//! Subrs of devices that this machine does not have, where Lisp has to be told more than NIL.

use super::{Call, NIL, T};
use crate::address::LispPtr;
use crate::dispatch::Flow;
use crate::layout::{Layout, SMALL_POSITIVE};
use crate::machine::Machine;

/// Unix: there is no such file or directory.
const NO_SUCH_FILE: u32 = 2;

/// ETHER-SUSPEND and ETHER-RESUME: nothing comes in, whatever is asked for.
pub(super) fn ether_silent<L: Layout>(_m: &mut Machine<L>, _call: &Call<'_>) -> Result<u32, Flow> {
    Ok(T)
}

/// UNIX-HANDLECOMM: there is no Unix process to talk to.
pub(super) fn unix_process<L: Layout>(_m: &mut Machine<L>, _call: &Call<'_>) -> Result<u32, Flow> {
    Ok(NIL)
}

/// CHAR-OPENFILE: there is no such device. The third argument is a box for the error's number.
pub(super) fn open_character_device<L: Layout>(m: &mut Machine<L>, call: &Call<'_>) -> Result<u32, Flow> {
    let error = LispPtr::from_cell::<L>(call.argument(2));
    if error != LispPtr::NIL {
        m.space.set_cell(error, NO_SUCH_FILE);
    }
    Ok(NIL)
}

/// CHECK-SUM: the checksum of packets over so many words from an address on, begun with the third argument. Each word is
/// added with end-around carry, then the sum is turned left by a bit.
pub(super) fn check_sum<L: Layout>(m: &mut Machine<L>, call: &Call<'_>) -> Result<u32, Flow> {
    let start = LispPtr::from_cell::<L>(call.argument(0));
    let words = call.argument(1).saturating_sub(SMALL_POSITIVE).min(0xFFFF);
    let mut sum = call.argument(2) as u16;
    for word in 0..words {
        let (added, carry) = sum.overflowing_add(m.space.word(start.plus(word)));
        sum = added.wrapping_add(carry as u16).rotate_left(1);
    }
    // All ones is minus zero.
    Ok(SMALL_POSITIVE | if sum == 0xFFFF { 0 } else { sum as u32 })
}
