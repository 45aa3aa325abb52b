//! Every script on the host runner.

use scenarios::{Suite, play_on_host, run};
use std::process::ExitCode;
use std::time::Duration;

/// A script takes some 20 s, most of them waiting for Lisp's own pauses.
const LIMIT: Duration = Duration::from_secs(90);

fn main() -> ExitCode {
    let Some(medley) = fixtures::medley() else { return ExitCode::SUCCESS };
    let mut suite = Suite::default();
    suite.scripts(|script| play_on_host(&medley, script, LIMIT));
    run(suite, 4)
}
