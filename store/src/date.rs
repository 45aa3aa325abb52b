//! Dates for people, in UTC.

use core::fmt;

/// Seconds since 1970, shown as "2026-11-22 20:51:45".
#[derive(Clone, Copy, PartialEq, Eq, PartialOrd, Ord, Debug)]
pub struct Date(pub i64);

impl fmt::Display for Date {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        let (days, rest) = (self.0.div_euclid(86_400), self.0.rem_euclid(86_400));
        // Years that begin in March, so that the leap day is the last one; 400 of them have 146,097 days.
        let shifted = days + 719_468;
        let (era, day) = (shifted.div_euclid(146_097), shifted.rem_euclid(146_097));
        let year = (day - day / 1_460 + day / 36_524 - day / 146_096) / 365;
        let day = day - (365 * year + year / 4 - year / 100);
        let month = (5 * day + 2) / 153;
        let day = day - (153 * month + 2) / 5 + 1;
        let (month, next) = if month < 10 { (month + 3, 0) } else { (month - 9, 1) };
        let year = year + era * 400 + next;
        write!(f, "{year:04}-{month:02}-{day:02} {:02}:{:02}:{:02}", rest / 3600, rest / 60 % 60, rest % 60)
    }
}

#[cfg(test)]
mod tests {
    use super::Date;
    use std::string::ToString;

    #[test]
    fn known_dates() {
        assert_eq!(Date(0).to_string(), "1970-01-01 00:00:00");
        assert_eq!(Date(-1).to_string(), "1969-12-31 23:59:59");
        assert_eq!(Date(951_782_400).to_string(), "2000-02-29 00:00:00");
        assert_eq!(Date(718_502_400).to_string(), "1992-10-08 00:00:00");
        assert_eq!(Date(1_795_380_705).to_string(), "2026-11-22 20:51:45");
    }
}
