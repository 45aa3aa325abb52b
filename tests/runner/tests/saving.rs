//! A world that Lisp saves starts again as it was: SYSOUT to a named file, LOGOUT to the machine's own place.

use fixtures::{Folder, medley};
use std::fs;
use std::path::Path;
use std::process::{Command, Output};

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
    let folder = Folder::new("saving");
    let [sysout, own] = ["named.sysout", "own.sysout"].map(|name| folder.file(name));
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
    play(&medley, &make, folder.path(), &["--save", own.to_str().unwrap()]);
    for (image, answer) in [(&sysout, 42), (&own, 43)] {
        let bytes = fs::read(image).unwrap();
        let word = |number: usize| u16::from_be_bytes([bytes[512 + 2 * number], bytes[513 + 2 * number]]);
        assert_eq!((word(15), word(20) as usize * 512), (0x15E3, bytes.len()), "what the reference looks at");
        let answers = folder.file(&format!("answer-{answer}"));
        let ask = "(list answer (twice 21) (compiled-function-p #'twice) (il:openwp w) (> (il:idate) (il:idate \
                   '|22-Nov-2020 00:00:00|)))";
        let resume = format!(
            "wait settled 3s\n{}wait settled 2s\ntype \"(il:logout t)\\n\"\nwait until 85s\n",
            told(ask, &answers)
        );
        play(image, &resume, folder.path(), &[]);
        let got = fs::read_to_string(&answers).unwrap();
        assert!(got.starts_with(&format!("({answer} 42 T #<IL:WINDOW")) && got.ends_with(" T)"), "{got}");
        // LOGOUT without a place to save says that nothing was saved. LOGOUT T does not want to.
        assert_eq!(fs::read(image).unwrap(), bytes, "running a world does not touch its file");
    }
    let lost = play(&own, "wait settled 3s\ntype \"(il:logout)\\n\"\nwait until 85s\n", folder.path(), &[]);
    assert!(String::from_utf8_lossy(&lost.stderr).contains("the world was not saved"));
}

#[test]
fn lisp_shows_why_it_cannot_save() {
    let Some(medley) = medley() else { return };
    let folder = Folder::new("unsaved");
    let (answers, directory) = (folder.file("answer"), folder.file("no.sysout"));
    fs::create_dir(&directory).unwrap();
    let directory = directory.display();
    let ask =
        format!("(xcl:condition-case (il:\\\\\\\\flushvm \\\"{{DSK}}{directory}\\\") (error (c) (princ-to-string c)))");
    let script = format!("wait settled 2s\ntype \"\\n\"\nwait settled 2s\n{}wait settled 2s\n", told(&ask, &answers));
    play(&medley, &script, folder.path(), &[]);
    let got = fs::read_to_string(&answers).unwrap();
    assert!(got.contains("open sysout file"), "{got}");
}
