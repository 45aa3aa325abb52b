//! The monitor on standard input and output.

use crate::memory::{self, Memory};
use crate::world::{STOP_WANTED, Scene};
use monitor::{Monitor, PageState, Surroundings, Verdict};
use std::cell::RefCell;
use std::fmt;
use std::io::{BufRead, Write};
use std::sync::atomic::Ordering;
use vm::address::LispPage;
use vm::layout::Layout;
use vm::machine::{Exit, Machine};

/// Lisp pages in a page of the host.
const PER_HOST_PAGE: u32 = 8;

/// This process, as the monitor sees it.
struct Process<'a> {
    memory: &'a RefCell<Memory>,
}

impl Surroundings for Process<'_> {
    fn has(&self, page: LispPage) -> bool {
        self.memory.borrow().has(page)
    }

    fn page(&self, number: u32) -> PageState {
        let memory = self.memory.borrow();
        let pages = (0..PER_HOST_PAGE).filter(|i| memory.has(LispPage(number * PER_HOST_PAGE + i))).count() as u8;
        // Whether a page has been written to only the host knows.
        PageState { pages, resident: pages > 0, written: false }
    }

    fn forgive(&mut self, on: bool) {
        memory::forgive(on);
    }

    fn paging(&mut self, out: &mut dyn fmt::Write) -> fmt::Result {
        writeln!(out, "the host pages: all that Lisp has counts as resident")
    }

    fn devices(&mut self, out: &mut dyn fmt::Write) -> fmt::Result {
        writeln!(out, "no devices: a process of the host")
    }
}

extern "C" fn interrupted(_signal: i32) {
    STOP_WANTED.store(true, Ordering::Relaxed);
}

/// Standard output, for text.
struct Out;

impl fmt::Write for Out {
    fn write_str(&mut self, text: &str) -> fmt::Result {
        std::io::stdout().write_all(text.as_bytes()).map_err(|_| fmt::Error)
    }
}

/// Runs a machine under the monitor: first commands, then Lisp, then commands again. The exit status.
pub fn run<L: Layout>(machine: &mut Machine<L>, scene: &RefCell<Scene>, memory: &RefCell<Memory>) -> i32 {
    // SAFETY: the handler only stores to an atomic.
    unsafe { libc::signal(libc::SIGINT, interrupted as extern "C" fn(i32) as usize) };
    let mut world = Process { memory };
    let mut monitor = Monitor::new();
    let mut lines = std::io::stdin().lock().lines();
    loop {
        monitor.greet(machine, &mut world, &mut Out);
        let exit = loop {
            print!("* ");
            let _ = std::io::stdout().flush();
            // Nobody is there any more.
            let Some(Ok(line)) = lines.next() else { scene.borrow_mut().end(0) };
            match monitor.command(machine, &mut world, &mut Out, &line) {
                Verdict::Stay => {}
                Verdict::Go => break monitor.resume(machine, &mut world),
                Verdict::End(exit) => break exit,
                Verdict::Off => scene.borrow_mut().end(0),
            }
        };
        if !monitor.note(exit) {
            let status = if exit == Exit::Logout { 0 } else { 1 };
            scene.borrow_mut().end(status)
        }
    }
}
