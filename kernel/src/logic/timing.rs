//! How fast a counter runs, measured against a timer of known speed by a processor that may be stopped at any moment:
//! under a hypervisor on a busy host tens of milliseconds go by between two instructions.
//!
//! ```text
//!   timer (counts down)      60000 . . . . . . . . . . . . . . . 48000
//!   reading            before |  | after                 before |  | after      the narrowest of several, at each end
//!   counter            -------+--+------------------------------+--+------>
//! ```
//! A stop inside a reading makes that reading wide, and a narrower one is taken; a stop between the two ends is time for
//! both clocks and harms nothing. One so long that the timer runs out makes the measurement begin again.

/// The timer, and the counter immediately before and after that moment.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub struct Reading {
    /// The counter before.
    pub before: u64,
    /// The timer, which counts down; `None` when it has run out.
    pub timer: Option<u16>,
    /// The counter after.
    pub after: u64,
}

impl Reading {
    fn width(&self) -> u64 {
        self.after.wrapping_sub(self.before)
    }

    fn middle(&self) -> u64 {
        self.before.wrapping_add(self.width() / 2)
    }
}

/// Readings of which the narrowest is taken.
const READINGS: usize = 8;
/// A measurement is good when its two readings are together no wider than this part of it.
const GOOD: u64 = 1000;
/// Measurements that are tried.
const TRIALS: usize = 10;
/// A timer that has not done its part after so many ticks of the counter stands still.
const PATIENCE: u64 = 1 << 32;

/// Ticks of the counter a second. `restart` lets the timer begin at its greatest value; a measurement lasts for `clocks`
/// of its clocks, of which there are `hertz` in a second. `None` if the timer stands still.
pub fn measure(mut restart: impl FnMut(), mut read: impl FnMut() -> Reading, clocks: u16, hertz: u64) -> Option<u64> {
    let mut best: Option<(u64, u64)> = None;
    for _ in 0..TRIALS {
        restart();
        let Some((first, last)) = ends(&mut read, clocks)? else { continue };
        let passed = last.middle().wrapping_sub(first.middle());
        let timer = first.timer.zip(last.timer).map_or(1, |(first, last)| u64::from(first.saturating_sub(last).max(1)));
        let speed = (u128::from(passed) * u128::from(hertz) / u128::from(timer)) as u64;
        let doubt = first.width() + last.width();
        if doubt <= passed / GOOD {
            return Some(speed);
        }
        if best.is_none_or(|(_, least)| doubt < least) {
            best = Some((speed, doubt));
        }
    }
    best.map(|(speed, _)| speed)
}

/// The readings at the two ends of a measurement: `Some(None)` if the timer ran out, `None` if it stands still.
fn ends(read: &mut impl FnMut() -> Reading, clocks: u16) -> Option<Option<(Reading, Reading)>> {
    let Some(first) = narrowest(read) else { return Some(None) };
    loop {
        let now = read();
        match (first.timer, now.timer) {
            (Some(start), Some(timer)) if start.saturating_sub(timer) >= clocks => break,
            (_, None) => return Some(None),
            _ if now.after.wrapping_sub(first.after) > PATIENCE => return None,
            _ => {}
        }
    }
    Some(narrowest(read).map(|last| (first, last)))
}

/// The narrowest of several readings; `None` if the timer runs out.
fn narrowest(read: &mut impl FnMut() -> Reading) -> Option<Reading> {
    let mut best = read();
    for _ in 1..READINGS {
        let next = read();
        if next.width() < best.width() {
            best = next;
        }
        next.timer?;
    }
    best.timer.map(|_| best)
}

#[cfg(test)]
mod tests {
    use super::*;
    use core::cell::RefCell;

    const PIT: u64 = 1_193_182;
    const TSC: u64 = 2_610_000_000;

    /// A processor and a timer beside it. `stop` says how long it is stopped behind each step, in ticks of the counter.
    struct World<F> {
        now: u64,
        started: u64,
        steps: u64,
        stop: F,
    }

    impl<F: FnMut(u64) -> u64> World<F> {
        fn step(&mut self) {
            self.steps += 1;
            self.now += 900 + (self.stop)(self.steps);
        }

        fn reading(&mut self) -> Reading {
            let before = self.now;
            self.step();
            let passed = u128::from(self.now - self.started) * u128::from(PIT) / u128::from(TSC);
            let timer = u16::try_from(passed).ok().map(|passed| u16::MAX - passed);
            self.step();
            let after = self.now;
            self.step();
            Reading { before, timer, after }
        }
    }

    fn measured(stop: impl FnMut(u64) -> u64) -> Option<u64> {
        let world = RefCell::new(World { now: 12_345, started: 0, steps: 0, stop });
        let restart = || {
            let mut world = world.borrow_mut();
            world.started = world.now;
            world.step();
        };
        measure(restart, || world.borrow_mut().reading(), 11_932, PIT)
    }

    fn is_right(speed: Option<u64>) -> bool {
        speed.is_some_and(|speed| speed.abs_diff(TSC) < TSC / 1000)
    }

    #[test]
    fn undisturbed() {
        assert!(is_right(measured(|_| 0)), "{:?}", measured(|_| 0));
    }

    #[test]
    fn a_stop_at_any_step_does_no_harm() {
        // 85 ms, more than the timer's 55; 20 ms; 1 ms.
        for stop in [TSC * 85 / 1000, TSC / 50, TSC / 1000] {
            for at in 0..400 {
                let speed = measured(|step| if step == at { stop } else { 0 });
                assert!(is_right(speed), "stopped for {stop} at step {at}: {speed:?}");
            }
        }
    }

    #[test]
    fn stops_again_and_again() {
        let mut seed = 1u64;
        for _ in 0..200 {
            let speed = measured(|_| {
                seed = seed.wrapping_mul(6_364_136_223_846_793_005).wrapping_add(1_442_695_040_888_963_407);
                if (seed >> 33).is_multiple_of(40) { TSC / 1000 * (seed >> 40 & 7) } else { seed >> 54 }
            });
            assert!(is_right(speed), "{speed:?}");
        }
    }

    #[test]
    fn a_timer_that_stands_still() {
        let mut now = 0;
        let read = || {
            now += 1 << 20;
            Reading { before: now - 10, timer: Some(u16::MAX), after: now }
        };
        assert_eq!(measure(|| {}, read, 11_932, PIT), None);
    }
}
