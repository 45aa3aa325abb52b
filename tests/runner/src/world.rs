//! The world around the machine: this process's clock, a script for hands and eyes, standard output for a console.

use crate::files::HostFiles;
use crate::memory::Memory;
use crate::worlds::HostWorlds;
use script::{Action, Button, Picture, Player, Progress, Stage};
use std::cell::RefCell;
use std::collections::VecDeque;
use std::fmt;
use std::io::Write;
use std::path::PathBuf;
use std::rc::Rc;
use std::sync::atomic::{AtomicBool, AtomicU64, Ordering};
use std::time::{Duration, Instant, SystemTime, UNIX_EPOCH};
use vm::address::LispPage;
use vm::layout::DISPLAY;
use vm::memory::Space;
use vm::platform::{Cursor, Files, InputEvent, LogLevel, MouseButton, OutOfMemory, Platform, Worlds};

/// Instructions so far: the clock of a deterministic run, in microseconds.
pub static INSTRUCTIONS: AtomicU64 = AtomicU64::new(0);
/// Set when a run with a time limit has to end.
pub static TIME_IS_OVER: AtomicBool = AtomicBool::new(false);
/// Set when somebody wants the monitor.
pub static STOP_WANTED: AtomicBool = AtomicBool::new(false);
/// When a deterministic run takes place: 8 October 1992.
const DETERMINISTIC_START: i64 = 718_502_400;
/// An idle machine says so this often at least.
const IDLE_FOR: Duration = Duration::from_millis(100);

/// So long after an action Lisp has begun with what it makes of it.
const TAKEN_AFTER: Duration = Duration::from_millis(200);

/// Hands and eyes: what a script is played on.
pub struct Scene {
    player: Option<Player>,
    /// The script's file and the image's: pictures are beside them.
    files: (PathBuf, PathBuf),
    screenshot: Option<PathBuf>,
    space: Space,
    size: (u16, u16),
    start: Option<Instant>,
    rested: Option<Instant>,
    acted: Option<Instant>,
    events: VecDeque<InputEvent>,
    /// Before this nothing has to be done.
    wake: Duration,
}

impl Scene {
    /// A scene; `start` is `None` for a deterministic one.
    pub fn new(
        script: Option<Vec<script::Step>>,
        files: (PathBuf, PathBuf),
        screenshot: Option<PathBuf>,
        space: Space,
        size: (u16, u16),
        start: Option<Instant>,
    ) -> Scene {
        Scene {
            player: script.map(Player::new),
            files,
            screenshot,
            space,
            size,
            start,
            rested: None,
            acted: None,
            events: VecDeque::new(),
            wake: Duration::ZERO,
        }
    }

    /// Lets the script go on; ends the process with it.
    pub fn play(&mut self) {
        let now = self.now();
        if now < self.wake {
            return;
        }
        let Some(mut player) = self.player.take() else { return };
        let progress = player.play(self);
        self.player = Some(player);
        match progress {
            Progress::Sleeping(wake) => self.wake = wake,
            Progress::Done => self.end(0),
            Progress::Failed(what) => {
                eprintln!("runner: {what}");
                self.end(1)
            }
        }
    }

    /// When `play` has something to do.
    pub fn wake(&self) -> Duration {
        if self.player.is_some() { self.wake } else { Duration::MAX }
    }

    /// Takes the next event that the script made.
    pub fn event(&mut self) -> Option<InputEvent> {
        self.events.pop_front()
    }

    /// Ends the process, with the picture that was asked for.
    pub fn end(&mut self, mut status: i32) -> ! {
        if let Some(path) = self.screenshot.take()
            && let Err(error) = self.picture().save(&path)
        {
            eprintln!("runner: {error}");
            status = status.max(1);
        }
        let _ = std::io::stdout().flush();
        std::process::exit(status)
    }

    /// What the screen shows.
    fn picture(&self) -> Picture {
        let (width, height) = self.size;
        let mut picture = Picture::new(width, height);
        for (i, bytes) in picture.bits.as_chunks_mut::<4>().0.iter_mut().enumerate() {
            *bytes = self.space.cell(DISPLAY.plus(2 * i as u32)).to_be_bytes();
        }
        picture
    }

    fn path(&self, file: &str) -> PathBuf {
        script::picture_file(&self.files.0, &self.files.1, file)
    }
}

impl Stage for Scene {
    fn now(&mut self) -> Duration {
        match self.start {
            Some(start) => start.elapsed(),
            None => Duration::from_micros(INSTRUCTIONS.load(Ordering::Relaxed)),
        }
    }

    fn act(&mut self, action: Action) -> Result<(), String> {
        self.acted = Some(Instant::now());
        self.events.push_back(match action {
            Action::Key(key, true) => InputEvent::KeyDown(key.number),
            Action::Key(key, false) => InputEvent::KeyUp(key.number),
            Action::Move(x, y) => InputEvent::MouseMove { x, y },
            Action::Button(button, down) => {
                let button = match button {
                    Button::Left => MouseButton::Left,
                    Button::Middle => MouseButton::Middle,
                    Button::Right => MouseButton::Right,
                };
                InputEvent::Button { button, down }
            }
        });
        Ok(())
    }

    fn screen(&mut self) -> Result<Picture, String> {
        Ok(self.picture())
    }

    fn idle(&mut self) -> Result<bool, String> {
        let taken = self.acted.is_none_or(|acted| acted.elapsed() > TAKEN_AFTER);
        Ok(taken && self.rested.is_some_and(|rested| rested.elapsed() < IDLE_FOR))
    }

    fn exists(&mut self, file: &str) -> bool {
        self.path(file).exists()
    }

    fn load(&mut self, file: &str) -> Result<Picture, String> {
        Picture::load(&self.path(file))
    }

    fn save(&mut self, file: &str, picture: &Picture) -> Result<(), String> {
        picture.save(&self.path(file))
    }
}

/// This process, as the machine sees it.
pub struct Host {
    /// Its memory.
    pub memory: Rc<RefCell<Memory>>,
    /// Hands and eyes.
    pub scene: Rc<RefCell<Scene>>,
    /// The size of the screen.
    pub size: (u16, u16),
    /// When the run began; `None` if it is deterministic.
    pub start: Option<Instant>,
    /// Whether the machine shall stop when the time is over; otherwise this process ends at once.
    pub say_where: bool,
    /// Its files, if Lisp may have any.
    pub files: Option<HostFiles>,
    /// Where it saves worlds, unless Lisp may not touch files.
    pub worlds: Option<HostWorlds>,
}

impl Platform for Host {
    fn microseconds(&mut self) -> u64 {
        match self.start {
            Some(start) => start.elapsed().as_micros() as u64,
            None => INSTRUCTIONS.load(Ordering::Relaxed),
        }
    }

    fn unix_seconds(&mut self) -> i64 {
        if self.start.is_none() {
            return DETERMINISTIC_START + (INSTRUCTIONS.load(Ordering::Relaxed) / 1_000_000) as i64;
        }
        SystemTime::now().duration_since(UNIX_EPOCH).map_or(0, |time| time.as_secs() as i64)
    }

    fn log(&mut self, level: LogLevel, line: fmt::Arguments<'_>) {
        let level = match level {
            LogLevel::Error => "error",
            LogLevel::Warning => "warning",
            LogLevel::Info => "info",
            LogLevel::Debug => "debug",
        };
        eprintln!("runner: {level}: {line}");
    }

    fn console(&mut self, bytes: &[u8]) {
        // A console that nobody reads is no reason to stop Lisp.
        let _ = std::io::stdout().write_all(bytes);
    }

    fn poll_input(&mut self) -> Option<InputEvent> {
        if TIME_IS_OVER.load(Ordering::Relaxed) {
            if self.say_where {
                return Some(InputEvent::Stop);
            }
            eprintln!("runner: the time is over");
            self.scene.borrow_mut().end(0);
        }
        if STOP_WANTED.swap(false, Ordering::Relaxed) {
            return Some(InputEvent::Stop);
        }
        // A deterministic run gives events to the machine at exact instructions.
        self.start?;
        let mut scene = self.scene.borrow_mut();
        scene.play();
        scene.event()
    }

    fn screen_size(&mut self) -> (u16, u16) {
        self.size
    }

    fn set_cursor(&mut self, _cursor: &Cursor) {}

    fn warp_mouse(&mut self, _x: u16, _y: u16) {}

    fn set_inverse(&mut self, _inverse: bool) {}

    fn tone(&mut self, _hertz: Option<u32>) {}

    fn new_page(&mut self, page: LispPage) -> Result<(), OutOfMemory> {
        let opened = self.memory.borrow_mut().open(page);
        opened.map(|_| ()).map_err(|error| {
            eprintln!("runner: no memory for Lisp page {:#x}: {error}", page.0);
            OutOfMemory
        })
    }

    fn environment(&mut self, name: &[u8], buffer: &mut [u8]) -> Option<usize> {
        self.start?;
        let value = std::env::var(str::from_utf8(name).ok()?).ok()?;
        buffer.get_mut(..value.len())?.copy_from_slice(value.as_bytes());
        Some(value.len())
    }

    fn files(&mut self) -> Option<&mut dyn Files> {
        self.files.as_mut().map(|files| files as &mut dyn Files)
    }

    fn worlds(&mut self) -> Option<&mut dyn Worlds> {
        self.worlds.as_mut().map(|worlds| worlds as &mut dyn Worlds)
    }

    fn idle(&mut self, microseconds: u32) {
        if self.start.is_some() {
            self.scene.borrow_mut().rested = Some(Instant::now());
            std::thread::sleep(Duration::from_micros(microseconds as u64));
        }
    }

    fn power_off(&mut self) {
        self.scene.borrow_mut().end(0)
    }
}
