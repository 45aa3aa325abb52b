//! Reads Lisp sources on the host.
//!
//! The dialect's notation: lists, `'x`, `` `x ``, `,x`, `,@x`, `#'f`, strings, characters, numbers, `#(...)`, comments.
//! Symbols are read in upper case; `:x` is a keyword; `|x|` keeps its case. Every list remembers the line of its opening
//! parenthesis. Backquote becomes `(BACKQUOTE x)` with `(UNQUOTE x)` and `(SPLICE x)` inside, a macro of
//! world/macros.lisp.

use crate::host::value::{Cons, Position, Symbols, Value};
use std::fmt;

/// Something that cannot be read, and where.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct ReadError {
    /// Line, from 1.
    pub line: u32,
    /// What is wrong.
    pub what: String,
}

impl fmt::Display for ReadError {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        write!(f, "line {}: {}", self.line, self.what)
    }
}

/// Reads forms from a text.
#[derive(Debug)]
pub struct Reader<'a> {
    text: &'a [u8],
    at: usize,
    line: u32,
    file: usize,
    symbols: &'a mut Symbols,
}

type Read<T> = Result<T, ReadError>;

impl<'a> Reader<'a> {
    /// A reader of a text that is file number `file`.
    pub fn new(text: &'a str, file: usize, symbols: &'a mut Symbols) -> Self {
        Reader { text: text.as_bytes(), at: 0, line: 1, file, symbols }
    }

    /// The next form, or nothing at the end.
    pub fn next_form(&mut self) -> Read<Option<Value>> {
        self.skip()?;
        if self.at == self.text.len() { Ok(None) } else { self.form().map(Some) }
    }

    fn error<T>(&self, what: impl Into<String>) -> Read<T> {
        Err(ReadError { line: self.line, what: what.into() })
    }

    fn peek(&self) -> Option<u8> {
        self.text.get(self.at).copied()
    }

    fn next(&mut self) -> Option<u8> {
        let byte = self.peek()?;
        self.at += 1;
        if byte == b'\n' {
            self.line += 1;
        }
        Some(byte)
    }

    /// Passes white space and comments.
    fn skip(&mut self) -> Read<()> {
        while let Some(byte) = self.peek() {
            match byte {
                b';' => while self.next().is_some_and(|byte| byte != b'\n') {},
                b'#' if self.text.get(self.at + 1) == Some(&b'|') => self.skip_block()?,
                _ if byte.is_ascii_whitespace() => {
                    self.next();
                }
                _ => break,
            }
        }
        Ok(())
    }

    fn skip_block(&mut self) -> Read<()> {
        let start = self.line;
        let mut depth = 0;
        while let Some(byte) = self.next() {
            match (byte, self.peek()) {
                (b'#', Some(b'|')) => depth += 1,
                (b'|', Some(b'#')) => depth -= 1,
                _ => continue,
            }
            self.next();
            if depth == 0 {
                return Ok(());
            }
        }
        Err(ReadError { line: start, what: "a comment #| that does not end".to_string() })
    }

    fn form(&mut self) -> Read<Value> {
        self.skip()?;
        let line = self.line;
        let Some(byte) = self.peek() else { return self.error("the text ends within a form") };
        match byte {
            b'(' => {
                self.next();
                self.list(line)
            }
            b')' => self.error("a parenthesis closes nothing"),
            b'\'' => self.quoted("QUOTE", 1),
            b'`' => self.quoted("BACKQUOTE", 1),
            b',' if self.text.get(self.at + 1) == Some(&b'@') => self.quoted("SPLICE", 2),
            b',' => self.quoted("UNQUOTE", 1),
            b'"' => self.string(),
            b'#' => self.dispatch(),
            _ => self.token(),
        }
    }

    /// A form behind a prefix.
    fn quoted(&mut self, name: &str, prefix: usize) -> Read<Value> {
        let line = self.line;
        self.at += prefix;
        let form = self.form()?;
        let symbol = self.symbols.intern(name);
        let list = Value::list(&[symbol, form]);
        self.mark(list, line);
        Ok(list)
    }

    fn mark(&self, list: Value, line: u32) {
        if let Value::Cons(Cons { position, .. }) = list {
            position.set(Position::new(self.file, line));
        }
    }

    /// The rest of a list whose opening parenthesis stood in `line`.
    fn list(&mut self, line: u32) -> Read<Value> {
        let mut elements = Vec::new();
        let mut last = Value::Nil;
        loop {
            self.skip()?;
            match self.peek() {
                None => return Err(ReadError { line, what: "a list that is not closed".to_string() }),
                Some(b')') => {
                    self.next();
                    break;
                }
                Some(b'.') if self.dot() => {
                    if elements.is_empty() {
                        return self.error("nothing in front of a dot");
                    }
                    self.next();
                    last = self.form()?;
                    self.skip()?;
                    if self.next() != Some(b')') {
                        return self.error("more than one form behind a dot");
                    }
                    break;
                }
                Some(_) => elements.push((self.line, self.form()?)),
            }
        }
        let mut list = last;
        for (line, element) in elements.into_iter().rev() {
            list = Value::cons(element, list);
            self.mark(list, line);
        }
        self.mark(list, line);
        Ok(list)
    }

    /// Whether a dot stands alone.
    fn dot(&self) -> bool {
        self.text.get(self.at + 1).is_none_or(|byte| byte.is_ascii_whitespace() || *byte == b'(')
    }

    fn string(&mut self) -> Read<Value> {
        let start = self.line;
        self.next();
        let mut bytes = Vec::new();
        loop {
            match self.next() {
                Some(b'"') => break,
                Some(b'\\') => bytes.extend(self.next()),
                Some(byte) => bytes.push(byte),
                None => return Err(ReadError { line: start, what: "a string that does not end".to_string() }),
            }
        }
        match String::from_utf8(bytes) {
            Ok(text) => Ok(Value::text(text)),
            Err(_) => self.error("a string that is not UTF-8"),
        }
    }

    fn dispatch(&mut self) -> Read<Value> {
        let Some(&byte) = self.text.get(self.at + 1) else { return self.error("# at the end") };
        match byte {
            b'\'' => self.quoted("FUNCTION", 2),
            b'(' => {
                let line = self.line;
                self.at += 2;
                let list = self.list(line)?;
                Ok(Value::vector(list.elements().collect()))
            }
            b'\\' => self.character(),
            b'x' | b'X' => self.radix(16),
            b'o' | b'O' => self.radix(8),
            b'b' | b'B' => self.radix(2),
            b':' => {
                self.at += 2;
                let name = self.raw_token()?.0;
                Ok(self.symbols.make(&name))
            }
            other => self.error(format!("#{} has no meaning here", other as char)),
        }
    }

    fn character(&mut self) -> Read<Value> {
        self.at += 2;
        let rest = std::str::from_utf8(&self.text[self.at..]).unwrap_or_default();
        let Some(first) = rest.chars().next() else { return self.error("#\\ at the end") };
        let mut name = String::from(first);
        self.at += first.len_utf8();
        while let Some(byte) = self.peek().filter(|byte| !is_delimiter(*byte)) {
            name.push(byte as char);
            self.at += 1;
        }
        if first == '\n' {
            self.line += 1;
        }
        if name.chars().count() == 1 {
            return Ok(Value::Character(first));
        }
        match character_named(&name) {
            Some(character) => Ok(Value::Character(character)),
            None => self.error(format!("there is no character named {name}")),
        }
    }

    fn radix(&mut self, radix: u32) -> Read<Value> {
        self.at += 2;
        let (token, _) = self.raw_token()?;
        match i64::from_str_radix(&token, radix) {
            Ok(number) => Ok(Value::Integer(number)),
            Err(_) => self.error(format!("{token} is no number of radix {radix}")),
        }
    }

    /// The characters up to a delimiter, in upper case but for what is quoted, and whether anything was quoted.
    fn raw_token(&mut self) -> Read<(String, bool)> {
        let mut bytes = Vec::new();
        let mut quoted = false;
        while let Some(byte) = self.peek().filter(|byte| !is_delimiter(*byte)) {
            self.next();
            match byte {
                b'\\' => {
                    quoted = true;
                    bytes.extend(self.next());
                }
                b'|' => {
                    quoted = true;
                    let line = self.line;
                    loop {
                        match self.next() {
                            Some(b'|') => break,
                            Some(b'\\') => bytes.extend(self.next()),
                            Some(byte) => bytes.push(byte),
                            None => {
                                return Err(ReadError { line, what: "a symbol |...| that does not end".to_string() });
                            }
                        }
                    }
                }
                _ => bytes.push(byte.to_ascii_uppercase()),
            }
        }
        match String::from_utf8(bytes) {
            Ok(text) => Ok((text, quoted)),
            Err(_) => self.error("a symbol that is not UTF-8"),
        }
    }

    fn token(&mut self) -> Read<Value> {
        let (token, quoted) = self.raw_token()?;
        if !quoted {
            match number(&token) {
                Ok(Some(number)) => return Ok(number),
                Ok(None) => {}
                Err(what) => return self.error(format!("{token} is {what}")),
            }
            if let Some(name) = token.strip_prefix(':') {
                return Ok(self.symbols.keyword(name));
            }
            if token.is_empty() || token.bytes().all(|byte| byte == b'.') {
                return self.error("dots alone are no symbol");
            }
        }
        Ok(self.symbols.intern(&token))
    }
}

fn is_delimiter(byte: u8) -> bool {
    byte.is_ascii_whitespace() || matches!(byte, b'(' | b')' | b'\'' | b'"' | b';' | b'`' | b',')
}

/// Names of characters that have no picture.
const CHARACTER_NAMES: &[(&str, char)] = &[
    ("SPACE", ' '),
    ("NEWLINE", '\n'),
    ("RETURN", '\r'),
    ("LINEFEED", '\n'),
    ("TAB", '\t'),
    ("BACKSPACE", '\u{8}'),
    ("RUBOUT", '\u{7F}'),
    ("DELETE", '\u{7F}'),
    ("ESCAPE", '\u{1B}'),
    ("PAGE", '\u{C}'),
    ("BELL", '\u{7}'),
    ("NULL", '\0'),
];

fn character_named(name: &str) -> Option<char> {
    let upper = name.to_ascii_uppercase();
    if let Some((_, character)) = CHARACTER_NAMES.iter().find(|(known, _)| *known == upper) {
        return Some(*character);
    }
    let code = u32::from_str_radix(upper.strip_prefix('U')?.strip_prefix('+')?, 16).ok()?;
    char::from_u32(code)
}

/// The name of a character that has one.
pub fn character_name(character: char) -> Option<&'static str> {
    CHARACTER_NAMES.iter().find(|(_, it)| *it == character).map(|(name, _)| *name)
}

/// A token that is a number; the error says why the host cannot have it, although the world could.
fn number(token: &str) -> Result<Option<Value>, &'static str> {
    let digits = token.strip_prefix(['+', '-']).unwrap_or(token);
    if !digits.starts_with(|c: char| c.is_ascii_digit() || c == '.') {
        return Ok(None);
    }
    let all_digits = |text: &str| !text.is_empty() && text.bytes().all(|byte| byte.is_ascii_digit());
    if all_digits(digits.strip_suffix('.').unwrap_or(digits)) {
        let end = token.strip_suffix('.').unwrap_or(token);
        let number = end.strip_prefix('+').unwrap_or(end).parse();
        return number.map(|number| Some(Value::Integer(number))).map_err(|_| "an integer of more than 64 bits");
    }
    if digits.split_once('/').is_some_and(|(above, below)| all_digits(above) && all_digits(below)) {
        return Err("a ratio: write a division");
    }
    let float = digits.bytes().any(|byte| byte.is_ascii_digit())
        && digits.bytes().all(|byte| byte.is_ascii_digit() || matches!(byte, b'.' | b'E' | b'+' | b'-'));
    match token.parse::<f32>() {
        Ok(number) if float && number.is_finite() => Ok(Some(Value::Float(number))),
        Ok(_) if float => Err("too large for a float"),
        _ => Ok(None),
    }
}

#[cfg(test)]
mod tests {
    use super::*;
    use crate::host::printer::show;

    fn read(text: &str) -> String {
        let mut symbols = Symbols::default();
        let mut reader = Reader::new(text, 0, &mut symbols);
        let mut out = Vec::new();
        loop {
            match reader.next_form() {
                Ok(Some(form)) => out.push(show(form)),
                Ok(None) => return out.join(" "),
                Err(error) => return error.to_string(),
            }
        }
    }

    #[test]
    fn data_are_read() {
        for (text, expected) in [
            ("(a b . c)", "(A B . C)"),
            ("'x `(a ,b ,@c) #'f", "(QUOTE X) (BACKQUOTE (A (UNQUOTE B) (SPLICE C))) (FUNCTION F)"),
            ("#\\a #\\Space #\\( \"a\\\"b\"", "#\\a #\\Space #\\( \"a\\\"b\""),
            ("#x1F #b101 #o17 -12 +7 10. 1.5e3 -.5", "31 5 15 -12 7 10 1500.0 -0.5"),
            ("#(1 (2)) :key |Mixed| 1+ - + 1-", "#(1 (2)) :KEY |Mixed| 1+ - + 1-"),
            ("a ; rest\n #| #| nested |# |# b ()", "A B NIL"),
        ] {
            assert_eq!(read(text), expected);
        }
    }

    #[test]
    fn errors_say_the_line() {
        assert_eq!(read("a\n(b\n"), "line 2: a list that is not closed");
        assert_eq!(read("a\n\n)"), "line 3: a parenthesis closes nothing");
        assert_eq!(read("\"abc"), "line 1: a string that does not end");
        assert_eq!(read("#\\Nobody"), "line 1: there is no character named Nobody");
        assert_eq!(read("(a\n ( . b))"), "line 2: nothing in front of a dot");
        assert_eq!(read("\n99999999999999999999"), "line 2: 99999999999999999999 is an integer of more than 64 bits");
        assert_eq!(read("(/= a 1/2)"), "line 1: 1/2 is a ratio: write a division");
        assert_eq!(read("-1e40"), "line 1: -1E40 is too large for a float");
        assert_eq!(read("#| a"), "line 1: a comment #| that does not end");
    }

    #[test]
    fn lists_remember_their_lines() {
        let mut symbols = Symbols::default();
        let mut reader = Reader::new("(a\n (b))", 3, &mut symbols);
        let form = reader.next_form().unwrap().unwrap();
        assert_eq!(form.position(), Position::new(3, 1));
        let inner = form.cdr().unwrap().car().unwrap();
        assert_eq!((inner.position().file(), inner.position().line()), (3, 2));
    }
}
