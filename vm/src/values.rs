//! Multiple values: VALUES and VALUES-LIST, two sub-opcodes of MISCN.
//!
//! A function returns several values by returning a list of them past the place where a single value would be made
//! into a list. Whoever wants several values has compiled a call `FN1 \MVLIST` behind the call that yields them; VALUES
//! looks what will happen to the value it returns:
//!
//! ```text
//!   RETURN, SLRETURN          look in the caller
//!   JUMP, JUMPX, JUMPXX       follow
//!   UNBIND                    remember, go on
//!   FN1 \MVLIST               several values are wanted: undo the bindings passed, go on behind, value is the list
//!   anything else             one value is wanted: the first
//! ```

use crate::address::{AtomIndex, ByteAddr, LispPtr};
use crate::binding::{is_mark, undo};
use crate::dispatch::Flow;
use crate::error::MachineError;
use crate::frames::{Frame, make_free};
use crate::layout::{Layout, type_number, types};
use crate::lists::make_cons;
use crate::machine::{Machine, Regs, attempt};
use crate::memory::Space;

/// Bytes of the MISCN instruction itself.
const MISCN_LENGTH: u32 = 3;
const RETURN: u8 = 0o020;
const SLOW_RETURN: u8 = 0o077;
const FN1: u8 = 0o011;
const UNBIND: u8 = 0o022;
const JUMP: u8 = 0o200;
const FJUMP: u8 = 0o220;
const JUMPX: u8 = 0o260;
const JUMPXX: u8 = 0o261;
/// Instructions to look at before the search is given up as circular.
const PATIENCE: u32 = 100_000;

/// Where several values are wanted.
#[derive(Clone, Copy, Debug)]
struct Receiver {
    /// The frame that goes on there; `None` for the running one.
    frame: Option<(Frame, Frame)>,
    /// Its function.
    header: LispPtr,
    /// Byte address of the instruction behind `FN1 \MVLIST`.
    pc: u32,
    /// UNBINDs passed on the way.
    unbinds: u32,
}

/// VALUES: `args` values on the stack.
pub(crate) fn values<L: Layout>(m: &mut Machine<L>, r: &mut Regs, args: u32) -> Flow {
    if args == 0 {
        // Makes a place for the result, which is NIL with or without a receiver.
        m.push(r, 0);
        return match find_receiver(m, r) {
            Some(receiver) => deliver(m, r, receiver, 0),
            None => Flow::Next,
        };
    }
    let Some(receiver) = find_receiver(m, r) else {
        let first = if args == 1 { r.tos } else { m.below(r, args - 1) };
        m.replace(r, args - 1, first);
        return Flow::Next;
    };
    let mut list = attempt!(make_cons(m, r.tos, 0));
    for depth in 1..args {
        list = attempt!(make_cons(m, m.below(r, depth), list));
    }
    m.replace(r, args - 1, list);
    deliver(m, r, receiver, list)
}

/// VALUES-LIST: the values are a list already, the first of `args` things on the stack.
pub(crate) fn values_list<L: Layout>(m: &mut Machine<L>, r: &mut Regs, args: u32) -> Flow {
    if args == 0 {
        m.push(r, 0);
    }
    let below = args.saturating_sub(1);
    let list = if below == 0 { r.tos } else { m.below(r, below) };
    m.replace(r, below, list);
    match find_receiver(m, r) {
        Some(receiver) => deliver(m, r, receiver, list),
        None => {
            if type_number::<L>(m.space, list) == types::LISTP {
                r.tos = crate::lists::car_of::<L>(m.space, LispPtr::from_cell::<L>(list));
            }
            Flow::Next
        }
    }
}

/// Follows the value that the running function is about to yield.
fn find_receiver<L: Layout>(m: &Machine<L>, r: &Regs) -> Option<Receiver> {
    let space = m.space;
    let mut frame = Frame::of_pvar(space, r.pvar);
    let mut returner = None;
    let mut header = m.func;
    let mut pc = r.pc.wrapping_add(MISCN_LENGTH);
    let mut unbinds = 0;
    for _ in 0..PATIENCE {
        let opcode = space.byte(ByteAddr(pc));
        match opcode {
            RETURN | SLOW_RETURN => {
                let caller = frame.caller();
                if !caller.is_frame() {
                    return None;
                }
                returner = Some(frame);
                frame = caller;
                header = frame.header::<L>();
                pc = header.byte().0.wrapping_add(frame.pc() as u32);
                unbinds = 0;
            }
            FN1 => {
                let symbol = (1..=L::ATOM_BYTES).fold(0, |n, at| n << 8 | byte(space, pc + at));
                if AtomIndex(symbol) != m.symbols.mv_list {
                    return None;
                }
                let frame = returner.map(|returner| (frame, returner));
                return Some(Receiver { frame, header, pc: pc + 1 + L::ATOM_BYTES, unbinds });
            }
            UNBIND => {
                unbinds += 1;
                pc += 1;
            }
            JUMPX => pc = pc.wrapping_add_signed(byte(space, pc + 1) as i8 as i32),
            JUMPXX => {
                let distance = byte(space, pc + 1) << 8 | byte(space, pc + 2);
                pc = pc.wrapping_add_signed(distance as i16 as i32);
            }
            JUMP..FJUMP => pc += 2 + (opcode - JUMP) as u32,
            _ => return None,
        }
    }
    None
}

fn byte(space: Space, at: u32) -> u32 {
    space.byte(ByteAddr(at)) as u32
}

/// Goes on with the list of values, which is on top: at the receiver if that is in the running frame, else behind
/// MISCN, from where RETURNs lead to the receiver.
fn deliver<L: Layout>(m: &mut Machine<L>, r: &mut Regs, receiver: Receiver, list: u32) -> Flow {
    r.tos = list;
    match receiver.frame {
        None => {
            for _ in 0..receiver.unbinds {
                loop {
                    r.sp = r.sp.wrapping_sub(2);
                    let cell = m.space.cell(LispPtr(r.sp));
                    if is_mark(cell) {
                        undo(m.space, r.pvar, cell);
                        break;
                    }
                }
            }
            r.pc = receiver.pc;
            Flow::Jump
        }
        Some((frame, returner)) => {
            frame.set_pc(receiver.pc.wrapping_sub(receiver.header.byte().0) as u16);
            if receiver.unbinds > 0 {
                let unbound = unbind_waiting(m.space, frame, returner, receiver.unbinds);
                attempt!(m.sound(unbound));
            }
            Flow::Next
        }
    }
}

/// Undoes the last bindings of a frame that waits for `returner` to return, and cuts its stack down to where they were
/// made.
fn unbind_waiting(space: Space, frame: Frame, returner: Frame, unbinds: u32) -> Result<(), MachineError> {
    let next = frame.next();
    let mut at = next;
    for _ in 0..unbinds {
        loop {
            at = at.offset(-2);
            if at < frame.first_pvar() {
                return Err(MachineError::BadStack { what: "more UNBINDs than BINDs", at: frame.at });
            }
            let cell = space.cell(at);
            if is_mark(cell) {
                undo(space, frame.first_pvar().0, cell);
                break;
            }
        }
    }
    frame.set_next_block(at.low());
    make_free(space, at, next.0 - at.0)?;
    returner.make_slow();
    Ok(())
}
