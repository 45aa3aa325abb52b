//! The tool as its users see it: files, messages and exit status.

use fixtures::Folder;
use std::path::{Path, PathBuf};
use std::process::Command;

/// Runs `boot`: success, and what it said.
fn boot(arguments: &[&Path]) -> (bool, String) {
    let output = Command::new(env!("CARGO_BIN_EXE_boot")).args(arguments).output().expect("boot can be run");
    let said = [output.stdout, output.stderr].concat();
    (output.status.success(), String::from_utf8(said).expect("boot says text"))
}

/// Flips a bit of a file.
fn flip(file: &Path, at: u64) {
    use std::os::unix::fs::FileExt;
    let file = std::fs::OpenOptions::new().read(true).write(true).open(file).unwrap();
    let mut byte = [0];
    file.read_exact_at(&mut byte, at).unwrap();
    file.write_all_at(&[byte[0] ^ 4], at).unwrap();
}

#[test]
fn a_world_goes_in_is_looked_at_and_comes_out() {
    let Some(sysout) = fixtures::medley() else { return };
    let original = std::fs::read(&sysout).unwrap();
    let folder = Folder::new("boot");
    let (disk, copy) = (folder.file("disk"), folder.file("copy.sysout"));
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

    // What is somebody else's is not replaced, whatever option is given.
    let letter = folder.file("letter.txt");
    std::fs::write(&letter, [b'x'; 10_000]).unwrap();
    for option in [&[][..], &[word("--fresh")]] {
        let (right, said) = boot(&[&[word("import"), &sysout, &letter], option].concat());
        assert!(!right && said.contains("no machine's disk") && said.contains("yourself"), "{said}");
    }
    assert!(std::fs::read(&letter).unwrap() == [b'x'; 10_000], "a letter became a disk");
    std::fs::remove_file(&letter).unwrap();
    let other = folder.file("other");
    std::fs::copy(&disk, &other).unwrap();
    for (target, what) in
        [(&other, "another machine's disk"), (&folder.path().to_path_buf(), "a folder"), (&disk, "the disk itself")]
    {
        let (right, said) = boot(&[word("export"), &disk, target, word("--force")]);
        assert!(!right && said.contains(what), "{said}");
    }
    std::fs::remove_file(&other).unwrap();
    let (right, said) = boot(&[word("export"), &disk, &other, word("--generation"), word("two")]);
    assert!(!right && said.starts_with("boot: --generation two is no number"), "{said}");
    let (right, said) = boot(&[word("--help")]);
    assert!(right && said.contains("boot import SYSOUT DISK"), "{said}");

    flip(&disk, 100 * 4096 + 77);
    let (right, said) = boot(&[word("check"), &disk]);
    assert!(!right && said.contains("sector 800"), "{said}");
    // Another world, the same files.
    let inside = PathBuf::from(format!("{}:kept.txt", disk.display()));
    let source = PathBuf::from(env!("CARGO_MANIFEST_DIR")).join("tests/tool.rs");
    let (right, said) = boot(&[word("cp"), &source, &inside]);
    assert!(right, "{said}");
    let (right, said) = boot(&[word("import"), &sysout, &disk, word("--fresh")]);
    assert!(right, "{said}");
    let (right, said) = boot(&[word("check"), &disk]);
    assert!(right && said.contains("are good") && said.contains("1 files"), "{said}");
    let (right, said) = boot(&[word("list"), &disk]);
    assert!(right && said.contains("254 MiB for files are free"), "{said}");
    let out = folder.file("kept.txt");
    let (right, said) = boot(&[word("cp"), &inside, &out]);
    assert!(right && std::fs::read(&out).unwrap() == std::fs::read(&source).unwrap(), "{said}");
    std::fs::remove_file(&out).unwrap();
    assert!(std::fs::read(&sysout).unwrap() == original, "the original was written to");
    // Nothing half done lies about.
    assert_eq!(std::fs::read_dir(folder.path()).unwrap().count(), 2);
}

/// A disk with an empty place for files and no world.
fn disk_with_files(disk: &Path, megabytes: u32) {
    let image = std::fs::File::create(disk).unwrap();
    image.set_len(1 << 20).unwrap();
    drop(image);
    let mut disk_of_worlds = store::fake::FakeDisk::new(256).with_depth(1);
    store::Store::format(&mut disk_of_worlds, 77).unwrap();
    std::fs::write(disk, disk_of_worlds.platter()).unwrap();
    let (right, said) = boot(&[Path::new("ls"), disk]);
    assert!(!right && said.contains("no place for files") && said.contains("boot files"), "{said}");
    let (right, said) = boot(&[Path::new("files"), disk, Path::new("--files"), Path::new(&megabytes.to_string())]);
    assert!(right && said.contains("MiB for files"), "{said}");
    let (right, said) = boot(&[Path::new("files"), disk]);
    assert!(!right && said.contains("already"), "{said}");
}

/// All files below a folder, by name.
fn contents(folder: &Path) -> std::collections::BTreeMap<PathBuf, Vec<u8>> {
    let mut found = std::collections::BTreeMap::new();
    let mut folders = vec![folder.to_path_buf()];
    while let Some(next) = folders.pop() {
        for entry in std::fs::read_dir(&next).unwrap() {
            let path = entry.unwrap().path();
            let name = path.strip_prefix(folder).unwrap().to_path_buf();
            if path.is_dir() {
                found.insert(name, Vec::new());
                folders.push(path);
            } else {
                found.insert(name, std::fs::read(&path).unwrap());
            }
        }
    }
    found
}

#[test]
fn trees_go_in_and_come_out() {
    let folder = Folder::new("boot-cp");
    let disk = folder.file("machine.disk");
    disk_with_files(&disk, 40);
    let on_disk = |path: &str| PathBuf::from(format!("{}:{path}", disk.display()));
    let word = Path::new;

    let tree = folder.file("tree");
    std::fs::create_dir_all(tree.join("sub/deeper")).unwrap();
    std::fs::create_dir_all(tree.join("empty")).unwrap();
    let large: Vec<u8> = (0..9_000_000u32).map(|i| (i.wrapping_mul(i) >> 7) as u8).collect();
    std::fs::write(tree.join("large"), &large).unwrap();
    std::fs::write(tree.join("nothing"), b"").unwrap();
    std::fs::write(tree.join("sub/a:b.lisp"), b"(print 1)").unwrap();
    std::fs::write(tree.join("sub/\u{e9}t\u{e9}.~1~"), b"summer").unwrap();
    for number in 0..500 {
        std::fs::write(tree.join(format!("sub/deeper/f{number}")), vec![number as u8; number * 11]).unwrap();
    }
    let (right, said) = boot(&[word("cp"), &tree, &on_disk("")]);
    assert!(right && said.contains("504 files"), "{said}");
    let (right, said) = boot(&[word("ls"), &on_disk("tree/sub")]);
    assert!(right && said.contains("a:b.lisp") && said.contains("deeper/"), "{said}");
    let (right, said) = boot(&[word("ls"), &on_disk("tree/large")]);
    assert!(right && said.contains("9000000"), "{said}");
    let (right, said) = boot(&[word("cp"), &on_disk("tree"), &folder.file("back")]);
    assert!(right && said.contains("504 files"), "{said}");
    assert!(contents(&tree) == contents(&folder.file("back")), "what came out is not what went in");
    let date = |path: &Path| std::fs::metadata(path).unwrap().modified().unwrap().duration_since(std::time::UNIX_EPOCH);
    let seconds = |path: &Path| date(path).unwrap().as_secs();
    assert_eq!(seconds(&tree.join("large")), seconds(&folder.file("back/large")));
    let (right, said) = boot(&[word("check"), &disk]);
    assert!(said.contains("504 files") || !right, "{said}");

    // Again, over what is there; one file under another name; several into a directory.
    let (right, said) = boot(&[word("cp"), &tree, &on_disk("")]);
    assert!(right, "{said}");
    let (right, said) = boot(&[word("cp"), &tree.join("sub/a:b.lisp"), &on_disk("other")]);
    assert!(right, "{said}");
    let (right, said) = boot(&[word("cp"), &on_disk("other"), &folder.file("other")]);
    assert!(right && std::fs::read(folder.file("other")).unwrap() == b"(print 1)", "{said}");
    let (right, said) = boot(&[word("cp"), &tree.join("nothing"), &tree.join("large"), &on_disk("tree/empty")]);
    assert!(right && said.contains("2 files"), "{said}");
    let (right, said) = boot(&[word("cp"), &tree.join("nothing"), &tree.join("large"), &on_disk("nowhere")]);
    assert!(!right && said.contains("no directory"), "{said}");

    // What cannot be.
    for (words, expected) in [
        ([word("ls"), &on_disk("gone")], "no such file"),
        ([word("ls"), &on_disk("../x")], "no file can have that name"),
        ([word("rm"), &on_disk("tree")], "--recursive"),
        ([word("rm"), &on_disk("gone")], "no such file"),
        ([word("rm"), &tree], "DISK:PATH"),
        ([word("mkdir"), &on_disk("tree")], "already"),
    ] {
        let (right, said) = boot(&words);
        assert!(!right && said.contains(expected), "{words:?}: {said}");
    }
    let (right, said) = boot(&[word("cp"), &tree.join("large"), &on_disk("tree/sub")]);
    assert!(right, "{said}");
    let mut random = store::fake::Random::new(5);
    let noise: Vec<u8> = (0..42_000_000).map(|_| random.number() as u8).collect();
    std::fs::write(folder.file("huge"), noise).unwrap();
    let (right, said) = boot(&[word("cp"), &folder.file("huge"), &on_disk("tree")]);
    assert!(!right && said.contains("no space is left"), "{said}");
    let (right, said) = boot(&[word("ls"), &on_disk("tree")]);
    assert!(right && !said.contains("huge") && !said.contains("boot-"), "{said}");

    let (right, said) = boot(&[word("mkdir"), &on_disk("new"), &on_disk("new/er")]);
    assert!(right, "{said}");
    let (right, said) = boot(&[word("rm"), word("--recursive"), &on_disk("tree"), &on_disk("new"), &on_disk("other")]);
    assert!(right, "{said}");
    let (right, said) = boot(&[word("ls"), &disk]);
    assert!(right && said.is_empty(), "{said}");
}
