//! Dates of the CMOS clock (RTC) as seconds since 1970.

/// The registers of the RTC as read, in order: seconds, minutes, hours, day, month, year of the century, status B.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub struct RtcRegisters {
    /// Register 0.
    pub seconds: u8,
    /// Register 2.
    pub minutes: u8,
    /// Register 4; bit 7 is PM in 12-hour mode.
    pub hours: u8,
    /// Register 7.
    pub day: u8,
    /// Register 8.
    pub month: u8,
    /// Register 9.
    pub year: u8,
    /// Register 11: bit 2 binary (else BCD), bit 1 24 hours.
    pub status_b: u8,
}

impl RtcRegisters {
    /// Seconds since 1970-01-01 00:00 in the clock's own zone, or `None` when a field is out of range.
    ///
    /// Years 70 to 99 are 1970 to 1999, the others 2000 to 2069: not every PC has a century register.
    pub fn to_unix_seconds(self) -> Option<u64> {
        let binary = self.status_b & 4 != 0;
        let decode = |value: u8| -> Option<u64> {
            match (binary, value >> 4, value & 15) {
                (true, _, _) => Some(value.into()),
                (false, tens @ 0..=9, ones @ 0..=9) => Some(u64::from(tens) * 10 + u64::from(ones)),
                _ => None,
            }
        };
        let twelve_hours = self.status_b & 2 == 0;
        let (second, minute) = (decode(self.seconds)?, decode(self.minutes)?);
        let mut hour = decode(if twelve_hours { self.hours & 0x7f } else { self.hours })?;
        if twelve_hours {
            hour = hour % 12 + if self.hours & 0x80 != 0 { 12 } else { 0 };
        }
        let (day, month, year) = (decode(self.day)?, decode(self.month)?, decode(self.year)?);
        if second > 59
            || minute > 59
            || hour > 23
            || !(1..=31).contains(&day)
            || !(1..=12).contains(&month)
            || year > 99
        {
            return None;
        }
        let year = if year >= 70 { 1900 + year } else { 2000 + year };
        Some(((days_since_1970(year, month, day) * 24 + hour) * 60 + minute) * 60 + second)
    }
}

/// Days from 1970-01-01 to a date of the Gregorian calendar, `year >= 1970`.
fn days_since_1970(year: u64, month: u64, day: u64) -> u64 {
    // Years counted from March: the leap day is then the last day of its year.
    let (year, month) = if month > 2 { (year, month - 3) } else { (year - 1, month + 9) };
    let day_of_year = (153 * month + 2) / 5 + day - 1;
    365 * year + year / 4 - year / 100 + year / 400 + day_of_year - 719_468
}

#[cfg(test)]
mod tests {
    use super::*;

    fn rtc(date: [u8; 6], status_b: u8) -> RtcRegisters {
        let [year, month, day, hours, minutes, seconds] = date;
        RtcRegisters { seconds, minutes, hours, day, month, year, status_b }
    }

    #[test]
    fn known_dates() {
        assert_eq!(rtc([70, 1, 1, 0, 0, 0], 6).to_unix_seconds(), Some(0));
        assert_eq!(rtc([0, 2, 29, 12, 0, 0], 6).to_unix_seconds(), Some(951_825_600));
        assert_eq!(rtc([24, 12, 31, 23, 59, 59], 6).to_unix_seconds(), Some(1_735_689_599));
        assert_eq!(rtc([0x24, 0x12, 0x31, 0x23, 0x59, 0x59], 2).to_unix_seconds(), Some(1_735_689_599));
    }

    #[test]
    fn twelve_hour_clocks() {
        let midnight = rtc([0x24, 0x01, 0x01, 0x12, 0, 0], 0).to_unix_seconds();
        assert_eq!(midnight, rtc([24, 1, 1, 0, 0, 0], 6).to_unix_seconds());
        let afternoon = rtc([0x24, 0x01, 0x01, 0x83, 0, 0], 0).to_unix_seconds();
        assert_eq!(afternoon, rtc([24, 1, 1, 15, 0, 0], 6).to_unix_seconds());
    }

    #[test]
    fn nonsense_is_none() {
        assert_eq!(rtc([0xff; 6], 2).to_unix_seconds(), None);
        assert_eq!(rtc([24, 13, 1, 0, 0, 0], 6).to_unix_seconds(), None);
    }
}
