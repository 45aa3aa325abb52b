//! The host's functions on numbers: integers of 64 bits, which must not overflow, and floats of 32.

use super::Host;
use super::builtins::{integer, wrong};
use super::function::Builtin::{self, Any, F1, F2};
use super::function::{Outcome, Signal, fail};
use super::value::{Value, keep};

/// Names and functions.
pub(super) const FUNCTIONS: &[(&str, Builtin)] = &[
    ("+", Any(0, |_, a| arithmetic(a, 0, i64::checked_add, |x, y| x + y))),
    ("*", Any(0, |_, a| arithmetic(a, 1, i64::checked_mul, |x, y| x * y))),
    (
        "-",
        Any(1, |_, a| {
            if let [one] = a {
                return arithmetic(&[Value::Integer(0), *one], 0, i64::checked_sub, |x, y| x - y);
            }
            arithmetic(a, 0, i64::checked_sub, |x, y| x - y)
        }),
    ),
    ("1+", F1(|_, a| arithmetic(&[a, Value::Integer(1)], 0, i64::checked_add, |x, y| x + y))),
    ("1-", F1(|_, a| arithmetic(&[a, Value::Integer(1)], 0, i64::checked_sub, |x, y| x - y))),
    ("/", Any(1, |_, a| arithmetic(a, 1, |x, y| if x % y == 0 { Some(x / y) } else { None }, |x, y| x / y))),
    ("=", Any(1, |host, a| compare(host, a, |x, y| x == y, |x, y| x == y))),
    ("/=", Any(1, |host, a| compare(host, a, |x, y| x != y, |x, y| x != y))),
    ("<", Any(1, |host, a| compare(host, a, |x, y| x < y, |x, y| x < y))),
    (">", Any(1, |host, a| compare(host, a, |x, y| x > y, |x, y| x > y))),
    ("<=", Any(1, |host, a| compare(host, a, |x, y| x <= y, |x, y| x <= y))),
    (">=", Any(1, |host, a| compare(host, a, |x, y| x >= y, |x, y| x >= y))),
    ("ZEROP", F1(|host, a| Ok(host.truth(number(a)? == 0.0)))),
    ("PLUSP", F1(|host, a| Ok(host.truth(number(a)? > 0.0)))),
    ("MINUSP", F1(|host, a| Ok(host.truth(number(a)? < 0.0)))),
    ("EVENP", F1(|host, a| Ok(host.truth(integer(a)? & 1 == 0)))),
    ("ODDP", F1(|host, a| Ok(host.truth(integer(a)? & 1 != 0)))),
    ("MAX", Any(1, |_, a| extreme(a, |x, y| x > y))),
    ("MIN", Any(1, |_, a| extreme(a, |x, y| x < y))),
    ("ABS", F1(|_, a| if number(a)? < 0.0 { negate(a) } else { Ok(a) })),
    ("FLOOR", Any(1, |_, a| divide(a, i64::div_euclid_floor))),
    ("TRUNCATE", Any(1, |_, a| divide(a, |x, y| x / y))),
    ("MOD", F2(|_, a, b| Ok(Value::Integer(remainder(a, b, true)?)))),
    ("REM", F2(|_, a, b| Ok(Value::Integer(remainder(a, b, false)?)))),
    ("LOGAND", Any(0, |_, a| bits(a, -1, |x, y| x & y))),
    ("LOGIOR", Any(0, |_, a| bits(a, 0, |x, y| x | y))),
    ("LOGOR", Any(0, |_, a| bits(a, 0, |x, y| x | y))),
    ("LOGXOR", Any(0, |_, a| bits(a, 0, |x, y| x ^ y))),
    ("LOGNOT", F1(|_, a| Ok(Value::Integer(!integer(a)?)))),
    ("ASH", F2(|_, a, b| shift(integer(a)?, integer(b)?))),
    ("FLOAT", Any(1, |_, a| Ok(Value::Float(number(a[0])? as f32)))),
];

fn number(value: Value) -> Result<f64, Box<Signal>> {
    match value {
        Value::Integer(n) => Ok(n as f64),
        Value::Float(x) => Ok(x.into()),
        other => wrong(other, "a number"),
    }
}

fn negate(value: Value) -> Outcome {
    arithmetic(&[Value::Integer(0), value], 0, i64::checked_sub, |x, y| x - y)
}

/// From left to right; `start` for no arguments. Integers stay integers as long as they fit.
fn arithmetic(
    arguments: &[Value],
    start: i64,
    integers: fn(i64, i64) -> Option<i64>,
    floats: fn(f32, f32) -> f32,
) -> Outcome {
    let Some((first, others)) = arguments.split_first() else { return Ok(Value::Integer(start)) };
    number(*first)?;
    others.iter().try_fold(*first, |a, b| match (a, *b) {
        (Value::Integer(x), Value::Integer(y)) => match integers(x, y) {
            Some(n) => Ok(Value::Integer(n)),
            None => fail("an integer beyond what the host can represent"),
        },
        (a, b) => Ok(Value::Float(floats(number(a)? as f32, number(b)? as f32))),
    })
}

/// Whether it holds between each argument and the next.
fn compare(
    host: &mut Host,
    arguments: &[Value],
    integers: fn(i64, i64) -> bool,
    floats: fn(f64, f64) -> bool,
) -> Outcome {
    for pair in arguments.windows(2) {
        let holds = match (pair[0], pair[1]) {
            (Value::Integer(x), Value::Integer(y)) => integers(x, y),
            (a, b) => floats(number(a)?, number(b)?),
        };
        if !holds {
            return Ok(Value::Nil);
        }
    }
    Ok(host.t)
}

/// The argument that is better than all others.
fn extreme(arguments: &[Value], better: fn(f64, f64) -> bool) -> Outcome {
    let mut best = arguments[0];
    for argument in arguments {
        if better(number(*argument)?, number(best)?) {
            best = *argument;
        }
    }
    Ok(best)
}

/// Division towards minus infinity.
trait FloorDivision {
    fn div_euclid_floor(self, by: Self) -> Self;
}

impl FloorDivision for i64 {
    fn div_euclid_floor(self, by: i64) -> i64 {
        let quotient = self / by;
        if self % by != 0 && (self < 0) != (by < 0) { quotient - 1 } else { quotient }
    }
}

/// Quotient and remainder.
fn divide(arguments: &[Value], how: fn(i64, i64) -> i64) -> Outcome {
    let by = arguments.get(1).copied().map_or(Ok(1), integer)?;
    if by == 0 {
        return fail("division by zero");
    }
    let n = match arguments[0] {
        Value::Float(x) => x.floor() as i64,
        other => integer(other)?,
    };
    let quotient = how(n, by);
    Ok(Value::Multiple(keep(vec![Value::Integer(quotient), Value::Integer(n - quotient * by)])))
}

fn remainder(a: Value, b: Value, floor: bool) -> Result<i64, Box<Signal>> {
    let (a, b) = (integer(a)?, integer(b)?);
    if b == 0 {
        return fail("division by zero");
    }
    Ok(if floor { a - b * a.div_euclid_floor(b) } else { a % b })
}

fn bits(arguments: &[Value], start: i64, how: fn(i64, i64) -> i64) -> Outcome {
    let mut result = start;
    for argument in arguments {
        result = how(result, integer(*argument)?);
    }
    Ok(Value::Integer(result))
}

fn shift(number: i64, by: i64) -> Outcome {
    if by <= 0 {
        return Ok(Value::Integer(number >> (-by).min(63)));
    }
    let shifted = if by < 63 { number.checked_mul(1 << by) } else { None };
    match shifted {
        Some(n) => Ok(Value::Integer(n)),
        None if number == 0 => Ok(Value::Integer(0)),
        None => fail("an integer beyond what the host can represent"),
    }
}
