//! Subrs: subroutines of the machine that Lisp calls by number, for everything a D-machine had in hardware or microcode
//! and an emulator has in its host.
//!
//! ```text
//!   SUBRCALL number count      ... | argument 0 | ... | argument count-1 (top)   =>   ... | result
//! ```
//!
//! [`for_each_subr`] is the one table of them: number, name (those of Medley's `\INITSUBRS`), and either the function or
//! what a machine without the device in question answers. A subr that this machine does not have is logged once.

mod absent;
mod files;
mod host;
mod screen;
mod system;

use crate::address::AtomIndex;
use crate::dispatch::Flow;
use crate::display::{self, Outcome};
use crate::error::MachineError;
use crate::layout::Layout;
use crate::machine::{Exit, Machine, Regs};
use crate::platform::LogLevel;
use core::cell::Cell;

/// Most arguments of a subr.
const MOST_ARGUMENTS: usize = 30;
/// Bytes of a SUBRCALL.
const LENGTH: u32 = 3;

/// A call of a subr.
pub(crate) struct Call<'a> {
    /// The arguments.
    pub arguments: &'a [u32],
    /// What was on top of the stack: the last argument, if there is one.
    pub top: u32,
    /// The registers at the opcode.
    pub r: &'a Regs,
    /// Cells that the subr leaves on the stack below its result.
    pub left_over: Cell<u32>,
}

impl Call<'_> {
    /// The `n`th argument, from 0; NIL if it was not given.
    fn argument(&self, n: usize) -> u32 {
        self.arguments.get(n).copied().unwrap_or(0)
    }
}

/// Lisp's NIL.
const NIL: u32 = AtomIndex::NIL.0;
/// Lisp's T.
const T: u32 = AtomIndex::T.0;

/// What a subr does.
type Function<L> = fn(&mut Machine<L>, &Call<'_>) -> Result<u32, Flow>;

/// How a row of the table is carried out.
enum Action<L: Layout> {
    /// By this function.
    Do(Function<L>),
    /// By a function of the display, which may leave the work to Lisp.
    Draw(fn(&mut Machine<L>, &[u32]) -> Outcome),
    /// Not at all; this is the answer of a machine without the device.
    Absent(u32),
}

/// One row of the table.
struct Subr<L: Layout> {
    name: &'static str,
    action: Action<L>,
}

/// Passes every row of the table to the macro it is given.
macro_rules! for_each_subr {
    ($callback:ident) => {
        $callback! {
            0o006 BACKGROUNDSUBR Absent(NIL);
            0o007 CHECKBCPLPASSWORD Do(host::check_password);
            0o010 DISKPARTITION Absent(NIL);
            0o011 DSPBOUT Do(screen::print_character);
            0o012 DSPRATE Absent(NIL);
            0o013 GATHERSTATS Absent(NIL);
            0o014 GETPACKETBUFFER Absent(NIL);
            0o015 LISPFINISH Do(system::finish);
            0o016 MOREVMEMFILE Absent(NIL);
            0o017 RAID Do(system::raid);
            0o020 READRAWPBI Absent(NIL);
            0o021 WRITERAWPBI Absent(NIL);
            0o022 SETSCREENCOLOR Absent(NIL);
            0o023 SHOWDISPLAY Do(system::nothing);
            0o024 PUPLEVEL1STATE Do(system::nothing);
            0o025 WRITESTATS Absent(NIL);
            0o026 CONTEXTSWITCH Absent(NIL);
            0o027 COPYSYS0SUBR Absent(NIL);
            0o030 WRITEMAP Absent(NIL);
            0o042 UFS-GETFILENAME Do(files::unix_file_name);
            0o043 UFS-DELETEFILE Do(files::unix_delete);
            0o044 UFS-RENAMEFILE Do(files::unix_rename);
            0o045 COM-READPAGES Do(files::read_page);
            0o046 COM-WRITEPAGES Do(files::write_page);
            0o047 COM-TRUNCATEFILE Do(files::truncate);
            0o051 UFS-DIRECTORYNAMEP Do(files::unix_directory_name);
            0o055 COM-GETFREEBLOCK Do(files::free_blocks);
            0o060 SETUNIXTIME Do(system::no_value);
            0o061 GETUNIXTIME Do(system::get_time);
            0o062 COPYTIMESTATS Do(system::copy_statistics);
            0o063 UNIX-USERNAME Do(host::user_name);
            0o064 UNIX-FULLNAME Do(host::full_name);
            0o065 UNIX-GETENV Do(host::environment);
            0o066 UNIX-GETPARM Do(host::parameter);
            0o067 CHECK-SUM Do(absent::check_sum);
            0o070 ETHER-SUSPEND Do(absent::ether_silent);
            0o071 ETHER-RESUME Do(absent::ether_silent);
            0o072 ETHER-AVAILABLE Do(system::no_value);
            0o073 ETHER-RESET Absent(NIL);
            0o074 ETHER-GET Absent(NIL);
            0o075 ETHER-SEND Absent(NIL);
            0o076 ETHER-SETFILTER Absent(NIL);
            0o077 ETHER-CHECK Do(system::no_value);
            0o100 DSPCURSOR Do(screen::cursor);
            0o101 SETMOUSEXY Do(screen::set_mouse);
            0o102 DSP-VIDEOCOLOR Do(screen::video_color);
            0o103 DSP-SCREENWIDTH Do(screen::width);
            0o104 DSP-SCREENHEIGHT Do(screen::height);
            0o105 BITBLTSUB Draw(display::bitblt::bitblt_sub);
            0o106 BLTCHAR Draw(display::characters::bltchar);
            0o107 TEDIT-BLTCHAR Draw(display::characters::tedit_bltchar);
            0o110 BITBLT-BITMAP Draw(display::bitblt::bitblt_bitmap);
            0o111 BLTSHADE-BITMAP Draw(display::bitblt::bltshade_bitmap);
            0o112 RS232C-CMD Absent(NIL);
            0o113 RS232C-READ-INIT Absent(NIL);
            0o114 RS232C-WRITE Absent(NIL);
            0o120 KEYBOARDBEEP Do(screen::beep);
            0o121 KEYBOARDMAP Do(screen::maintenance_panel);
            0o122 KEYBOARDSTATE Do(system::nothing);
            0o131 VMEMSAVE Do(system::save_world);
            0o132 LISP-FINISH Do(system::finish);
            0o133 NEWPAGE Do(system::new_page);
            0o134 DORECLAIM Do(system::reclaim);
            0o135 DUMMY-135Q Absent(NIL);
            0o136 NATIVE-MEMORY-REFERENCE Absent(NIL);
            0o137 OLD-COMPILE-LOAD-NATIVE Absent(NIL);
            0o140 DISABLEGC Do(system::disable_collector);
            0o147 COM-SETFILEINFO Do(files::set_info);
            0o150 COM-OPENFILE Do(files::open);
            0o151 COM-CLOSEFILE Do(files::close);
            0o152 DSK-GETFILENAME Do(files::disk_file_name);
            0o153 DSK-DELETEFILE Do(files::disk_delete);
            0o154 DSK-RENAMEFILE Do(files::disk_rename);
            0o156 COM-NEXT-FILE Do(files::next_listed);
            0o157 COM-FINISH-FINFO Do(files::end_list);
            0o160 COM-GEN-FILES Do(files::list);
            0o161 DSK-DIRECTORYNAMEP Do(files::disk_directory_name);
            0o162 COM-GETFILEINFO Do(files::info);
            0o164 COM-CHANGEDIR Do(files::change_directory);
            0o165 UNIX-HANDLECOMM Do(absent::unix_process);
            0o167 RPC-CALL Absent(NIL);
            0o170 MESSAGE-READP Do(system::no_value);
            0o171 MESSAGE-READ Do(system::no_value);
            0o200 MONITOR-CONTROL Do(system::nothing);
            0o203 GET-NATIVE-ADDR-FROM-LISP-PTR Absent(NIL);
            0o204 GET-LISP-PTR-FROM-NATIVE-ADDR Absent(NIL);
            0o205 LOAD-NATIVE-FILE Absent(NIL);
            0o206 SUSPEND-LISP Absent(NIL);
            0o207 NEW-BLTCHAR Draw(display::characters::new_bltchar);
            0o210 COLOR-INIT Absent(NIL);
            0o211 COLOR-SCREENMODE Absent(NIL);
            0o212 COLOR-MAP Absent(NIL);
            0o213 COLOR-BASE Absent(NIL);
            0o214 C-SLOWBLTCHAR Absent(NIL);
            0o215 UNCOLORIZE-BITMAP Absent(NIL);
            0o216 COLORIZE-BITMAP Absent(NIL);
            0o217 COLOR-8BPPDRAWLINE Absent(NIL);
            0o220 TCP-OP Absent(NIL);
            0o221 WITH-SYMBOL Do(system::with_symbol);
            0o222 CAUSE-INTERRUPT Do(system::cause_interrupt);
            0o240 OPEN-SOCKET Absent(NIL);
            0o241 CLOSE-SOCKET Absent(NIL);
            0o242 READ-SOCKET Absent(NIL);
            0o243 WRITE-SOCKET Absent(NIL);
            0o247 CALL-C-FUNCTION Absent(NIL);
            0o250 DLD-LINK Absent(NIL);
            0o251 DLD-UNLINK-BY-FILE Absent(NIL);
            0o252 DLD-UNLINK-BY-SYMBOL Absent(NIL);
            0o253 DLD-GET-SYMBOL Absent(NIL);
            0o254 DLD-GET-FUNC Absent(NIL);
            0o255 DLD-FUNCTION-EXECUTABLE-P Absent(NIL);
            0o256 DLD-LIST-UNDEFINED-SYMBOLS Absent(NIL);
            0o257 C-MALLOC Absent(NIL);
            0o260 C-FREE Absent(NIL);
            0o261 C-PUTBASEBYTE Absent(NIL);
            0o262 C-GETBASEBYTE Absent(NIL);
            0o310 CHAR-OPENFILE Do(absent::open_character_device);
            0o311 CHAR-BIN Absent(NIL);
            0o312 CHAR-BOUT Absent(NIL);
            0o313 CHAR-IOCTL Absent(NIL);
            0o314 CHAR-CLOSEFILE Absent(NIL);
            0o315 CHAR-EOFP Absent(NIL);
            0o316 CHAR-READP Absent(NIL);
            0o317 CHAR-BINS Absent(NIL);
            0o320 CHAR-BOUTS Absent(NIL);
            0o321 CHAR-FILLBUFFER Absent(NIL);
            0o322 YIELD Do(system::rest);
        }
    };
}

macro_rules! table {
    ($($number:literal $first:ident $(- $rest:tt)* $kind:ident($what:expr);)*) => {
        impl<L: Layout> Machine<L> {
            /// The subr of each number.
            const SUBRS: [Option<Subr<L>>; 256] = {
                let mut table = [const { None }; 256];
                $(table[$number] = Some(Subr {
                    name: concat!(stringify!($first) $(, "-", stringify!($rest))*),
                    action: table!(@ $kind $what),
                });)*
                table
            };
        }
    };
    (@ Absent $answer:expr) => { Action::Absent($answer) };
    (@ Do $function:expr) => { Action::Do($function) };
    (@ Draw $function:expr) => { Action::Draw($function) };
}
for_each_subr!(table);

/// Which missing subrs have been called: a bit a number.
#[derive(Clone, Copy, Debug, Default)]
pub(crate) struct Logged([u64; 4], bool);

impl Logged {
    /// True the first time that files are missed.
    fn first_without_files(&mut self) -> bool {
        !core::mem::replace(&mut self.1, true)
    }

    /// Notes a number; true the first time.
    fn first(&mut self, number: u32) -> bool {
        let word = &mut self.0[number as usize / 64 % 4];
        let bit = 1 << (number % 64);
        let first = *word & bit == 0;
        *word |= bit;
        first
    }
}

/// SUBRCALL.
#[inline(always)]
pub(crate) fn subr_call<L: Layout>(m: &mut Machine<L>, _r: &mut Regs) -> Flow {
    m.slow(subr_call_slow)
}

fn subr_call_slow<L: Layout>(m: &mut Machine<L>, r: &mut Regs) -> Flow {
    let (number, count) = (m.operand(r, 1), m.operand(r, 2));
    let mut arguments = [0; MOST_ARGUMENTS];
    let Some(arguments) = arguments.get_mut(..count as usize) else {
        return m.fatal(MachineError::Raid { what: "a subr was called with more than 30 arguments" });
    };
    // The top goes to memory first, as it does in the reference.
    m.space.set_cell(crate::address::LispPtr(r.sp), r.tos);
    for (i, argument) in arguments.iter_mut().enumerate() {
        *argument = m.below(r, count - 1 - i as u32);
    }
    if let Some(last) = arguments.last_mut() {
        *last = r.tos;
    }
    let result = match &Machine::<L>::SUBRS[number as usize & 0xFF] {
        Some(Subr { action: Action::Do(function), .. }) => {
            let before = *r;
            let call = Call { arguments, top: r.tos, r: &before, left_over: Cell::new(0) };
            match function(m, &call) {
                Ok(result) => {
                    r.sp += 2 * call.left_over.get();
                    result
                }
                // Lisp called RAID: should somebody let it go on, RAID has returned NIL.
                Err(Flow::Exit) if matches!(m.exit, Some(Exit::Fatal(MachineError::Raid { .. }))) => {
                    leave_result(m, r, count, NIL);
                    r.pc = r.pc.wrapping_add(LENGTH);
                    return Flow::Exit;
                }
                Err(flow) => return flow,
            }
        }
        Some(Subr { action: Action::Draw(function), .. }) => match function(m, arguments) {
            Ok(result) => result,
            Err(punt) => return crate::calls::call_instead(m, r, punt.0, count, LENGTH),
        },
        Some(Subr { name, action: Action::Absent(answer) }) => {
            log_absent(m, number, name);
            *answer
        }
        None => {
            if m.logged.first(number) {
                m.platform.log(LogLevel::Warning, format_args!("there is no subr {number:#o}"));
            }
            NIL
        }
    };
    leave_result(m, r, count, result);
    Flow::Next
}

/// Puts a result in the place of so many arguments.
fn leave_result<L: Layout>(m: &Machine<L>, r: &mut Regs, arguments: u32, result: u32) {
    if arguments == 0 {
        m.push(r, result);
    } else {
        m.replace(r, arguments - 1, result);
    }
}

/// Says, the first time, that the machine lacks what a subr is for.
fn log_absent<L: Layout>(m: &mut Machine<L>, number: u32, name: &str) {
    if m.logged.first(number) {
        m.platform.log(LogLevel::Warning, format_args!("this machine has no subr {name} ({number:#o})"));
    }
}

#[cfg(test)]
mod tests;
