//! The tool as its users see it: files, messages and exit status.

use std::path::{Path, PathBuf};
use std::process::Command;

/// Runs `boot`: success, and what it said.
fn boot(arguments: &[&Path]) -> (bool, String) {
    let output = Command::new(env!("CARGO_BIN_EXE_boot")).args(arguments).output().expect("boot can be run");
    let said = [output.stdout, output.stderr].concat();
    (output.status.success(), String::from_utf8(said).expect("boot says text"))
}

#[test]
fn a_world_goes_in_is_looked_at_and_comes_out() {
    let here = concat!(env!("CARGO_MANIFEST_DIR"), "/../../../shared/medley/lisp.sys");
    let sysout = PathBuf::from(std::env::var("MEDLEY_SYSOUT").unwrap_or(here.into()));
    let Ok(original) = std::fs::read(&sysout) else {
        println!("no image at {}: skipped", sysout.display());
        return;
    };
    let folder = PathBuf::from(env!("CARGO_TARGET_TMPDIR")).join(format!("boot-{}", std::process::id()));
    std::fs::create_dir_all(&folder).unwrap();
    let (disk, copy) = (folder.join("disk"), folder.join("copy.sysout"));
    let word = Path::new;

    let (right, said) = boot(&[word("import"), &sysout, &disk]);
    assert!(right && said.contains("Medley"), "{said}");
    let (right, said) = boot(&[word("import"), &sysout, &disk]);
    assert!(!right && said.contains("this very sysout") && said.contains("--fresh"), "{said}");
    let (right, said) = boot(&[word("list"), &disk]);
    assert!(right && said.contains("import") && said.contains("good"), "{said}");
    let (right, said) = boot(&[word("export"), &disk, &copy]);
    assert!(right, "{said}");
    assert!(std::fs::read(&copy).unwrap() == original, "the export is another file than the import");
    let (right, said) = boot(&[word("export"), &disk, &copy]);
    assert!(!right && said.contains("--force"), "{said}");

    let mut bytes = std::fs::read(&disk).unwrap();
    bytes[100 * 4096 + 77] ^= 4;
    std::fs::write(&disk, bytes).unwrap();
    let (right, said) = boot(&[word("check"), &disk]);
    assert!(!right && said.contains("sector 800"), "{said}");
    let (right, said) = boot(&[word("import"), &sysout, &disk, word("--fresh")]);
    assert!(right, "{said}");
    let (right, said) = boot(&[word("check"), &disk]);
    assert!(right && said.contains("are good"), "{said}");
    assert!(std::fs::read(&sysout).unwrap() == original, "the original was written to");
    // Nothing half done lies about.
    assert_eq!(std::fs::read_dir(&folder).unwrap().count(), 2);
    std::fs::remove_dir_all(&folder).unwrap();
}
