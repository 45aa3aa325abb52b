//! Traces, dumps and stops of a watched run, in the format of the reference rig:
//!
//! ```text
//!   n func pc op tos sp pvar ivar     before instruction n; hexadecimal but n; pc in bytes from func, the rest words
//! ```
//!
//! `sp` is the last cell in memory below the cached top of stack. With a hash every K instructions there is instead
//! `n hash` after each K: 64-bit FNV-1a over the K lines with their newlines, begun anew each time. The line of an
//! instruction that was broken off is replaced when it comes up again.

use crate::memory::Memory;
use std::collections::VecDeque;
use std::fs::File;
use std::io::{self, BufWriter, Write};
use std::path::{Path, PathBuf};
use vm::address::{ByteAddr, LispPage, LispPtr};
use vm::inspect::{Instruction, function_name};
use vm::layout::Layout;
use vm::machine::Machine;
use vm::symbols;

const FNV_START: u64 = 14_695_981_039_346_656_037;
const FNV_PRIME: u64 = 1_099_511_628_211;

fn fnv(start: u64, bytes: &[u8]) -> u64 {
    bytes.iter().fold(start, |hash, &byte| (hash ^ byte as u64).wrapping_mul(FNV_PRIME))
}

/// A file of lines or hashes.
pub struct TraceFile {
    out: BufWriter<File>,
    from: u64,
    end: u64,
    hash_every: Option<u64>,
    hash: u64,
    hashed: u64,
    /// The line of an instruction that may still be broken off.
    pending: Option<(u64, Vec<u8>)>,
}

impl TraceFile {
    /// Opens the file for instructions `from` to `from + count`.
    pub fn create(path: &Path, from: u64, count: Option<u64>, hash_every: Option<u64>) -> io::Result<TraceFile> {
        let end = from.saturating_add(count.unwrap_or(u64::MAX));
        let out = BufWriter::with_capacity(1 << 20, File::create(path)?);
        Ok(TraceFile { out, from, end, hash_every, hash: FNV_START, hashed: 0, pending: None })
    }

    /// Notes instruction `n`.
    pub fn note<L: Layout>(&mut self, m: &Machine<L>, n: u64) -> io::Result<()> {
        if self.pending.as_ref().is_some_and(|(pending, _)| *pending == n) {
            self.pending = None;
        }
        self.flush(n)?;
        if (self.from..self.end).contains(&n) {
            let mut line = Vec::with_capacity(80);
            write_line(&mut line, m, n)?;
            self.pending = Some((n, line));
        }
        Ok(())
    }

    fn flush(&mut self, completed: u64) -> io::Result<()> {
        let Some((_, line)) = self.pending.take() else { return Ok(()) };
        let Some(every) = self.hash_every else { return self.out.write_all(&line) };
        self.hash = fnv(self.hash, &line);
        self.hashed += 1;
        if self.hashed == every {
            writeln!(self.out, "{completed} {:016x}", self.hash)?;
            (self.hash, self.hashed) = (FNV_START, 0);
        }
        Ok(())
    }

    /// Writes what is left.
    pub fn finish(&mut self, completed: u64) -> io::Result<()> {
        self.flush(completed)?;
        if self.hashed > 0 {
            writeln!(self.out, "{completed} {:016x} partial", self.hash)?;
        }
        self.out.flush()
    }
}

fn write_line<L: Layout>(out: &mut Vec<u8>, m: &Machine<L>, n: u64) -> io::Result<()> {
    let r = m.regs;
    let pc = r.pc.wrapping_sub(m.func.byte().0);
    let opcode = m.space.byte(ByteAddr(r.pc));
    let sp = r.sp.wrapping_sub(2);
    writeln!(out, "{n} {:x} {pc:x} {opcode:x} {:x} {sp:x} {:x} {:x}", m.func.0, r.tos, r.pvar, r.ivar)
}

/// The last instructions, for people.
pub struct Recent {
    /// Number, function, pc, sp and top of stack.
    instructions: VecDeque<(u64, LispPtr, u32, u32, u32)>,
    size: usize,
}

impl Recent {
    /// Remembers so many.
    pub fn new(size: usize) -> Recent {
        Recent { instructions: VecDeque::with_capacity(size), size }
    }

    /// Notes instruction `n`.
    pub fn note<L: Layout>(&mut self, m: &Machine<L>, n: u64) {
        if self.size == 0 {
            return;
        }
        if self.instructions.len() == self.size {
            self.instructions.pop_front();
        }
        self.instructions.push_back((n, m.func, m.regs.pc, m.regs.sp, m.regs.tos));
    }

    /// Prints them.
    pub fn print<L: Layout>(&self, m: &Machine<L>) {
        for &(n, func, pc, sp, tos) in &self.instructions {
            let name = symbols::name::<L>(m.space, function_name::<L>(m.space, func));
            let instruction = Instruction::<L>::at(m.space, ByteAddr(pc));
            eprintln!("{n:>12} {name} + {:#o}: {instruction}   tos {tos:x} sp {sp:x}", pc.wrapping_sub(func.byte().0));
        }
    }
}

/// Writes all of Lisp's memory to `file`, a hash of each page that is not all zero to `file.pages`, and the registers to
/// `file.regs`.
pub fn dump<L: Layout>(m: &Machine<L>, memory: &Memory, n: u64, file: &Path) -> io::Result<()> {
    let beside = |extension: &str| {
        let mut name = file.as_os_str().to_owned();
        name.push(extension);
        PathBuf::from(name)
    };
    let mut out = BufWriter::new(File::create(file)?);
    let mut pages = BufWriter::new(File::create(beside(".pages"))?);
    for page in 0..memory.pages() {
        let bytes = memory.page(LispPage(page)).unwrap_or([0; 512]);
        out.write_all(&bytes)?;
        if bytes.iter().any(|&byte| byte != 0) {
            writeln!(pages, "{page:x} {:016x}", fnv(FNV_START, &bytes))?;
        }
    }
    out.flush()?;
    pages.flush()?;
    let r = m.regs;
    let pc = r.pc.wrapping_sub(m.func.byte().0);
    let sp = r.sp.wrapping_sub(2);
    let line = format!(
        "n {n} fn {:x} pc {pc:x} tos {:x} sp {sp:x} pvar {:x} ivar {:x} endstk {:x}\n",
        m.func.0, r.tos, r.pvar, r.ivar, m.stack_end.0
    );
    std::fs::write(beside(".regs"), line)
}
