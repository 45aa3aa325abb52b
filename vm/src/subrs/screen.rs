//! Screen, cursor, mouse, bell and console.

use super::{Call, NIL, T};
use crate::dispatch::Flow;
use crate::layout::{IOPAGE, Layout, SMALL_POSITIVE};
use crate::machine::Machine;
use crate::platform::{Cursor, LogLevel};
use crate::startup::iopage;

/// DSPBOUT: a character for the console. Lisp's end of line is a carriage return.
pub(super) fn print_character<L: Layout>(m: &mut Machine<L>, call: &Call<'_>) -> Result<u32, Flow> {
    let character = (call.argument(0) & 0x7F) as u8;
    m.platform.console(&[if character == b'\r' { b'\n' } else { character }]);
    Ok(call.top)
}

/// DSP-SCREENWIDTH.
pub(super) fn width<L: Layout>(m: &mut Machine<L>, _call: &Call<'_>) -> Result<u32, Flow> {
    Ok(SMALL_POSITIVE | m.platform.screen_size().0 as u32)
}

/// DSP-SCREENHEIGHT.
pub(super) fn height<L: Layout>(m: &mut Machine<L>, _call: &Call<'_>) -> Result<u32, Flow> {
    Ok(SMALL_POSITIVE | m.platform.screen_size().1 as u32)
}

/// DSP-VIDEOCOLOR: white on black, or black on white.
pub(super) fn video_color<L: Layout>(m: &mut Machine<L>, call: &Call<'_>) -> Result<u32, Flow> {
    let inverse = call.argument(0) & 0xFFFF != 0;
    m.platform.set_inverse(inverse);
    Ok(if inverse { T } else { NIL })
}

/// DSPCURSOR: the cursor in the I/O page has changed. Medley 3.5 gives the hot spot, counted from the lower left corner;
/// in Medley 2.0 the mouse is the cursor's upper left corner and Lisp adds the hot spot itself.
pub(super) fn cursor<L: Layout>(m: &mut Machine<L>, call: &Call<'_>) -> Result<u32, Flow> {
    if L::BIG {
        m.keyboard.hot_x = call.argument(0) as u16 & 15;
        m.keyboard.hot_y = 15u16.wrapping_sub(call.argument(1) as u16) & 15;
    }
    show_cursor(m);
    Ok(call.top)
}

/// Gives the platform the cursor that is in the I/O page.
fn show_cursor<L: Layout>(m: &mut Machine<L>) {
    let rows = core::array::from_fn(|row| m.space.word(IOPAGE.plus(iopage::CURSOR + row as u32)));
    let cursor = Cursor { rows, hot_x: m.keyboard.hot_x as u8, hot_y: m.keyboard.hot_y as u8 };
    m.platform.set_cursor(&cursor);
}

/// SETMOUSEXY: puts the mouse somewhere.
pub(super) fn set_mouse<L: Layout>(m: &mut Machine<L>, call: &Call<'_>) -> Result<u32, Flow> {
    let (x, y) = (call.argument(0) as u16, call.argument(1) as u16);
    let (width, height) = m.platform.screen_size();
    let (x, y) = (x.wrapping_add(m.keyboard.hot_x), y.wrapping_add(m.keyboard.hot_y));
    if x < width && y < height {
        m.platform.warp_mouse(x, y);
    }
    Ok(call.top)
}

/// KEYBOARDBEEP: on or off, and the tone in hertz.
pub(super) fn beep<L: Layout>(m: &mut Machine<L>, call: &Call<'_>) -> Result<u32, Flow> {
    let hertz = call.argument(1) & 0xFFFF;
    m.platform.tone((call.argument(0) == T && hertz != 0).then_some(hertz));
    Ok(call.top)
}

/// KEYBOARDMAP: a number for the maintenance panel, by which a D-machine says what troubles it.
pub(super) fn maintenance_panel<L: Layout>(m: &mut Machine<L>, call: &Call<'_>) -> Result<u32, Flow> {
    m.platform.log(LogLevel::Info, format_args!("maintenance panel: {}", call.argument(0) & 0xFFFF));
    Ok(call.top)
}
