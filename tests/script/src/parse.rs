//! From text to steps.

use crate::keys::{self, Key};
use crate::{Action, Area, Button, Command, Step};
use std::fmt;
use std::time::Duration;

/// A line that cannot be understood.
#[derive(Clone, PartialEq, Eq, Debug)]
pub struct ParseError {
    /// Its number, from 1.
    pub line: usize,
    /// What is wrong with it.
    pub what: String,
}

impl fmt::Display for ParseError {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        write!(f, "line {} of the script: {}", self.line, self.what)
    }
}

impl std::error::Error for ParseError {}

/// Reads a whole script.
pub fn parse(text: &str) -> Result<Vec<Step>, ParseError> {
    let mut steps = Vec::new();
    for (i, line) in text.lines().enumerate() {
        let line_number = i + 1;
        let wrong = |what| ParseError { line: line_number, what };
        let words = words(line).map_err(wrong)?;
        if !words.is_empty() {
            let command = Words { words: &words, next: 0 }.command().map_err(wrong)?;
            steps.push(Step { line: line_number, command });
        }
    }
    Ok(steps)
}

/// Words of a line; strings keep their quote, so that `"left"` is no word `left`, and their escapes.
fn words(line: &str) -> Result<Vec<String>, String> {
    let mut words = Vec::new();
    let mut rest = line.trim_start();
    while !rest.is_empty() && !rest.starts_with('#') {
        let end = if rest.starts_with('"') {
            let mut escaped = false;
            let close = rest.char_indices().skip(1).find(|&(_, c)| {
                let close = c == '"' && !escaped;
                escaped = c == '\\' && !escaped;
                close
            });
            close.ok_or("a string has no closing quote")?.0 + 1
        } else {
            rest.find(char::is_whitespace).unwrap_or(rest.len())
        };
        words.push(rest[..end].to_string());
        rest = rest[end..].trim_start();
    }
    Ok(words)
}

struct Words<'a> {
    words: &'a [String],
    next: usize,
}

impl<'a> Words<'a> {
    fn peek(&self) -> Option<&'a str> {
        self.words.get(self.next).map(String::as_str)
    }

    fn take(&mut self, what: &str) -> Result<&'a str, String> {
        let word = self.peek().ok_or_else(|| format!("{what} is missing"))?;
        self.next += 1;
        Ok(word)
    }

    fn number(&mut self, what: &str) -> Result<u16, String> {
        let word = self.take(what)?;
        word.parse().map_err(|_| format!("{what} should be a number of pixels, not {word}"))
    }

    fn area(&mut self) -> Result<Area, String> {
        Ok(Area {
            x: self.number("the column")?,
            y: self.number("the row")?,
            width: self.number("the width")?,
            height: self.number("the height")?,
        })
    }

    /// A string without its quotes, as it stands.
    fn file(&mut self) -> Result<String, String> {
        let word = self.take("a file name in quotes")?;
        let inner = word.strip_prefix('"').and_then(|word| word.strip_suffix('"'));
        inner.map(str::to_string).ok_or_else(|| format!("the file name {word} should be in quotes"))
    }

    /// A string without its quotes; a backslash stands before quotes and backslashes.
    fn text(&mut self) -> Result<String, String> {
        let text = self.file()?;
        let mut characters = text.chars();
        let mut unescaped = String::new();
        while let Some(character) = characters.next() {
            unescaped.push(match character {
                '\\' => {
                    characters.next().filter(|next| "\\\"".contains(*next)).ok_or("\\ stands before \\ or \" only")?
                }
                _ => character,
            });
        }
        Ok(unescaped)
    }

    fn button(&mut self) -> Result<Button, String> {
        match self.take("a button")? {
            "left" => Ok(Button::Left),
            "middle" => Ok(Button::Middle),
            "right" => Ok(Button::Right),
            word => Err(format!("there is no button {word} (left, middle or right)")),
        }
    }

    fn key(&mut self) -> Result<Key, String> {
        let word = self.take("a key")?;
        keys::named(word).ok_or_else(|| format!("there is no key {word}"))
    }

    fn command(mut self) -> Result<Command, String> {
        let command = match self.take("a command")? {
            "limit" => Command::Limit(duration(self.take("a time")?)?),
            "wait" => match self.take("a time, until, idle, settled or file")? {
                "idle" => Command::WaitIdle,
                "file" => Command::WaitFile(self.file()?),
                "until" => Command::WaitUntil(duration(self.take("a time")?)?),
                "settled" => {
                    let quiet = self.peek().map(duration).transpose()?;
                    self.next += quiet.is_some() as usize;
                    Command::WaitSettled(quiet.unwrap_or(Duration::from_secs(1)))
                }
                word => Command::Wait(duration(word)?),
            },
            "type" => Command::Act(typing(self.take("a string")?)?),
            "press" => Command::Act(press(self.take("a key")?)?),
            "down" => Command::Act(vec![Action::Key(self.key()?, true)]),
            "up" => Command::Act(vec![Action::Key(self.key()?, false)]),
            "move" => Command::Act(vec![Action::Move(self.number("the column")?, self.number("the row")?)]),
            "click" => {
                let button = self.button()?;
                let mut actions = Vec::new();
                if self.peek().is_some() {
                    actions.push(Action::Move(self.number("the column")?, self.number("the row")?));
                }
                actions.extend([Action::Button(button, true), Action::Button(button, false)]);
                Command::Act(actions)
            }
            "button" => {
                let button = self.button()?;
                let down = match self.take("down or up")? {
                    "down" => true,
                    "up" => false,
                    word => return Err(format!("a button goes down or up, not {word}")),
                };
                Command::Act(vec![Action::Button(button, down)])
            }
            "take" => {
                let file = self.file()?;
                let region = match self.peek() {
                    Some("region") => {
                        self.next += 1;
                        Some(self.area()?)
                    }
                    _ => None,
                };
                Command::Take { file, region }
            }
            "font" => Command::Font { file: self.file()?, characters: self.text()? },
            "page" => Command::Page(self.area()?),
            "expect" if self.peek() == Some("lines") => {
                self.next += 1;
                let mut lines = vec![self.text()?];
                while self.peek().is_some() {
                    lines.push(self.text()?);
                }
                Command::ExpectLines(lines)
            }
            "expect" => {
                let file = self.file()?;
                let (mut region, mut masks) = (None, Vec::new());
                while let Some(word) = self.peek() {
                    self.next += 1;
                    match word {
                        "region" => region = Some(self.area()?),
                        "mask" => masks.push(self.area()?),
                        _ => return Err(format!("expect knows region and mask, not {word}")),
                    }
                }
                Command::Expect { file, region, masks }
            }
            "quit" => Command::Quit,
            word => return Err(format!("there is no command {word}")),
        };
        match self.peek() {
            Some(word) => Err(format!("{word} is one word too many")),
            None => Ok(command),
        }
    }
}

/// `500ms`, `2s`, `3m`, `10us`.
fn duration(word: &str) -> Result<Duration, String> {
    let wrong = || format!("a time is written like 500ms, 20s or 3m, not {word}");
    let digits = word.find(|c: char| !c.is_ascii_digit()).ok_or_else(wrong)?;
    let number: u64 = word[..digits].parse().map_err(|_| wrong())?;
    match &word[digits..] {
        "us" => Ok(Duration::from_micros(number)),
        "ms" => Ok(Duration::from_millis(number)),
        "s" => Ok(Duration::from_secs(number)),
        "m" => Ok(Duration::from_secs(60 * number)),
        _ => Err(wrong()),
    }
}

/// The keys for a quoted text.
fn typing(word: &str) -> Result<Vec<Action>, String> {
    let inner = word.strip_prefix('"').and_then(|word| word.strip_suffix('"'));
    let inner = inner.ok_or_else(|| format!("the text {word} should be in quotes"))?;
    let mut actions = Vec::new();
    let mut characters = inner.chars();
    while let Some(mut character) = characters.next() {
        let mut control = false;
        if character == '\\' {
            character = match characters.next() {
                Some('n') => '\n',
                Some('t') => '\t',
                Some('e') => '\x1b',
                Some('b') => '\x08',
                Some('^') => {
                    control = true;
                    characters.next().ok_or("\\^ needs a character")?.to_ascii_lowercase()
                }
                Some(c @ ('\\' | '"')) => c,
                other => return Err(format!("there is no escape \\{}", other.unwrap_or(' '))),
            };
        }
        let (key, shift) = keys::typed(character).ok_or_else(|| format!("no key of a US board types {character:?}"))?;
        let modifiers: Vec<Key> = [(shift, keys::SHIFT), (control, keys::CONTROL)]
            .into_iter()
            .filter_map(|(wanted, key)| wanted.then_some(key))
            .collect();
        chord(&mut actions, &modifiers, key);
    }
    Ok(actions)
}

/// The keys for `control-shift-x`.
fn press(word: &str) -> Result<Vec<Action>, String> {
    let mut rest = word;
    let mut modifiers = Vec::new();
    let key = loop {
        if let Some(key) = keys::named(rest) {
            break key;
        }
        let (modifier, behind) = rest.split_once('-').ok_or_else(|| format!("there is no key {rest}"))?;
        let modifier = [keys::SHIFT, keys::CONTROL, keys::META].into_iter().find(|key| key.name == modifier);
        modifiers.push(modifier.ok_or_else(|| format!("there is no key {rest} (modifiers: shift, control, meta)"))?);
        rest = behind;
    };
    let mut actions = Vec::new();
    chord(&mut actions, &modifiers, key);
    Ok(actions)
}

/// Modifiers down, key down and up, modifiers up.
fn chord(actions: &mut Vec<Action>, modifiers: &[Key], key: Key) {
    actions.extend(modifiers.iter().map(|&modifier| Action::Key(modifier, true)));
    actions.extend([Action::Key(key, true), Action::Key(key, false)]);
    actions.extend(modifiers.iter().map(|&modifier| Action::Key(modifier, false)));
}

#[cfg(test)]
mod tests {
    use super::*;

    fn one(line: &str) -> Command {
        parse(line).unwrap().remove(0).command
    }

    #[test]
    fn a_script() {
        let steps = parse("# greeting\n\nlimit 20s\ntype \"Hi \\\"you\\\"\\n\" # name\nquit\n").unwrap();
        assert_eq!(steps.iter().map(|step| step.line).collect::<Vec<_>>(), [3, 4, 5]);
        let Command::Act(actions) = &steps[1].command else { panic!() };
        // H and two quotes need Shift: four transitions each; i, blank, y, o, u and Return two.
        assert_eq!(actions.len(), 3 * 4 + 6 * 2);
    }

    #[test]
    fn chords() {
        let Command::Act(actions) = one("press control-shift-e") else { panic!() };
        let e = keys::named("e").unwrap();
        assert_eq!(actions[0], Action::Key(keys::CONTROL, true));
        assert_eq!(actions[2..4], [Action::Key(e, true), Action::Key(e, false)]);
        assert_eq!(one("type \"\\^e\""), one("press control-e"));
    }

    #[test]
    fn expectations() {
        let area = |x, y, width, height| Area { x, y, width, height };
        assert_eq!(
            one("expect \"a b.png\" region 1 2 3 4 mask 5 6 7 8"),
            Command::Expect { file: "a b.png".into(), region: Some(area(1, 2, 3, 4)), masks: vec![area(5, 6, 7, 8)] }
        );
        assert_eq!(one(r#"expect lines "a" "\"\\""#), Command::ExpectLines(vec!["a".into(), "\"\\".into()]));
        assert_eq!(
            one("take \"a\" region 1 2 3 4"),
            Command::Take { file: "a".into(), region: Some(area(1, 2, 3, 4)) }
        );
        assert_eq!(one("wait settled"), Command::WaitSettled(Duration::from_secs(1)));
        assert_eq!(one("wait until 10us"), Command::WaitUntil(Duration::from_micros(10)));
    }

    #[test]
    fn mistakes_are_named() {
        for (line, what) in [
            ("jump", "no command jump"),
            ("type \"abc", "no closing quote"),
            ("press hyper-x", "no key hyper-x"),
            ("wait 5", "500ms"),
            ("move 1", "row is missing"),
            ("quit now", "too many"),
        ] {
            let error = parse(&format!("\n{line}")).unwrap_err();
            assert!(error.to_string().contains(what), "{error}");
            assert_eq!(error.line, 2);
        }
    }
}
