//! Scripts in QEMU: pictures by screendump, keys and mouse through the emulated keyboard controller.
//!
//! The mouse only knows how far it went, so each move asks the kernel over the serial line where it is, and goes the
//! rest. On the framebuffer the cursor is part of the picture: what is under it counts as hidden.

use crate::text;
use qemu::{Button, Machine, Qemu};
use script::{Action, Area, Picture, Player, Progress, Stage, keys::Key};
use std::path::{Path, PathBuf};
use std::time::Duration;

/// How often a mouse may need another push.
const PUSHES: usize = 8;
/// So many rests between two looks mean that Lisp is idle.
const IDLE_RESTS: u64 = 3;
/// The cursor is this large, pixels, with its hot spot anywhere in it.
const CURSOR: u16 = 16;

/// A machine in QEMU with Lisp in it.
pub struct MachineWithLisp {
    qemu: Qemu,
    medley: PathBuf,
    /// The script that is played; pictures are beside it.
    script: PathBuf,
    mouse: (u16, u16),
    /// Rests at the last look since the last action.
    rests: Option<u64>,
}

impl MachineWithLisp {
    /// Starts a machine with an image.
    pub fn start(machine: Machine, medley: &Path) -> Result<Self, String> {
        Self::start_from_its_disk(machine.disk(medley), medley)
    }

    /// Starts a machine that has a disk already. `medley` is where pictures are looked for.
    pub fn start_from_its_disk(machine: Machine, medley: &Path) -> Result<Self, String> {
        let mut qemu = machine.size(1024, 768).start().map_err(text)?;
        qemu.wait_for("first picture").map_err(text)?;
        Ok(Self { qemu, medley: medley.into(), script: PathBuf::new(), mouse: (512, 384), rests: None })
    }

    /// The machine below.
    pub fn qemu(&mut self) -> &mut Qemu {
        &mut self.qemu
    }

    /// Plays a script.
    pub fn play(&mut self, script: &Path) -> Result<(), String> {
        let steps = std::fs::read_to_string(script).map_err(|error| format!("{}: {error}", script.display()))?;
        self.script = script.into();
        self.play_steps(&steps)
    }

    /// Plays a script that is in no file.
    pub fn play_steps(&mut self, steps: &str) -> Result<(), String> {
        let mut player = Player::new(script::parse(steps).map_err(text)?);
        loop {
            match player.play(self) {
                Progress::Done => return Ok(()),
                Progress::Failed(what) => return Err(format!("{what}\nlog:\n{}", self.log())),
                Progress::Sleeping(wake) => self.qemu.pause(wake.saturating_sub(self.qemu.age())),
            }
        }
    }

    /// The serial log without the answers to our own questions.
    fn log(&self) -> String {
        self.qemu
            .log()
            .lines()
            .filter(|line| !line.contains("status: mouse"))
            .fold(String::new(), |log, line| log + line + "\n")
    }

    /// Where the mouse is, and how often Lisp has rested.
    fn status(&mut self) -> Result<((u16, u16), u64), String> {
        let line = self.qemu.ask(b's', "status: mouse ").map_err(text)?;
        let numbers: Vec<u64> = line.split_ascii_whitespace().rev().filter_map(|word| word.parse().ok()).collect();
        let [rests, y, x, ..] = numbers[..] else { return Err(format!("the kernel's status is strange: {line}")) };
        Ok(((x as u16, y as u16), rests))
    }

    fn move_to(&mut self, x: u16, y: u16) -> Result<(), String> {
        for _ in 0..PUSHES {
            let ((at_x, at_y), _) = self.status()?;
            self.mouse = (at_x, at_y);
            if (at_x, at_y) == (x, y) {
                return Ok(());
            }
            let distance = |from: u16, to: u16| i32::from(to) - i32::from(from);
            self.qemu.move_mouse(distance(at_x, x), distance(at_y, y)).map_err(text)?;
        }
        Err(format!("the mouse does not get to {x} {y}; it is at {} {}", self.mouse.0, self.mouse.1))
    }

    fn key(&mut self, key: Key, down: bool) -> Result<(), String> {
        self.qemu.key(key.qcode, down).map_err(text)
    }
}

impl Stage for MachineWithLisp {
    fn now(&mut self) -> Duration {
        self.qemu.age()
    }

    fn act(&mut self, action: Action) -> Result<(), String> {
        self.rests = None;
        match action {
            Action::Key(key, down) => self.key(key, down),
            Action::Move(x, y) => self.move_to(x, y),
            Action::Button(button, down) => {
                let button = match button {
                    script::Button::Left => Button::Left,
                    script::Button::Middle => Button::Middle,
                    script::Button::Right => Button::Right,
                };
                self.qemu.button(button, down).map_err(text)
            }
        }
    }

    fn screen(&mut self) -> Result<Picture, String> {
        // Lisp may have put the mouse, and with it the cursor, somewhere.
        self.mouse = self.status()?.0;
        let shot = self.qemu.screenshot().map_err(text)?;
        let mut picture = Picture::new(shot.width as u16, shot.height as u16);
        for y in 0..picture.height {
            for x in 0..picture.width {
                if shot.is_black(x.into(), y.into()) {
                    picture.set_black(x, y);
                }
            }
        }
        Ok(picture)
    }

    fn hidden(&self) -> Option<Area> {
        let corner = |at: u16| at.saturating_sub(CURSOR - 1);
        let (x, y) = (corner(self.mouse.0), corner(self.mouse.1));
        Some(Area { x, y, width: self.mouse.0 + CURSOR - x, height: self.mouse.1 + CURSOR - y })
    }

    fn idle(&mut self) -> Result<bool, String> {
        let (_, rests) = self.status()?;
        let before = *self.rests.get_or_insert(rests);
        Ok(rests >= before + IDLE_RESTS)
    }

    fn exists(&mut self, file: &str) -> bool {
        self.qemu.has_exported(file)
    }

    fn load(&mut self, file: &str) -> Result<Picture, String> {
        Picture::load(&script::picture_file(&self.script, &self.medley, file))
    }

    fn save(&mut self, file: &str, picture: &Picture) -> Result<(), String> {
        picture.save(&script::picture_file(&self.script, &self.medley, file))
    }
}

/// Plays a script in QEMU.
pub fn play_in_qemu(medley: &Path, script: &Path, limit: Duration) -> Result<(), String> {
    MachineWithLisp::start(Machine::new().limit(limit), medley)?.play(script)
}
