//! Input at exact instructions, as the reference rig reads it:
//!
//! ```text
//!   N key NUMBER 1|0         a D-machine key goes down or comes up
//!   N button 13|14|15 1|0    left, right, middle
//!   N mouse X Y
//! ```

use std::collections::VecDeque;
use std::path::Path;
use vm::platform::{InputEvent, MouseButton};

/// Events by the instruction before which they happen.
pub type Input = VecDeque<(u64, InputEvent)>;

/// Reads a file of events, sorted by instruction.
pub fn read(path: &Path) -> Result<Input, String> {
    let text = std::fs::read_to_string(path).map_err(|error| format!("cannot read {}: {error}", path.display()))?;
    let lines = text.lines().enumerate().filter(|(_, line)| !line.trim().is_empty());
    lines
        .map(|(i, line)| event(line).ok_or_else(|| format!("{}: line {}: not an event: {line}", path.display(), i + 1)))
        .collect()
}

fn event(line: &str) -> Option<(u64, InputEvent)> {
    let words: Vec<&str> = line.split_whitespace().collect();
    let [n, kind, a, b] = words[..] else { return None };
    let (n, a, b): (u64, u16, u16) = (n.parse().ok()?, a.parse().ok()?, b.parse().ok()?);
    let event = match kind {
        "key" if b != 0 => InputEvent::KeyDown(u8::try_from(a).ok()?),
        "key" => InputEvent::KeyUp(u8::try_from(a).ok()?),
        "button" => {
            let button = match a {
                13 => MouseButton::Left,
                14 => MouseButton::Right,
                15 => MouseButton::Middle,
                _ => return None,
            };
            InputEvent::Button { button, down: b != 0 }
        }
        "mouse" => InputEvent::MouseMove { x: a, y: b },
        _ => return None,
    };
    Some((n, event))
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn lines_are_events() {
        assert_eq!(event("10 key 44 1"), Some((10, InputEvent::KeyDown(44))));
        let down = InputEvent::Button { button: MouseButton::Right, down: true };
        assert_eq!(event("11 button 14 1"), Some((11, down)));
        assert_eq!(event("12 mouse 3 4"), Some((12, InputEvent::MouseMove { x: 3, y: 4 })));
        assert_eq!(event("12 wheel 3 4"), None);
    }
}
