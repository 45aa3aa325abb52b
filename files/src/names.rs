//! From Lisp's file names to a volume's and back.
//!
//! ```text
//!   Lisp      tmp>Work.dir>FOO.LISP;3        relative: .>x  ..>x  ~>x
//!   volume    /tmp/Work.dir/FOO.LISP.~3~     the version is part of the name; a name without a dot ends in one in Lisp
//! ```
//!
//! In Lisp a quote (') takes the meaning from the character behind it. Whoever climbs above the root, or names what no
//! file can be named (`/` and NUL in a name, a quoted `..`, 256 bytes), gets an error and not a name.

use crate::volume::{LONGEST_NAME, Path, PathBuf, Result, VolumeError, check_name};
use alloc::format;
use alloc::string::{String, ToString};
use alloc::vec::Vec;

/// A name with its version taken off.
#[derive(Clone, PartialEq, Eq, Debug)]
pub struct Wanted {
    /// The directory.
    pub directory: PathBuf,
    /// The name without a version; empty if the name is a directory's.
    pub name: String,
    /// The digits (or pattern) of the version; empty if there is none.
    pub version: String,
}

impl Wanted {
    /// The path with the version.
    pub fn path(&self) -> PathBuf {
        let mut path = self.directory.clone();
        if !self.name.is_empty() {
            path.push(versioned(&self.name, &self.version));
        }
        path
    }
}

/// A path with one more name.
pub fn join(directory: &Path, name: &str) -> PathBuf {
    directory.iter().cloned().chain([name.to_string()]).collect()
}

/// A name with a version behind it, unless that is empty.
pub fn versioned(name: &str, version: &str) -> String {
    if version.is_empty() { name.to_string() } else { format!("{name}.~{version}~") }
}

/// A volume's name: its own part and its version's digits.
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
        Some((c, core::mem::take(&mut quoted)))
    })
}

/// Where relative names begin.
pub struct Places<'a> {
    /// The connected directory.
    pub current: &'a Path,
    /// The user's own directory, if he has one.
    pub home: Option<&'a Path>,
}

/// Translates Lisp's name. `versions` says whether `;3` is a version; a pattern keeps a dot at its end, and may be
/// longer than a name.
pub fn from_lisp(name: &[u8], versions: bool, pattern: bool, places: Places<'_>) -> Result<Wanted> {
    // Lisp's characters are bytes here; what is no UTF-8 cannot be a name that was made from one.
    let name = core::str::from_utf8(name).map_err(|_| VolumeError::Unknown)?;
    let none = Wanted { directory: PathBuf::new(), name: String::new(), version: String::new() };
    if name == "<" {
        return Ok(none);
    }
    let characters: Vec<(char, bool)> = characters(name).collect();
    let semicolon = characters.iter().rposition(|&c| c == (';', false)).filter(|_| versions);
    let (own, version) = characters.split_at(semicolon.unwrap_or(characters.len()));
    let version: String = version.iter().skip(1).map(|&(c, _)| c).collect();
    let version = version.trim_start_matches('0').to_string();

    let parts: Vec<&[(char, bool)]> = own.split(|&c| c == ('>', false) || c == ('/', false)).collect();
    let text = |part: &[(char, bool)]| part.iter().map(|&(c, _)| c).collect::<String>();
    let plain = |part: &[(char, bool)]| if part.iter().any(|&(_, quoted)| quoted) { None } else { Some(text(part)) };
    let mut wanted = Wanted { version, ..none };
    let mut first = 0;
    match plain(parts[0]).as_deref() {
        Some("." | "..") => wanted.directory = places.current.to_vec(),
        Some("~") => {
            wanted.directory = places.home.ok_or(VolumeError::Unknown)?.to_vec();
            first = 1;
        }
        Some(user) if user.starts_with('~') => return Err(VolumeError::Unknown),
        _ => {}
    }
    let last = parts.len() - 1;
    for (i, part) in parts.iter().enumerate().skip(first) {
        match plain(part).as_deref() {
            Some("." | "") => {}
            Some("..") => {
                wanted.directory.pop().ok_or(VolumeError::NotPermitted)?;
            }
            _ if i == last => {
                wanted.name = text(part);
                if part.last() == Some(&('.', false)) && !pattern {
                    wanted.name.pop();
                }
            }
            _ => {
                let name = text(part);
                check_name(&name)?;
                wanted.directory.push(name);
            }
        }
    }
    if wanted.name.contains('\0') || wanted.version.contains(['/', '\0']) {
        return Err(VolumeError::Invalid);
    }
    if !pattern && !wanted.name.is_empty() {
        check_name(&wanted.name)?;
        // The longest version has ten digits; a name that has no room for one could not get a second version.
        if versioned(&wanted.name, &wanted.version).len() > LONGEST_NAME {
            return Err(VolumeError::NameTooLong);
        }
    }
    Ok(wanted)
}

/// The path of a name on `{UNIX}`. Relative names begin in `current`, those with `~` in `home`.
pub fn unix_path(name: &[u8], current: &Path, home: Option<&Path>) -> Result<PathBuf> {
    from_lisp(name, false, false, Places { current, home }).map(|wanted| wanted.path())
}

/// Quotes what has a meaning in Lisp's names.
fn quote(name: &str, to: &mut String) {
    for c in name.chars() {
        if matches!(c, '>' | ';' | '\'') {
            to.push('\'');
        }
        to.push(c);
    }
}

/// A directory's full name in Lisp.
pub fn lisp_directory(path: &Path) -> String {
    let mut name = String::from("<");
    for part in path {
        quote(part, &mut name);
        name.push('>');
    }
    name
}

/// A file's full name in Lisp; with `versions` one without a version gets version 1.
pub fn lisp_name(path: &Path, versions: bool) -> String {
    let Some((name, directory)) = path.split_last() else { return lisp_directory(path) };
    let (own, version) = if versions { split_version(name) } else { (&**name, "") };
    let mut full = lisp_directory(directory);
    quote(own, &mut full);
    if !own.contains('.') {
        full.push('.');
    }
    if versions {
        full.push(';');
        full.push_str(if version.is_empty() { "1" } else { version });
    }
    full
}

/// A name in a list.
pub fn listed_name(name: &str) -> String {
    let mut listed = String::new();
    quote(name, &mut listed);
    // A dot at the end of a host's name is part of it, and the extension is empty.
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
    let mut listed = String::new();
    quote(name, &mut listed);
    if listed.ends_with('.') {
        listed.insert(listed.len() - 1, '\'');
    }
    listed.push('>');
    listed
}

/// Whether a text matches a pattern with `*`; `same` compares two characters.
fn matches(text: &str, pattern: &str, same: impl Fn(u8, u8) -> bool) -> bool {
    // Bytes will do: `*` is ASCII, and the rest must be equal.
    let (text, pattern) = (text.as_bytes(), pattern.as_bytes());
    let (mut at, mut next) = (0, 0);
    // Where the last `*` was, and how much of the text it stands for so far: on a mismatch it takes one more.
    let mut star: Option<(usize, usize)> = None;
    while at < text.len() {
        match pattern.get(next) {
            Some(b'*') => {
                star = Some((next, at));
                next += 1;
            }
            Some(&byte) if same(byte, text[at]) => {
                at += 1;
                next += 1;
            }
            _ => {
                let Some((place, taken)) = star else { return false };
                star = Some((place, taken + 1));
                (at, next) = (taken + 1, place + 1);
            }
        }
    }
    pattern[next..].iter().all(|&byte| byte == b'*')
}

/// Name and extension: what is before and behind the last dot.
fn split_extension(name: &str) -> (&str, &str) {
    name.rsplit_once('.').unwrap_or((name, ""))
}

/// Whether a name without a version matches a pattern: name and extension each for itself.
pub fn name_matches(own: &str, pattern: &str, ignore_case: bool) -> bool {
    let same = |a: u8, b: u8| a == b || ignore_case && a.eq_ignore_ascii_case(&b);
    let ((name, extension), (name_pattern, extension_pattern)) = (split_extension(own), split_extension(pattern));
    matches(name, name_pattern, same) && matches(extension, extension_pattern, same)
}

#[cfg(test)]
mod tests {
    use super::*;
    use std::vec;

    fn path(text: &str) -> PathBuf {
        text.split('/').filter(|part| !part.is_empty()).map(str::to_string).collect()
    }

    fn from(name: &[u8]) -> Result<Wanted> {
        let (current, home) = (path("/here/now"), path("/home/me"));
        from_lisp(name, true, false, Places { current: &current, home: Some(&home) })
    }

    fn host(name: &str) -> String {
        format!("/{}", from(name.as_bytes()).unwrap().path().join("/"))
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
        assert_eq!(host("tmp>Grüße"), "/tmp/Grüße");
    }

    #[test]
    fn hostile_names() {
        for (name, error) in [
            (&b"..>..>..>etc>passwd"[..], VolumeError::NotPermitted),
            (b"share>..>..>x", VolumeError::NotPermitted),
            (b"a>..'/..'/etc>x", VolumeError::Invalid),
            (b"'.'.>x", VolumeError::Invalid),
            (b"tmp>'.'.", VolumeError::Invalid),
            (b"tmp>'./x", VolumeError::Invalid),
            (b"tmp>x\0y", VolumeError::Invalid),
            (b"t\0mp>x", VolumeError::Invalid),
            (b"tmp>x;1/2", VolumeError::Invalid),
            (b"tmp>gr\xfc\xdfe", VolumeError::Unknown),
            (b"~root>x", VolumeError::Unknown),
        ] {
            assert_eq!(from(name), Err(error), "{}", String::from_utf8_lossy(name));
        }
        let long = vec![b'x'; 300];
        assert_eq!(from(&long), Err(VolumeError::NameTooLong));
        assert_eq!(from(&[&long[..], b">y"].concat()), Err(VolumeError::NameTooLong));
        assert_eq!(from(&[&long[..252], b";12"].concat()), Err(VolumeError::NameTooLong));
    }

    #[test]
    fn paths_become_lisp_names() {
        assert_eq!(lisp_name(&path("/tmp/foo.lisp"), true), "<tmp>foo.lisp;1");
        assert_eq!(lisp_name(&path("/tmp/foo.~12~"), true), "<tmp>foo.;12");
        assert_eq!(lisp_name(&path("/tmp/foo"), false), "<tmp>foo.");
        assert_eq!(lisp_name(&path("/a;b/c'd.e"), true), "<a';b>c''d.e;1");
        assert_eq!(lisp_directory(&path("/")), "<");
        assert_eq!(lisp_directory(&path("/tmp/x")), "<tmp>x>");
        assert_eq!(listed_name("foo"), "foo.");
        assert_eq!(listed_name("foo."), "foo'..");
        assert_eq!(listed_name("foo.c"), "foo.c");
    }

    #[test]
    fn patterns() {
        let fits = |text, pattern| matches(text, pattern, |a, b| a == b);
        assert!(fits("foo.lisp", "*"));
        assert!(fits("foobar", "f*b*r"));
        assert!(!fits("foobar", "f*b"));
        assert!(fits("", "*") && fits("", "") && !fits("a", ""));
        assert!(fits("aab", "*ab") && fits("abab", "a*ab") && !fits("abac", "a*ab"));
        // A pattern that would take a naive matcher years.
        assert!(!fits(&"a".repeat(255), &"*a".repeat(200).replace("*a*a*a", "*a*a*b")));
        assert!(name_matches("Foo.Lisp", "f*.l*", true) && !name_matches("Foo.Lisp", "f*.l*", false));
        assert!(name_matches("foo", "*.*", false));
    }
}
