//! Every script on Duralumin in QEMU.

use scenarios::{Suite, medley, play_in_qemu, run};
use std::process::ExitCode;
use std::time::Duration;

/// A script takes some 30 s; QEMU without KVM on a busy machine longer.
const LIMIT: Duration = Duration::from_secs(150);

fn main() -> ExitCode {
    let Some(medley) = medley() else { return ExitCode::SUCCESS };
    let mut suite = Suite::default();
    suite.scripts(|script| play_in_qemu(&medley, script, LIMIT));
    run(suite, 2)
}
