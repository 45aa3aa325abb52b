//! From Lisp's file names to the host's and back.
//!
//! ```text
//!   Lisp    tmp>Work.dir>FOO.LISP;3        relative: .>x  ..>x  ~>x
//!   host    /tmp/Work.dir/FOO.LISP.~3~     the version is part of the name; a name without a dot ends in one in Lisp
//! ```
//!
//! In Lisp a quote (') takes the meaning from the character behind it.

use std::path::{Path, PathBuf};

/// A host path with its version taken off.
#[derive(Clone, PartialEq, Eq, Debug)]
pub struct HostName {
    /// The directory, absolute.
    pub directory: PathBuf,
    /// The name without a version; empty if the path is a directory's.
    pub name: String,
    /// The digits (or pattern) of the version; empty if there is none.
    pub version: String,
}

impl HostName {
    /// The path with the version.
    pub fn path(&self) -> PathBuf {
        self.directory.join(versioned(&self.name, &self.version))
    }
}

/// A name with a version behind it, unless that is empty.
pub fn versioned(name: &str, version: &str) -> String {
    if version.is_empty() { name.to_string() } else { format!("{name}.~{version}~") }
}

/// A host name's own name and its version's digits.
pub fn split_version(name: &str) -> (&str, &str) {
    let split = name.strip_suffix('~').and_then(|rest| rest.rsplit_once(".~"));
    match split {
        Some((own, digits)) if !digits.is_empty() && digits.bytes().all(|digit| digit.is_ascii_digit()) => {
            (own, digits)
        }
        _ => (name, ""),
    }
}

/// Reads Lisp's characters one at a time, knowing which are quoted.
fn characters(name: &str) -> impl Iterator<Item = (char, bool)> + '_ {
    let mut quoted = false;
    name.chars().filter_map(move |c| {
        if c == '\'' && !quoted {
            quoted = true;
            return None;
        }
        Some((c, std::mem::take(&mut quoted)))
    })
}

/// Translates Lisp's name. `versions` says whether `;3` is a version; a pattern keeps a dot at its end.
pub fn to_host(name: &str, versions: bool, pattern: bool, current: &Path, home: Option<&Path>) -> Option<HostName> {
    if name == "<" {
        return Some(HostName { directory: "/".into(), name: String::new(), version: String::new() });
    }
    let characters: Vec<(char, bool)> = characters(name).collect();
    let semicolon = characters.iter().rposition(|&c| c == (';', false)).filter(|_| versions);
    let (own, version) = characters.split_at(semicolon.unwrap_or(characters.len()));
    let version: String = version.iter().skip(1).map(|&(c, _)| c).collect();
    let version = version.trim_start_matches('0').to_string();

    let parts: Vec<&[(char, bool)]> = own.split(|&c| c == ('>', false) || c == ('/', false)).collect();
    let text = |part: &[(char, bool)]| part.iter().map(|&(c, _)| c).collect::<String>();
    let plain = |part: &[(char, bool)]| if part.iter().any(|&(_, quoted)| quoted) { None } else { Some(text(part)) };
    let mut directory = PathBuf::from("/");
    let mut first = 0;
    match plain(parts[0]).as_deref() {
        Some("." | "..") => directory = current.to_path_buf(),
        Some("~") => {
            directory = home?.to_path_buf();
            first = 1;
        }
        Some(user) if user.starts_with('~') => return None,
        _ => {}
    }
    let last = parts.len() - 1;
    let mut own_name = String::new();
    for (i, part) in parts.iter().enumerate().skip(first) {
        match plain(part).as_deref() {
            Some("." | "") => {}
            Some("..") => {
                directory.pop();
            }
            _ if i == last => {
                own_name = text(part);
                if part.last() == Some(&('.', false)) && !pattern {
                    own_name.pop();
                }
            }
            _ => directory.push(text(part)),
        }
    }
    Some(HostName { directory, name: own_name, version })
}

/// Quotes what has a meaning in Lisp's names.
fn quote(name: &str) -> String {
    let mut quoted = String::new();
    for c in name.chars() {
        if matches!(c, '>' | ';' | '\'') {
            quoted.push('\'');
        }
        quoted.push(c);
    }
    quoted
}

/// A directory's full name in Lisp.
pub fn lisp_directory(path: &Path) -> String {
    let text = path.to_string_lossy();
    let mut name = String::from("<");
    for part in text.split('/').filter(|part| !part.is_empty()) {
        name.push_str(&quote(part));
        name.push('>');
    }
    name
}

/// A file's full name in Lisp; with `versions` one without a version gets version 1.
pub fn lisp_name(path: &Path, versions: bool) -> String {
    let directory = lisp_directory(path.parent().unwrap_or(Path::new("/")));
    let name = path.file_name().unwrap_or_default().to_string_lossy();
    let (own, version) = if versions { split_version(&name) } else { (&*name, "") };
    let mut full = directory + &quote(own);
    if !own.contains('.') {
        full.push('.');
    }
    if versions {
        let version = version.trim_start_matches('0');
        full.push(';');
        full.push_str(if version.is_empty() { "1" } else { version });
    }
    full
}

/// A file's name in a list.
pub fn listed_name(name: &str) -> String {
    let mut listed = quote(name);
    // A dot that only ends the name is part of it, and the extension is empty.
    if !name.trim_end_matches('.').contains('.') || name.ends_with('.') {
        if listed.ends_with('.') {
            listed.insert(listed.len() - 1, '\'');
        }
        listed.push('.');
    }
    listed
}

/// A directory's name in a list.
pub fn listed_directory(name: &str) -> String {
    let mut listed = quote(name);
    if listed.ends_with('.') {
        listed.insert(listed.len() - 1, '\'');
    }
    listed.push('>');
    listed
}

/// Whether a text matches a pattern with `*`.
pub fn matches(text: &str, pattern: &str) -> bool {
    let Some((head, rest)) = pattern.split_once('*') else { return text == pattern };
    let Some(text) = text.strip_prefix(head) else { return false };
    text.char_indices().map(|(i, _)| i).chain([text.len()]).any(|i| matches(&text[i..], rest))
}

/// Name and extension: what is before and behind the last dot.
pub fn split_extension(name: &str) -> (&str, &str) {
    name.rsplit_once('.').unwrap_or((name, ""))
}

#[cfg(test)]
mod tests {
    use super::*;

    fn host(name: &str) -> String {
        let name = to_host(name, true, false, Path::new("/here/now"), Some(Path::new("/home/me"))).unwrap();
        name.path().to_string_lossy().into_owned()
    }

    #[test]
    fn lisp_names_become_paths() {
        assert_eq!(host("<"), "/");
        assert_eq!(host("tmp>Work>FOO.LISP;3"), "/tmp/Work/FOO.LISP.~3~");
        assert_eq!(host("tmp>README.;1"), "/tmp/README.~1~");
        assert_eq!(host("tmp>README."), "/tmp/README");
        assert_eq!(host("tmp>foo;"), "/tmp/foo");
        assert_eq!(host("tmp>a';b'>c"), "/tmp/a;b>c");
        assert_eq!(host(".>x.y"), "/here/now/x.y");
        assert_eq!(host("..>x.y"), "/here/x.y");
        assert_eq!(host("~>x"), "/home/me/x");
        assert_eq!(host("a>..>b>.>c"), "/b/c");
        assert_eq!(host("/tmp/x"), "/tmp/x");
    }

    #[test]
    fn paths_become_lisp_names() {
        assert_eq!(lisp_name(Path::new("/tmp/foo.lisp"), true), "<tmp>foo.lisp;1");
        assert_eq!(lisp_name(Path::new("/tmp/foo.~12~"), true), "<tmp>foo.;12");
        assert_eq!(lisp_name(Path::new("/tmp/foo"), false), "<tmp>foo.");
        assert_eq!(lisp_name(Path::new("/a;b/c'd.e"), true), "<a';b>c''d.e;1");
        assert_eq!(lisp_directory(Path::new("/")), "<");
        assert_eq!(lisp_directory(Path::new("/tmp/x")), "<tmp>x>");
        assert_eq!(listed_name("foo"), "foo.");
        assert_eq!(listed_name("foo."), "foo'..");
        assert_eq!(listed_name("foo.c"), "foo.c");
    }

    #[test]
    fn patterns() {
        assert!(matches("foo.lisp", "*"));
        assert!(matches("foobar", "f*b*r"));
        assert!(!matches("foobar", "f*b"));
        assert!(matches("", "*") && matches("", "") && !matches("a", ""));
    }
}
