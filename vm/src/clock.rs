//! Time, as Lisp wants it.
//!
//! ```text
//!                    1901-01-01          1970-01-01           1985-01-01...
//!   Alto seconds     0                   2 177 452 800
//!   Unix seconds                         0
//!   Lisp's date      a signed number 2^31 behind the Alto's: 29 969 152 at Unix 0
//! ```
//!
//! The platform's calendar is read once, when Lisp starts; from then on its microseconds count, so that time never goes
//! back. The statistics page (MISCSTATS, 31 cells) has a copy of the seconds that Lisp reads without a call.

use crate::address::LispPtr;
use crate::layout::Layout;
use crate::machine::Machine;

/// Alto seconds at Unix second 0.
const ALTO_AT_UNIX_0: u64 = 2_177_452_800;
/// Lisp's date at Unix second 0.
const LISP_AT_UNIX_0: u64 = 29_969_152;

/// Cells of the statistics page, by number.
mod statistics {
    /// Milliseconds at which Lisp started.
    pub const START_TIME: u32 = 0;
    /// Milliseconds of processor time.
    pub const TOTAL_TIME: u32 = 1;
    /// Milliseconds waited for pages, page faults, pages written, and disk statistics: five cells.
    pub const PAGING: u32 = 2;
    /// Milliseconds spent in the collector.
    pub const COLLECTOR_TIME: u32 = 8;
    /// Alto seconds.
    pub const SECONDS: u32 = 14;
    /// Alto seconds again.
    pub const SECONDS_COPY: u32 = 18;
    /// All of them.
    pub const COUNT: u32 = 31;
}

/// When Lisp started.
#[derive(Clone, Copy, Debug, Default)]
pub(crate) struct Clock {
    /// Unix microseconds.
    unix: u64,
    /// The platform's microseconds.
    platform: u64,
}

/// What a program can ask GETUNIXTIME for.
const ELAPSED_MILLISECONDS: u32 = 0;
const START_MILLISECONDS: u32 = 1;
const RUN_MILLISECONDS: u32 = 2;
const COLLECTOR_MILLISECONDS: u32 = 3;
const ALTO_SECONDS: u32 = 4;
const LISP_SECONDS: u32 = 5;
const DAYLIGHT_SAVING_STARTS: u32 = 6;
const DAYLIGHT_SAVING_ENDS: u32 = 7;
const HOURS_BEHIND_UTC: u32 = 8;

impl<L: Layout> Machine<L> {
    /// Microseconds since 1970, UTC.
    pub(crate) fn unix_microseconds(&mut self) -> u64 {
        let gone = self.platform.microseconds().wrapping_sub(self.clock.platform);
        self.clock.unix.wrapping_add(gone)
    }

    fn unix_seconds(&mut self) -> u64 {
        self.unix_microseconds() / 1_000_000
    }

    fn statistic(number: u32) -> LispPtr {
        L::MISCSTATS.plus(2 * number)
    }

    fn set_statistic(&self, number: u32, value: u64) {
        self.space.set_cell(Self::statistic(number), value as u32);
    }

    /// Starts the clock and the statistics.
    pub(crate) fn start_clock(&mut self) {
        self.clock = Clock {
            unix: (self.platform.unix_seconds().max(0) as u64).wrapping_mul(1_000_000),
            platform: self.platform.microseconds(),
        };
        let now = self.time(ELAPSED_MILLISECONDS);
        self.set_statistic(statistics::START_TIME, now as u64);
        self.set_statistic(statistics::COLLECTOR_TIME, 0);
        self.update_statistics();
    }

    /// Brings the seconds of the statistics page up to date; part of every interrupt.
    pub(crate) fn update_seconds(&mut self) {
        let seconds = self.unix_seconds() + ALTO_AT_UNIX_0;
        self.set_statistic(statistics::SECONDS, seconds);
        self.set_statistic(statistics::SECONDS_COPY, seconds);
    }

    /// The seconds that Lisp sees on the statistics page.
    pub(crate) fn statistics_seconds(&self) -> u32 {
        self.space.cell(Self::statistic(statistics::SECONDS_COPY))
    }

    /// Brings the whole statistics page up to date.
    fn update_statistics(&mut self) {
        let run = self.platform.microseconds().wrapping_sub(self.clock.platform) / 1000;
        self.set_statistic(statistics::TOTAL_TIME, run);
        for number in 0..5 {
            self.set_statistic(statistics::PAGING + number, 0);
        }
        self.update_seconds();
    }

    /// GETUNIXTIME: one of the clocks, 32 bits.
    pub(crate) fn time(&mut self, which: u32) -> i32 {
        let value = match which {
            ELAPSED_MILLISECONDS => {
                let now = self.unix_microseconds();
                (now / 1_000_000 + ALTO_AT_UNIX_0) * 1000 + now / 1000 % 1000
            }
            START_MILLISECONDS => self.space.cell(Self::statistic(statistics::START_TIME)) as u64,
            RUN_MILLISECONDS => {
                self.update_statistics();
                self.space.cell(Self::statistic(statistics::TOTAL_TIME)) as u64
            }
            COLLECTOR_MILLISECONDS => self.space.cell(Self::statistic(statistics::COLLECTOR_TIME)) as u64,
            ALTO_SECONDS => self.unix_seconds() + ALTO_AT_UNIX_0,
            LISP_SECONDS => self.unix_seconds() + LISP_AT_UNIX_0,
            // The image knows its own rules for daylight saving; these days of the year are what emulators answer.
            DAYLIGHT_SAVING_STARTS => 98,
            DAYLIGHT_SAVING_ENDS => 305,
            HOURS_BEHIND_UTC => (-self.platform.utc_offset_seconds() / 3600) as u64,
            _ => 0,
        };
        value as i32
    }

    /// COPYTIMESTATS: copies a block of statistics, after bringing the machine's own up to date.
    pub(crate) fn copy_statistics(&mut self, from: LispPtr, to: LispPtr) {
        self.update_statistics();
        for number in 0..statistics::COUNT {
            let value = self.space.cell(from.plus(2 * number));
            self.space.set_cell(to.plus(2 * number), value);
        }
    }
}

#[cfg(test)]
mod tests {
    use super::*;
    use crate::layout::{Medley2, Medley35};
    use crate::testing;

    #[test]
    fn the_eight_clocks() {
        let mut m = testing::machine::<Medley2>();
        m.world().microseconds = 5_000_000;
        m.start_clock();
        let start = (2_895_955_200u64 * 1000) as i32;
        assert_eq!(m.time(1), start);
        m.world().microseconds = 6_234_567;
        assert_eq!(m.time(0), start.wrapping_add(1234));
        assert_eq!(m.time(1), start);
        assert_eq!(m.time(2), 1234);
        assert_eq!(m.time(4) as u32, 2_895_955_201);
        assert_eq!(m.time(5), 718_502_401 + 29_969_152);
        assert_eq!((m.time(6), m.time(7), m.time(8), m.time(9)), (98, 305, 0, 0));
    }

    #[test]
    fn statistics_are_copied() {
        let mut m = testing::machine::<Medley35>();
        m.start_clock();
        m.world().microseconds = 2_000_000;
        m.copy_statistics(Medley35::MISCSTATS, LispPtr(0x1000));
        assert_eq!(m.space.cell(LispPtr(0x1000 + 2)), 2000);
        assert_eq!(m.space.cell(LispPtr(0x1000 + 28)), 2_895_955_202);
        assert_eq!(m.space.cell(LispPtr(0x1000 + 36)), 2_895_955_202);
    }
}
