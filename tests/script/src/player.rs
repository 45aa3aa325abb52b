//! Acting a script out.

use crate::text::end_with;
use crate::{Action, Area, Command, Font, Picture, Step};
use std::time::Duration;

/// What a script is played on.
pub trait Stage {
    /// How long the machine has run.
    fn now(&mut self) -> Duration;
    /// Does something at the machine.
    fn act(&mut self, action: Action) -> Result<(), String>;
    /// What the screen shows, without the cursor if possible.
    fn screen(&mut self) -> Result<Picture, String>;
    /// What part of the screen cannot be seen because the cursor is over it.
    fn hidden(&self) -> Option<Area> {
        None
    }
    /// Whether Lisp has had nothing to do since the last action.
    fn idle(&mut self) -> Result<bool, String>;
    /// Whether a file is there that Lisp should have written; `file` is as the script names it.
    fn exists(&mut self, file: &str) -> bool;
    /// Reads a picture; `file` is as the script names it.
    fn load(&mut self, file: &str) -> Result<Picture, String>;
    /// Writes a picture; `file` is as the script names it.
    fn save(&mut self, file: &str, picture: &Picture) -> Result<(), String>;
}

/// How far a script is.
#[derive(Clone, PartialEq, Eq, Debug)]
pub enum Progress {
    /// Nothing to do before this time.
    Sleeping(Duration),
    /// All steps are done.
    Done,
    /// A step failed: what it says and why.
    Failed(String),
}

/// Between two transitions of keys or buttons: what a fast typist does, and what a deterministic run needs to agree on.
const KEY_STEP: Duration = Duration::from_millis(20);
/// How often to look for what is waited for.
const GLANCE: Duration = Duration::from_millis(100);
/// A change no larger than this is a blinking caret.
const CARET: u16 = 20;

/// A script being played.
pub struct Player {
    steps: Vec<Step>,
    /// The present step.
    at: usize,
    limit: Duration,
    /// When the present step began.
    since: Option<Duration>,
    /// Actions of the present step already done.
    done: usize,
    /// For `wait settled`: the screen, and since when it has been that.
    settled: Option<(Picture, Duration)>,
    /// For `expect`: the picture.
    expected: Option<Picture>,
    font: Font,
    page: Option<Area>,
    wake: Duration,
}

impl Player {
    /// At the start of a script.
    pub fn new(steps: Vec<Step>) -> Player {
        Player {
            steps,
            at: 0,
            limit: Duration::from_secs(20),
            since: None,
            done: 0,
            settled: None,
            expected: None,
            font: Font::default(),
            page: None,
            wake: Duration::ZERO,
        }
    }

    /// Does what is to be done now.
    pub fn play(&mut self, stage: &mut dyn Stage) -> Progress {
        let now = stage.now();
        while now >= self.wake {
            let Some(step) = self.steps.get(self.at) else { return Progress::Done };
            let (line, command) = (step.line, step.command.clone());
            let since = *self.since.get_or_insert(now);
            match self.step(&command, stage, now, since) {
                Ok(true) => {
                    if command == Command::Quit {
                        self.at = self.steps.len();
                        return Progress::Done;
                    }
                    self.at += 1;
                    (self.since, self.done, self.settled, self.expected) = (None, 0, None, None);
                }
                Ok(false) => {}
                Err(what) => return Progress::Failed(format!("line {line} of the script: {what}")),
            }
        }
        Progress::Sleeping(self.wake)
    }

    /// One look at the present step; whether it is done. Sets `wake` if there is something to wait for.
    fn step(
        &mut self,
        command: &Command,
        stage: &mut dyn Stage,
        now: Duration,
        since: Duration,
    ) -> Result<bool, String> {
        let late = now - since >= self.limit;
        match command {
            Command::Limit(limit) => {
                self.limit = *limit;
                Ok(true)
            }
            Command::Wait(time) => Ok(self.sleep_until(since + *time, now)),
            Command::WaitUntil(time) => Ok(self.sleep_until(*time, now)),
            Command::WaitIdle => {
                if stage.idle()? {
                    return Ok(true);
                }
                self.glance_again(now, late, || "Lisp did not become idle".into())
            }
            Command::WaitFile(file) => {
                if stage.exists(file) {
                    return Ok(true);
                }
                self.glance_again(now, late, || format!("Lisp did not write {file}"))
            }
            Command::WaitSettled(quiet) => {
                let (screen, hidden) = (stage.screen()?, stage.hidden());
                match &self.settled {
                    Some((before, quiet_since))
                        if only_a_caret(before.difference(&screen, None, hidden.as_slice())) =>
                    {
                        if now - *quiet_since >= *quiet {
                            return Ok(true);
                        }
                    }
                    _ => self.settled = Some((screen, now)),
                }
                self.glance_again(now, late, || "the screen did not settle".into())
            }
            Command::Act(actions) => {
                if let Some(&action) = actions.get(self.done) {
                    stage.act(action)?;
                    self.done += 1;
                    self.wake = now + KEY_STEP;
                }
                Ok(self.done >= actions.len())
            }
            Command::Take { file, region } => {
                let screen = stage.screen()?;
                let picture = region.map_or_else(|| screen.clone(), |region| screen.part(region));
                stage.save(file, &picture).map(|()| true)
            }
            Command::Font { file, characters } => {
                let picture = stage.load(file)?;
                self.font.learn(&picture, characters).map(|()| true).map_err(|what| format!("{file}: {what}"))
            }
            Command::Page(page) => {
                self.page = Some(*page);
                Ok(true)
            }
            Command::ExpectLines(expected) => {
                let page = self.page.ok_or("expect lines wants to know the page")?;
                let screen = stage.screen()?;
                let lines = self.font.lines(&screen, page, stage.hidden());
                if end_with(&lines, expected) {
                    return Ok(true);
                }
                if late {
                    stage.save("lines-got.png", &screen)?;
                    let last = &lines[lines.len().saturating_sub(expected.len() + 2)..];
                    return Err(format!(
                        "the last lines of text are {last:?}, not {expected:?}; the screen is kept as lines-got.png"
                    ));
                }
                self.wake = now + GLANCE;
                Ok(false)
            }
            Command::Expect { file, region, masks } => {
                if self.expected.is_none() {
                    self.expected = Some(stage.load(file)?);
                }
                let screen = stage.screen()?;
                let expected = self.expected.as_ref().expect("it was just loaded");
                if (screen.width, screen.height) != (expected.width, expected.height) {
                    return Err(format!(
                        "the screen is {} by {} and {file} is {} by {}",
                        screen.width, screen.height, expected.width, expected.height
                    ));
                }
                let masks: Vec<Area> = masks.iter().copied().chain(stage.hidden()).collect();
                let Some((area, pixels)) = expected.difference(&screen, *region, &masks) else {
                    return Ok(true);
                };
                if late {
                    // Beside the script, wherever the expected one is.
                    let own = file.rsplit('/').next().unwrap_or(file);
                    let got = format!("{}-got.png", own.strip_suffix(".png").unwrap_or(own));
                    stage.save(&got, &screen)?;
                    let Area { x, y, width, height } = area;
                    return Err(format!(
                        "the screen differs from {file} in {pixels} pixels, all in the {width} by {height} at column \
                         {x}, row {y}; it is kept as {got}"
                    ));
                }
                self.wake = now + GLANCE;
                Ok(false)
            }
            Command::Quit => Ok(true),
        }
    }

    fn sleep_until(&mut self, time: Duration, now: Duration) -> bool {
        self.wake = self.wake.max(time);
        now >= time
    }

    fn glance_again(&mut self, now: Duration, late: bool, what: impl Fn() -> String) -> Result<bool, String> {
        if late {
            return Err(format!("{} within {:?}", what(), self.limit));
        }
        self.wake = now + GLANCE;
        Ok(false)
    }
}

fn only_a_caret(difference: Option<(Area, usize)>) -> bool {
    difference.is_none_or(|(area, _)| area.width <= CARET && area.height <= CARET)
}

#[cfg(test)]
mod tests {
    use super::*;
    use crate::parse;

    struct Fake {
        now: Duration,
        acts: Vec<(Duration, Action)>,
        screen: Picture,
        idle_from: Duration,
        saved: Vec<String>,
    }

    impl Stage for Fake {
        fn now(&mut self) -> Duration {
            self.now
        }
        fn act(&mut self, action: Action) -> Result<(), String> {
            self.acts.push((self.now, action));
            Ok(())
        }
        fn screen(&mut self) -> Result<Picture, String> {
            Ok(self.screen.clone())
        }
        fn idle(&mut self) -> Result<bool, String> {
            Ok(self.now >= self.idle_from)
        }
        fn exists(&mut self, _file: &str) -> bool {
            self.now >= Duration::from_secs(3)
        }
        fn load(&mut self, _file: &str) -> Result<Picture, String> {
            Ok(Picture::new(64, 64))
        }
        fn save(&mut self, file: &str, _picture: &Picture) -> Result<(), String> {
            self.saved.push(file.into());
            Ok(())
        }
    }

    fn fake() -> Fake {
        Fake {
            now: Duration::ZERO,
            acts: Vec::new(),
            screen: Picture::new(64, 64),
            idle_from: Duration::ZERO,
            saved: Vec::new(),
        }
    }

    /// Plays to the end, a millisecond at a time; `change` alters the world before each.
    fn play(text: &str, stage: &mut Fake, mut change: impl FnMut(&mut Fake)) -> Progress {
        let mut player = Player::new(parse(text).unwrap());
        loop {
            change(stage);
            match player.play(stage) {
                Progress::Sleeping(_) => stage.now += Duration::from_millis(1),
                end => return end,
            }
        }
    }

    #[test]
    fn keys_take_their_time() {
        let mut stage = fake();
        assert_eq!(play("wait until 1s\ntype \"aB\"", &mut stage, |_| ()), Progress::Done);
        let times: Vec<u128> = stage.acts.iter().map(|(time, _)| time.as_millis()).collect();
        assert_eq!(times, [1000, 1020, 1040, 1060, 1080, 1100]);
    }

    #[test]
    fn settling_ignores_a_caret() {
        let mut stage = fake();
        let blink = |stage: &mut Fake| stage.screen.bits[0] = (stage.now.as_millis() / 100 % 2) as u8;
        assert_eq!(play("wait settled 2s", &mut stage, blink), Progress::Done);
        let mut stage = fake();
        let more = |stage: &mut Fake| stage.screen.bits.fill((stage.now.as_millis() / 100) as u8);
        assert!(matches!(play("limit 3s\nwait settled 1s", &mut stage, more), Progress::Failed(_)));
    }

    #[test]
    fn expectations_have_a_limit() {
        let mut stage = fake();
        stage.screen.bits[9] = 0x40;
        let Progress::Failed(what) = play("limit 1s\nexpect \"x.png\"", &mut stage, |_| ()) else { panic!() };
        assert!(what.contains("1 pixels") && what.contains("column 9, row 1"), "{what}");
        assert_eq!(stage.saved, ["x-got.png"]);
        let clear = |stage: &mut Fake| {
            if stage.now.as_millis() > 500 {
                stage.screen.bits[9] = 0
            }
        };
        assert_eq!(play("expect \"x.png\"", &mut fake(), clear), Progress::Done);
    }

    #[test]
    fn text_is_read() {
        // All of the font is one blank of 8 by 4, and all of the screen is blank.
        let mut stage = fake();
        let script = "limit 1s\nfont \"f\" \"abcdefgh\"";
        let Progress::Failed(what) = play(script, &mut stage, |_| ()) else { panic!() };
        assert!(what.contains("line 2") && what.contains("look the same"), "{what}");
        let Progress::Failed(what) = play("limit 1s\npage 0 0 64 64\nexpect lines \"7\"", &mut stage, |_| ()) else {
            panic!()
        };
        assert!(what.contains("are []"), "{what}");
        assert_eq!(stage.saved, ["lines-got.png"]);
    }

    #[test]
    fn files_are_awaited() {
        let mut stage = fake();
        assert_eq!(play("wait file \"x\"", &mut stage, |_| ()), Progress::Done);
        assert_eq!(stage.now, Duration::from_secs(3));
        assert!(matches!(play("limit 1s\nwait file \"x\"", &mut fake(), |_| ()), Progress::Failed(_)));
    }

    #[test]
    fn idleness_is_awaited() {
        let mut stage = fake();
        stage.idle_from = Duration::from_secs(2);
        assert_eq!(play("wait idle\nquit\nwait 100s", &mut stage, |_| ()), Progress::Done);
        assert!(stage.now >= Duration::from_secs(2) && stage.now < Duration::from_secs(3));
    }
}
