//! What to start: boot path, memory, disk, command line, time limit.

use crate::running::Qemu;
use crate::{QemuError, Result};
use fixtures::root;
use std::path::{Path, PathBuf};
use std::process::Command;
use std::time::Duration;

/// How the machine comes up.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub enum Boot {
    /// QEMU loads the kernel.
    Pvh,
    /// A disk image, a BIOS.
    Bios,
    /// A disk image, UEFI.
    Uefi,
}

impl Boot {
    /// Can this way be tested here? The maker of disk images takes minutes to build, so tests use it only if it is there:
    /// `./run-qemu.sh --boot bios` builds it.
    pub fn is_ready(self) -> bool {
        self == Boot::Pvh || root().join("target/boot/release/boot-image").exists()
    }

    fn name(self) -> &'static str {
        match self {
            Boot::Pvh => "pvh",
            Boot::Bios => "bios",
            Boot::Uefi => "uefi",
        }
    }
}

/// A machine that is not running yet.
#[derive(Debug, Clone)]
pub struct Machine {
    pub(crate) boot: Boot,
    pub(crate) memory_mebibytes: u32,
    pub(crate) size: Option<(u32, u32)>,
    pub(crate) disk: Option<PathBuf>,
    pub(crate) writable: bool,
    pub(crate) drive: Option<String>,
    pub(crate) device: String,
    pub(crate) module: Option<PathBuf>,
    pub(crate) share: Option<(PathBuf, bool)>,
    pub(crate) handed: Vec<(String, PathBuf)>,
    pub(crate) words: Vec<String>,
    pub(crate) arguments: Vec<String>,
    pub(crate) limit: Duration,
}

impl Default for Machine {
    fn default() -> Self {
        Self::new()
    }
}

impl Machine {
    /// PVH, 256 MiB, no disk, the kernel's own idea of a screen, a minute and a half.
    pub fn new() -> Self {
        Self {
            boot: Boot::Pvh,
            memory_mebibytes: 256,
            size: None,
            disk: None,
            writable: false,
            drive: None,
            device: String::new(),
            module: None,
            share: None,
            handed: Vec::new(),
            words: vec!["exit-device".into()],
            arguments: Vec::new(),
            limit: Duration::from_secs(90),
        }
    }

    /// Comes up another way.
    pub fn boot(mut self, boot: Boot) -> Self {
        self.boot = boot;
        self
    }

    /// Has another amount of memory.
    pub fn memory(mut self, mebibytes: u32) -> Self {
        self.memory_mebibytes = mebibytes;
        self
    }

    /// Has a screen of that many pixels.
    pub fn size(mut self, width: u32, height: u32) -> Self {
        self.size = Some((width, height));
        self
    }

    /// Has that file as its (read-only) disk.
    pub fn disk(mut self, file: impl Into<PathBuf>) -> Self {
        self.disk = Some(file.into());
        self
    }

    /// Has that file as its boot module: a tar archive of files for Lisp. Only with [`Boot::Pvh`].
    pub fn module(mut self, file: impl Into<PathBuf>) -> Self {
        self.module = Some(file.into());
        self
    }

    /// Has that file as its disk, and may write to it.
    pub fn writable_disk(mut self, file: impl Into<PathBuf>) -> Self {
        self.writable = true;
        self.disk(file)
    }

    /// Has that folder as `{DSK}/share/`, only to read if `read_only`.
    pub fn share(mut self, folder: impl Into<PathBuf>, read_only: bool) -> Self {
        self.share = Some((folder.into(), read_only));
        self
    }

    /// Has that file as `{DSK}/init/NAME`.
    pub fn hand_over(mut self, name: &str, file: impl Into<PathBuf>) -> Self {
        if self.handed.is_empty() {
            self.words.push("fw-cfg".into());
        }
        self.handed.push((name.into(), file.into()));
        self
    }

    /// Runs a job without a person, a file as Lisp sees it: see `lisp/job.lisp`.
    pub fn job(self, file: &str) -> Self {
        let start = root().join("lisp/job.lisp");
        let machine = self.hand_over("duralumin-job.lisp", start);
        machine.word(format!("JOB={file}")).word("LDEINIT={DSK}/init/duralumin-job.lisp")
    }

    /// Stays on when the kernel has stopped, with its report on the screen.
    pub fn stays_on(mut self) -> Self {
        self.words.retain(|word| word != "exit-device");
        self
    }

    /// Has a disk that QEMU is told of in its own words, which come behind `if=none,id=world,`.
    pub fn drive(mut self, options: impl Into<String>) -> Self {
        self.drive = Some(options.into());
        self
    }

    /// Tells QEMU more about the disk's controller, in its own words.
    pub fn controller(mut self, options: &str) -> Self {
        self.device = format!(",{options}");
        self
    }

    /// Has another word on the kernel's command line.
    pub fn word(mut self, word: impl Into<String>) -> Self {
        self.words.push(word.into());
        self
    }

    /// Lets the kernel believe that there is no exit device: it has to power off by ACPI.
    pub fn without_exit_device(mut self) -> Self {
        self.words.retain(|word| word != "exit-device");
        self
    }

    /// Gives QEMU more arguments.
    pub fn arguments(mut self, arguments: &[&str]) -> Self {
        self.arguments.extend(arguments.iter().map(|&argument| argument.into()));
        self
    }

    /// Has that much time, from start to end.
    pub fn limit(mut self, limit: Duration) -> Self {
        self.limit = limit;
        self
    }

    /// Starts it. Builds the kernel first, once a process.
    pub fn start(self) -> Result<Qemu> {
        let kernel = fixtures::KERNEL.path().map_err(QemuError::Start)?;
        Qemu::start(self, kernel)
    }

    /// The whole command, but for the sockets of [`Qemu`]. `directory` is for files this machine needs.
    pub(crate) fn command(&self, kernel: &Path, directory: &Path) -> Result<Command> {
        let mut qemu = Command::new("qemu-system-x86_64");
        qemu.args(["-accel", accelerator(), "-vga", "std", "-display", "none", "-no-reboot", "-nodefaults"]);
        qemu.args(["-m", &self.memory_mebibytes.to_string()]);
        qemu.args(["-device", "isa-debug-exit,iobase=0xf4,iosize=4"]);
        let drive = self.drive.clone().or_else(|| {
            let disk = self.disk.as_ref()?;
            let readonly = if self.writable { "off" } else { "on" };
            Some(format!("format=raw,werror=report,rerror=report,readonly={readonly},file={}", quoted(disk)))
        });
        if let Some(drive) = drive {
            qemu.args(["-drive", &format!("if=none,id=world,{drive}")]);
            qemu.args(["-device", &format!("virtio-blk-pci,drive=world{}", self.device)]);
        }
        if let Some((folder, read_only)) = &self.share {
            let folder = quoted(folder);
            let read_only = if *read_only { ",readonly=on" } else { "" };
            qemu.args([
                "-fsdev",
                &format!("local,id=share,path={folder},security_model=none,multidevs=remap{read_only}"),
            ]);
            qemu.args(["-device", "virtio-9p-pci,fsdev=share,mount_tag=share"]);
        }
        for (name, file) in &self.handed {
            let file = quoted(file);
            qemu.args(["-fw_cfg", &format!("name=opt/duralumin/{name},file={file}")]);
        }
        let size = self.size.map(|(width, height)| format!("{width}x{height}"));
        if self.boot == Boot::Pvh {
            let mut words = self.words.clone();
            words.extend(size.map(|size| format!("size={size}")));
            qemu.arg("-kernel").arg(kernel).args(["-append", &words.join(" ")]);
            if let Some(module) = &self.module {
                qemu.arg("-initrd").arg(module);
            }
        } else {
            let image = directory.join("boot.img");
            let mut words = vec![size.unwrap_or_else(|| "1024x768".into())];
            words.extend(self.words.clone());
            make_image(self.boot, kernel, &image, &words)?;
            qemu.args(["-drive", &format!("if=none,id=boot,format=raw,file={}", image.display())]);
            qemu.args(["-device", "ide-hd,drive=boot,bootindex=0"]);
        }
        if self.boot == Boot::Uefi {
            let variables = directory.join("variables.fd");
            std::fs::copy("/usr/share/OVMF/OVMF_VARS_4M.fd", &variables)
                .map_err(|error| QemuError::Start(format!("OVMF is not installed: {error}")))?;
            qemu.args(["-drive", "if=pflash,format=raw,readonly=on,file=/usr/share/OVMF/OVMF_CODE_4M.fd"]);
            qemu.args(["-drive", &format!("if=pflash,format=raw,file={}", variables.display())]);
        }
        qemu.args(&self.arguments);
        Ok(qemu)
    }
}

/// A file's name as QEMU wants it among options: with its commas doubled.
pub fn quoted(file: &Path) -> String {
    file.display().to_string().replace(',', ",,")
}

/// Makes a disk image, with the same script as `run-qemu.sh`.
fn make_image(boot: Boot, kernel: &Path, image: &Path, words: &[String]) -> Result<()> {
    let script = ". scripts/setup.sh && . scripts/boot-image.sh && boot_image \"$@\"";
    let made = Command::new("bash")
        .args(["-c", script, "boot-image", boot.name()])
        .arg(kernel)
        .arg(image)
        .args(words)
        .current_dir(root())
        .status()
        .map_err(|error| QemuError::Start(format!("bash: {error}")))?;
    if made.success() { Ok(()) } else { Err(QemuError::Start("no disk image could be made".into())) }
}

/// KVM only where it is real: a writable device on a processor that says it can. See `scripts/setup.sh`.
fn accelerator() -> &'static str {
    let writable = std::fs::OpenOptions::new().write(true).open("/dev/kvm").is_ok();
    let flags = std::fs::read_to_string("/proc/cpuinfo").unwrap_or_default();
    let capable = flags.split_ascii_whitespace().any(|flag| flag == "vmx" || flag == "svm");
    if writable && capable { "kvm" } else { "tcg" }
}
