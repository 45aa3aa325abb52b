//! A world that Lisp saves starts again as it was: SYSOUT to a named file, LOGOUT to the machine's own place.

use std::fs;
use std::path::{Path, PathBuf};
use std::process::{Command, Output};

/// The Medley image, if there is one.
fn medley() -> Option<PathBuf> {
    let found = std::env::var_os("MEDLEY_SYSOUT").map(PathBuf::from).or_else(|| {
        let above = Path::new(env!("CARGO_MANIFEST_DIR")).ancestors();
        above.map(|folder| folder.join("shared/medley/lisp.sys")).find(|path| path.exists())
    });
    if found.is_none() {
        eprintln!("SKIPPED: no Medley image: set MEDLEY_SYSOUT to the path of one");
    }
    found
}

fn play(image: &Path, script: &str, folder: &Path, more: &[&str]) -> Output {
    let file = folder.join("script");
    fs::write(&file, format!("limit 90s\n{script}")).unwrap();
    let output =
        Command::new(env!("CARGO_BIN_EXE_runner")).arg(image).arg("--script").arg(&file).args(more).output().unwrap();
    assert_eq!(output.status.code(), Some(0), "{}", String::from_utf8_lossy(&output.stderr));
    output
}

/// A line to type that writes what an expression gives into a file.
fn told(expression: &str, file: &Path) -> String {
    let file = file.display();
    format!("type \"(with-open-file (s \\\"{{DSK}}{file}\\\" :direction :output) (prin1 {expression} s))\\n\"\n")
}

#[test]
fn all_is_there_again() {
    let Some(medley) = medley() else { return };
    let folder = std::env::temp_dir().join(format!("duralumin-saving-{}", std::process::id()));
    let _ = fs::remove_dir_all(&folder);
    fs::create_dir(&folder).unwrap();
    let [sysout, own] = ["named.sysout", "own.sysout"].map(|name| folder.join(name));
    let make = format!(
        "wait settled 2s\ntype \"\\n\"\nwait settled 2s\n\
         type \"(setq answer 42)\\n\"\nwait settled 400ms\n\
         type \"(defun twice (x) (* 2 x))\\n\"\nwait settled 400ms\n\
         type \"(compile 'twice)\\n\"\nwait settled 400ms\n\
         type \"(setq w (il:createw '(600 100 200 150) \\\"kept\\\"))\\n\"\nwait settled 400ms\n\
         type \"(il:sysout \\\"{{DSK}}{}\\\")\\n\"\nwait settled 3s\n\
         type \"(setq answer 43)\\n\"\nwait settled 400ms\n\
         type \"(il:logout)\\n\"\nwait until 85s\n",
        sysout.display()
    );
    play(&medley, &make, &folder, &["--save", own.to_str().unwrap()]);
    for (image, answer) in [(&sysout, 42), (&own, 43)] {
        let bytes = fs::read(image).unwrap();
        let word = |number: usize| u16::from_be_bytes([bytes[512 + 2 * number], bytes[513 + 2 * number]]);
        assert_eq!((word(15), word(20) as usize * 512), (0x15E3, bytes.len()), "what the reference looks at");
        let answers = folder.join(format!("answer-{answer}"));
        let ask = "(list answer (twice 21) (compiled-function-p #'twice) (il:openwp w) (> (il:idate) (il:idate \
                   '|22-Nov-2020 00:00:00|)))";
        let resume = format!(
            "wait settled 3s\n{}wait settled 2s\ntype \"(il:logout t)\\n\"\nwait until 85s\n",
            told(ask, &answers)
        );
        play(image, &resume, &folder, &[]);
        let got = fs::read_to_string(&answers).unwrap();
        assert!(got.starts_with(&format!("({answer} 42 T #<IL:WINDOW")) && got.ends_with(" T)"), "{got}");
        // LOGOUT without a place to save says that nothing was saved. LOGOUT T does not want to.
        assert_eq!(fs::read(image).unwrap(), bytes, "running a world does not touch its file");
    }
    let lost = play(&own, "wait settled 3s\ntype \"(il:logout)\\n\"\nwait until 85s\n", &folder, &[]);
    assert!(String::from_utf8_lossy(&lost.stderr).contains("the world was not saved"));
    fs::remove_dir_all(folder).unwrap();
}

#[test]
fn lisp_shows_why_it_cannot_save() {
    let Some(medley) = medley() else { return };
    let folder = std::env::temp_dir().join(format!("duralumin-unsaved-{}", std::process::id()));
    let _ = fs::remove_dir_all(&folder);
    fs::create_dir(&folder).unwrap();
    let (answers, directory) = (folder.join("answer"), folder.join("no.sysout"));
    fs::create_dir(&directory).unwrap();
    let directory = directory.display();
    let ask =
        format!("(xcl:condition-case (il:\\\\\\\\flushvm \\\"{{DSK}}{directory}\\\") (error (c) (princ-to-string c)))");
    let script = format!("wait settled 2s\ntype \"\\n\"\nwait settled 2s\n{}wait settled 2s\n", told(&ask, &answers));
    play(&medley, &script, &folder, &[]);
    let got = fs::read_to_string(&answers).unwrap();
    assert!(got.contains("open sysout file"), "{got}");
    fs::remove_dir_all(folder).unwrap();
}
