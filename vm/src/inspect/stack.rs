//! The stack of a stopped machine: any frame with its variables, and the row of blocks that the segment is made of.
//!
//! See [`crate::frames`] for the format. A damaged stack ends a walk with a sentence.

use super::Frame;
use crate::address::{AtomIndex, LispPtr, StackOffset};
use crate::error::MachineError;
use crate::frames::{self, block_flag, block_size, flag};
use crate::layout::{Layout, STACK};
use crate::machine::Machine;
use crate::memory::Space;
use crate::sysout::interface;

/// Which of a frame's two links to follow.
#[derive(Clone, Copy, PartialEq, Eq, Debug, Default)]
pub enum LinkKind {
    /// To where free variables are looked up.
    #[default]
    Access,
    /// To the caller.
    Control,
}

/// Contexts of the interface page whose stacks can be looked at.
#[derive(Clone, Copy, PartialEq, Eq, Debug)]
pub enum Context {
    /// What runs.
    User,
    /// `RESET`.
    Reset,
    /// Stack overflow.
    StackOverflow,
    /// The keyboard handler.
    Keyboard,
    /// Hard returns.
    HardReturn,
    /// The collector.
    Collector,
    /// Page faults.
    Fault,
    /// Everything else.
    Misc,
}

/// A frame, taken apart.
#[derive(Clone, Copy, Debug)]
pub struct Details {
    /// The flag word.
    pub flags: u16,
    /// Frames that refer to it besides the first.
    pub use_count: u16,
    /// Whether it keeps its arguments and caller explicitly.
    pub slow: bool,
    /// Where free variables are looked up next.
    pub access: StackOffset,
    /// Its caller.
    pub control: StackOffset,
    /// Its basic frame.
    pub basic_frame: LispPtr,
    /// The block behind it.
    pub next: LispPtr,
    /// First argument.
    pub first_argument: LispPtr,
    /// Arguments that it was called with.
    pub arguments: u32,
    /// Its first own variable.
    pub first_variable: LispPtr,
    /// Its own variables and slots for free ones, in cells.
    pub variables: u32,
}

/// Where a variable lives.
#[derive(Clone, Copy, PartialEq, Eq, Debug)]
pub enum Place {
    /// An argument.
    Argument(u32),
    /// A variable of the frame.
    Own(u32),
    /// A free variable.
    Free(u32),
}

/// A variable of a frame.
#[derive(Clone, Copy, Debug)]
pub struct Variable {
    /// Its name, if the code keeps it.
    pub name: Option<AtomIndex>,
    /// Its place.
    pub place: Place,
    /// Where its value is; `None` for a free variable that has not been looked up.
    pub at: Option<LispPtr>,
    /// Its value, unless it has none now.
    pub value: Option<u32>,
}

/// Takes a frame apart.
pub fn details<L: Layout>(space: Space, at: StackOffset) -> Details {
    let frame = frames::Frame::at_offset(space, at.0);
    let basic = frame.basic_frame();
    let first_argument = STACK.plus(space.word(basic.at.plus(1)) as u32);
    let header = crate::calls::Header::read(space, frame.header::<L>());
    Details {
        flags: space.word(frame.at),
        use_count: frame.use_count(),
        slow: frame.is_slow(),
        access: StackOffset(frame.alink()),
        control: StackOffset(frame.clink()),
        basic_frame: basic.at,
        next: frame.next(),
        first_argument,
        arguments: basic.at.0.saturating_sub(first_argument.0).min(0x2000) / 2,
        first_variable: frame.first_pvar(),
        variables: (2 * header.pvar_pairs()).clamp(0, 0x1000) as u32,
    }
}

/// Words of a function header before its names.
const HEADER_WORDS: u32 = 8;
/// No name table is larger.
const MOST_NAMES: u32 = 512;

/// The `n`th name of a frame's name table, and where the variable is; see [`crate::free_variables`].
fn named<L: Layout>(space: Space, at: StackOffset, n: u32) -> Option<(AtomIndex, Place)> {
    let table = frames::Frame::at_offset(space, at.0).name_table::<L>();
    let words = space.word(table.plus(6)) as u32 & !1;
    if 2 * n >= words.min(2 * MOST_NAMES) {
        return None;
    }
    let names = table.plus(HEADER_WORDS);
    let place = space.cell(names.plus(words + 2 * n));
    let which = place & 0x0FFF_FFFF;
    let place = match place >> 28 {
        0x0 => Place::Argument(which),
        0x8 => Place::Own(which),
        _ => Place::Free(which),
    };
    let name = AtomIndex(space.cell(names.plus(2 * n)) & L::POINTER_MASK);
    // The end of a table that is longer than its names.
    if name == AtomIndex::NIL { None } else { Some((name, place)) }
}

/// The variables of a frame: arguments, its own, free ones.
pub fn variables<L: Layout>(space: Space, at: StackOffset) -> impl Iterator<Item = Variable> {
    let d = details::<L>(space, at);
    let name_of = move |place: Place| {
        (0..MOST_NAMES).map_while(|n| named::<L>(space, at, n)).find(|name| name.1 == place).map(|name| name.0)
    };
    let arguments = (0..d.arguments).map(move |i| {
        let at = d.first_argument.plus(2 * i);
        let place = Place::Argument(i);
        Variable { name: name_of(place), place, at: Some(at), value: Some(space.cell(at)) }
    });
    let own = (0..d.variables).map(move |i| {
        let at = d.first_variable.plus(2 * i);
        let cell = space.cell(at);
        if let Some(name) = name_of(Place::Free(i)) {
            // The address is stored with its halves exchanged; the low bit of the first: not looked up yet.
            let at = (cell & 0x1_0000 == 0).then(|| LispPtr::from_cell::<L>(cell.rotate_left(16)));
            let value = at.map(|at| space.cell(at));
            return Variable { name: Some(name), place: Place::Free(i), at, value };
        }
        let place = Place::Own(i);
        Variable { name: name_of(place), place, at: Some(at), value: (cell >> 31 == 0).then_some(cell) }
    });
    arguments.chain(own)
}

impl<L: Layout> Machine<L> {
    /// The running frame.
    pub fn running_frame(&self) -> StackOffset {
        StackOffset(frames::Frame::of_pvar(self.space, self.regs.pvar).offset())
    }

    /// The frame that waits in a context.
    pub fn context_frame(&self, context: Context) -> StackOffset {
        StackOffset(self.ifpage_word(match context {
            Context::User => return self.running_frame(),
            Context::Reset => interface::RESET_FRAME,
            Context::StackOverflow => interface::STACK_OVERFLOW_FRAME,
            Context::Keyboard => interface::KEYBOARD_FRAME,
            Context::HardReturn => interface::HARD_RETURN_FRAME,
            Context::Collector => interface::COLLECTOR_FRAME,
            Context::Fault => interface::FAULT_FRAME,
            Context::Misc => interface::MISC_FRAME,
        }))
    }

    /// A frame and those that its links lead to, at most 1000.
    pub fn chain(&self, from: StackOffset, kind: LinkKind) -> impl Iterator<Item = Frame> {
        let (space, running, regs, func) = (self.space, self.running_frame(), self.regs, self.func);
        let read = move |at: StackOffset| {
            let frame = frames::Frame::at_offset(space, at.0);
            frame.is_frame().then(|| {
                let header = if at == running { func } else { frame.header::<L>() };
                let pc = if at == running { regs.pc.wrapping_sub(func.byte().0) } else { u32::from(frame.pc()) };
                Frame { at, header, name: super::function_name::<L>(space, header), pc }
            })
        };
        let next = move |frame: &Frame| {
            let frame = frames::Frame::at_offset(space, frame.at.0);
            read(StackOffset(if kind == LinkKind::Access { frame.alink() } else { frame.clink() }))
        };
        core::iter::successors(read(from), next).take(1000)
    }

    /// The blocks of the stack segment, from its start to the first that makes no sense.
    pub fn stack_blocks(&self) -> Blocks<L> {
        Blocks {
            space: self.space,
            at: Some(STACK.plus(self.ifpage_word(interface::STACK_BASE) as u32)),
            end: STACK.plus(self.ifpage_word(interface::END_OF_STACK) as u32),
            running: self.running_frame(),
            running_end: self.stack_end,
            layout: core::marker::PhantomData,
        }
    }
}

/// A block of the stack.
#[derive(Clone, Copy, PartialEq, Eq, Debug)]
pub enum Block {
    /// Free space.
    Free,
    /// The end, or space that is being taken.
    Guard,
    /// Arguments, with their basic frame at the end; true: the arguments are elsewhere.
    Arguments(bool),
    /// A frame extension with its variables and temporaries.
    Frame(AtomIndex),
}

/// See [`Machine::stack_blocks`].
pub struct Blocks<L: Layout> {
    space: Space,
    at: Option<LispPtr>,
    end: LispPtr,
    running: StackOffset,
    running_end: LispPtr,
    layout: core::marker::PhantomData<L>,
}

impl<L: Layout> Iterator for Blocks<L> {
    /// Where, how many words, what.
    type Item = Result<(LispPtr, u32, Block), MachineError>;

    fn next(&mut self) -> Option<Self::Item> {
        let at = self.at.take()?;
        if at >= self.end {
            return None;
        }
        let block = self.block(at);
        if let Ok((_, words, _)) = block {
            self.at = Some(at.plus(words));
        }
        Some(block)
    }
}

impl<L: Layout> Blocks<L> {
    fn block(&self, at: LispPtr) -> <Self as Iterator>::Item {
        let space = self.space;
        let wrong = |what| Err(MachineError::BadStack { what, at });
        let (words, block) = match block_flag(space, at) {
            flag::FREE => (block_size(space, at)?, Block::Free),
            flag::GUARD => (block_size(space, at)?, Block::Guard),
            flag::NONE | flag::BASIC_FRAME => {
                let basic = frames::basic_frame_from(space, at)?;
                if !basic.is_residual() && basic.first_argument() != at {
                    return wrong("a basic frame that does not know its arguments");
                }
                (basic.at.0 - at.0 + 2, Block::Arguments(basic.is_residual()))
            }
            flag::FRAME => {
                let frame = frames::Frame::at(space, at);
                let running = StackOffset(at.low()) == self.running;
                let end = if running { self.running_end } else { frame.next() };
                let name = super::function_name::<L>(space, frame.header::<L>());
                (end.0.saturating_sub(at.0), Block::Frame(name))
            }
            _ => return wrong("no block of any kind"),
        };
        if words == 0 || words & 1 != 0 || at.0 + words > self.end.0 + 0x200 {
            return wrong("a block of impossible size");
        }
        Ok((at, words, block))
    }
}
