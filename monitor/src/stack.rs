//! Registers, frames, call chains, the stack as a whole.

use crate::storage::padded;
use crate::{Answer, Monitor, Problem, Session, Verdict, arguments};
use vm::address::StackOffset;
use vm::inspect::stack::{self, Block, Context, LinkKind, Place};
use vm::layout::Layout;

/// Frames shown of a chain.
const MOST_FRAMES: usize = 60;
/// Temporaries shown of a frame.
const MOST_TEMPORARIES: u32 = 8;

impl Monitor {
    /// `registers`
    pub(crate) fn registers<'t, L: Layout>(&mut self, s: &mut Session<'_, L>, _: &[&'t str]) -> Answer<'t> {
        let r = s.m.regs;
        writeln!(s.out, "tos   {:08x}  {}", r.tos, self.printed::<L>(s, r.tos))?;
        writeln!(s.out, "sp    {:08x}  pvar {:08x}  ivar {:08x}", r.sp, r.pvar, r.ivar)?;
        writeln!(s.out, "end   {:08x}  func {:08x}  pc   {:08x}", s.m.stack_end.0, s.m.func.0, r.pc)?;
        s.whereabouts()?;
        Ok(Verdict::Stay)
    }

    /// `where`
    pub(crate) fn whereabouts<'t, L: Layout>(&mut self, s: &mut Session<'_, L>, _: &[&'t str]) -> Answer<'t> {
        s.whereabouts()?;
        Ok(Verdict::Stay)
    }

    /// `stack [CONTEXT]`
    pub(crate) fn stack<'t, L: Layout>(&mut self, s: &mut Session<'_, L>, words: &[&'t str]) -> Answer<'t> {
        let context = match *words {
            [] | ["u"] => Context::User,
            ["k"] => Context::Keyboard,
            ["m"] => Context::Misc,
            ["r"] => Context::Reset,
            ["g"] => Context::Collector,
            ["p"] => Context::Fault,
            ["o"] => Context::StackOverflow,
            ["h"] => Context::HardReturn,
            _ => return Err(Problem::Usage),
        };
        let from = s.m.context_frame(context);
        let mut shown = 0;
        for (number, frame) in s.m.chain(from, self.link).take(MOST_FRAMES + 1).enumerate() {
            if number == MOST_FRAMES {
                writeln!(s.out, "     ... and more; frame N shows any")?;
                break;
            }
            let name = s.name(frame.name);
            writeln!(s.out, "{number:4}  {name}+{:#o}  frame {:04x}", frame.pc, frame.at.0)?;
            shown += 1;
        }
        if shown == 0 {
            return Err(Problem::Because("there is no frame in that context"));
        }
        Ok(Verdict::Stay)
    }

    /// `frame [N|OFFSET]`
    pub(crate) fn frame<'t, L: Layout>(&mut self, s: &mut Session<'_, L>, words: &[&'t str]) -> Answer<'t> {
        let at = match *words {
            [] => self.frame.unwrap_or(s.m.running_frame()),
            [word] => match word.strip_prefix("0x") {
                Some(offset) => StackOffset(u16::from_str_radix(offset, 16).map_err(|_| Problem::NoNumber(word))?),
                None => {
                    let number = arguments::number(word)?;
                    let frame = s.m.chain(s.m.running_frame(), self.link).nth(number as usize);
                    frame.ok_or(Problem::Because("there is no such frame; stack lists them"))?.at
                }
            },
            _ => return Err(Problem::Usage),
        };
        self.show_frame(s, at)
    }

    /// The empty line: the frame after the one that was shown last.
    pub(crate) fn next_frame<'t, L: Layout>(&mut self, s: &mut Session<'_, L>, _: &[&'t str]) -> Answer<'t> {
        let at = match self.frame {
            None => s.m.running_frame(),
            Some(last) => {
                let next = s.m.chain(last, self.link).nth(1);
                next.ok_or(Problem::Because("there is no further frame"))?.at
            }
        };
        self.show_frame(s, at)
    }

    fn show_frame<'t, L: Layout>(&mut self, s: &mut Session<'_, L>, at: StackOffset) -> Answer<'t> {
        let frame = s.m.chain(at, self.link).next().ok_or(Problem::Because("there is no frame at that place"))?;
        self.frame = Some(at);
        let d = stack::details::<L>(s.m.space, at);
        let name = s.name(frame.name);
        writeln!(s.out, "frame {:04x}: {name}+{:#o}, code at {:?}", at.0, frame.pc, frame.header)?;
        writeln!(
            s.out,
            "  flags {:04x}{}, {} more references, caller {:04x}, free variables from {:04x}",
            d.flags,
            if d.slow { " slow" } else { "" },
            d.use_count,
            d.control.0,
            d.access.0
        )?;
        writeln!(
            s.out,
            "  arguments from {:05x}, basic frame {:05x}, variables from {:05x}, next block {:05x}",
            d.first_argument.0, d.basic_frame.0, d.first_variable.0, d.next.0
        )?;
        for variable in stack::variables::<L>(s.m.space, at) {
            let (kind, number) = match variable.place {
                Place::Argument(number) => ("ivar", number),
                Place::Own(number) => ("pvar", number),
                Place::Free(number) => ("fvar", number),
            };
            if variable.name.is_none() && variable.value.is_none() {
                continue;
            }
            write!(s.out, "  {kind} {number:<3} ")?;
            match variable.name {
                Some(name) => {
                    let name = s.name(name);
                    padded(s.out, 24, format_args!("{name}"))?
                }
                None => padded(s.out, 24, format_args!(""))?,
            }
            write!(s.out, " ")?;
            match variable.value {
                Some(value) => writeln!(s.out, "{:08x}  {}", value, self.printed::<L>(s, value))?,
                None => writeln!(s.out, "{}", if variable.at.is_some() { "unbound" } else { "not looked up yet" })?,
            }
        }
        let first = d.first_variable.plus(2 * d.variables + 2);
        let running = at == s.m.running_frame();
        let end = if running { s.m.regs.sp } else { d.next.0 };
        let temporaries = end.saturating_sub(first.0) / 2;
        for i in 0..temporaries.min(MOST_TEMPORARIES) {
            let cell = s.m.space.cell(first.plus(2 * i));
            writeln!(s.out, "  temporary {i:<3} {:<18} {cell:08x}  {}", "", self.printed::<L>(s, cell))?;
        }
        if temporaries > MOST_TEMPORARIES {
            writeln!(s.out, "  ... and {} temporaries more", temporaries - MOST_TEMPORARIES)?;
        }
        Ok(Verdict::Stay)
    }

    /// `link a|c`
    pub(crate) fn link<'t, L: Layout>(&mut self, s: &mut Session<'_, L>, words: &[&'t str]) -> Answer<'t> {
        self.link = match *words {
            ["a" | "A"] => LinkKind::Access,
            ["c" | "C"] => LinkKind::Control,
            _ => return Err(Problem::Usage),
        };
        writeln!(s.out, "stack and frame follow {:?} links", self.link)?;
        Ok(Verdict::Stay)
    }

    /// `check`
    pub(crate) fn check_stack<'t, L: Layout>(&mut self, s: &mut Session<'_, L>, _: &[&'t str]) -> Answer<'t> {
        let (mut frames, mut free, mut free_words, mut words) = (0, 0, 0, 0);
        for block in s.m.stack_blocks() {
            match block {
                Ok((_, size, block)) => {
                    words += size;
                    match block {
                        Block::Frame(_) => frames += 1,
                        Block::Free => {
                            free += 1;
                            free_words += size;
                        }
                        _ => {}
                    }
                }
                Err(error) => {
                    writeln!(s.out, "{error}")?;
                    return Ok(Verdict::Stay);
                }
            }
        }
        writeln!(
            s.out,
            "the stack is sound: {words} words in blocks, {frames} frames, {free_words} words free in {free} blocks"
        )?;
        Ok(Verdict::Stay)
    }

    /// `blocks`
    pub(crate) fn blocks<'t, L: Layout>(&mut self, s: &mut Session<'_, L>, _: &[&'t str]) -> Answer<'t> {
        for block in s.m.stack_blocks() {
            match block {
                Ok((at, words, block)) => {
                    write!(s.out, "{:04x} {words:5}  ", at.low())?;
                    match block {
                        Block::Free => writeln!(s.out, "free")?,
                        Block::Guard => writeln!(s.out, "guard")?,
                        Block::Arguments(elsewhere) => {
                            writeln!(s.out, "arguments{}", if elsewhere { ", which are elsewhere" } else { "" })?
                        }
                        Block::Frame(name) => writeln!(s.out, "frame of {}", s.name(name))?,
                    }
                }
                Err(error) => writeln!(s.out, "{error}")?,
            }
        }
        Ok(Verdict::Stay)
    }
}
