//! Time stamps of syslog headers, in Unix seconds.
//!
//! The traditional stamp has neither year nor zone: the year is the one that brings it nearest to
//! now (so December is last year's in January), the zone is the local one of whoever reads.

/// Turns local civil time into Unix seconds: year, month 1-12, day, hour, minute, second.
///
/// Passed in, since only the operating system knows the local zone.
pub type LocalTime = fn(i32, u8, u8, u8, u8, u8) -> i64;

/// Local time is UTC.
#[must_use]
pub fn utc(year: i32, month: u8, day: u8, hour: u8, minute: u8, second: u8) -> i64 {
    days_from_civil(year, month, day) * 86_400
        + i64::from(hour) * 3_600
        + i64::from(minute) * 60
        + i64::from(second)
}

/// Days from 1970-01-01 in the proleptic Gregorian calendar; a day past the month's end rolls over.
///
/// Years are counted from March, so that the leap day is the last of its year.
#[must_use]
pub fn days_from_civil(year: i32, month: u8, day: u8) -> i64 {
    let year = i64::from(year) - i64::from(month <= 2);
    let era = year.div_euclid(400);
    let year_of_era = year.rem_euclid(400);
    let month_from_march = i64::from((month + 9) % 12);
    let day_of_year = (153 * month_from_march + 2) / 5 + i64::from(day) - 1;
    let day_of_era = year_of_era * 365 + year_of_era / 4 - year_of_era / 100 + day_of_year;
    era * 146_097 + day_of_era - 719_468
}

/// The year (proleptic Gregorian, UTC) in which a moment lies.
fn year_of(seconds: i64) -> i32 {
    let days = seconds.div_euclid(86_400);
    let guess = 1970 + days.div_euclid(366) as i32;
    let mut year = guess;
    while days_from_civil(year + 1, 1, 1) <= days {
        year += 1;
    }
    year
}

fn is_leap(year: i32) -> bool {
    year % 4 == 0 && (year % 100 != 0 || year % 400 == 0)
}

/// A stamp's second, remembered: neighbouring lines mostly share it.
#[derive(Clone, Debug)]
pub struct Clock {
    local: LocalTime,
    /// Unix seconds of "now", for stamps without a year.
    now: i64,
    /// The text of the last stamp without its fraction, and what it meant.
    last: (usize, [u8; Clock::TEXT], i64),
    /// The text of the last traditional stamp up to its hour, and when that hour began.
    last_hour: (usize, [u8; Clock::HOUR], Option<i64>),
}

impl Clock {
    /// "2026-11-22T07:08:09" is the longest part that is remembered.
    const TEXT: usize = 19;
    /// "Nov 22 07"
    const HOUR: usize = 9;

    /// `now` in Unix seconds places stamps that have no year.
    #[must_use]
    pub fn new(local: LocalTime, now: i64) -> Self {
        Self { local, now, last: (0, [0; Self::TEXT], 0), last_hour: (0, [0; Self::HOUR], None) }
    }

    /// Moves "now" on.
    pub fn set_now(&mut self, now: i64) {
        if year_of(now) != year_of(self.now) {
            self.last = (0, [0; Self::TEXT], 0);
            self.last_hour = (0, [0; Self::HOUR], None);
        }
        self.now = now;
    }

    /// Unix seconds of a stamp that [`crate::header::read`] has found to be well-formed.
    #[inline]
    pub fn seconds(&mut self, stamp: &[u8]) -> i64 {
        let traditional = stamp[0].is_ascii_alphabetic();
        let whole_second = if traditional {
            stamp.iter().position(|&byte| byte == b'.').unwrap_or(stamp.len())
        } else {
            Self::TEXT
        };
        let text = &stamp[..whole_second];
        let (length, remembered, seconds) = &self.last;
        let local_or_utc = if text == &remembered[..*length] {
            *seconds
        } else {
            let seconds = if traditional {
                self.traditional(text)
            } else {
                civil(stamp).map_or(0, |c| utc(c.0, c.1, c.2, c.3, c.4, c.5))
            };
            let mut remembered = [0; Self::TEXT];
            remembered[..text.len()].copy_from_slice(text);
            self.last = (text.len(), remembered, seconds);
            seconds
        };
        if traditional { local_or_utc } else { local_or_utc - zone(stamp) }
    }

    fn traditional(&mut self, stamp: &[u8]) -> i64 {
        let (hour_text, rest) = stamp.split_at(stamp.len() - b":08:09".len());
        let (length, remembered, start) = &self.last_hour;
        let start = if hour_text == &remembered[..*length] {
            *start
        } else {
            let start = self.hour_start(hour_text);
            let mut remembered = [0; Self::HOUR];
            remembered[..hour_text.len()].copy_from_slice(hour_text);
            self.last_hour = (hour_text.len(), remembered, start);
            start
        };
        // February 29 with no leap year next to now: the nearest one is not knowable.
        start
            .map_or(0, |start| start + i64::from(two(&rest[1..])) * 60 + i64::from(two(&rest[4..])))
    }

    /// The moment at which the hour of "Nov 22 07" begins, in the year that brings it nearest to
    /// now. Asking the system for it takes a microsecond, so it is asked once an hour of the log:
    /// zones change their offset at full hours.
    fn hour_start(&self, text: &[u8]) -> Option<i64> {
        let month = MONTHS.iter().position(|name| text.starts_with(*name)).unwrap_or(0) as u8 + 1;
        let (day, hour) = text[4..].split_at(text.len() - 4 - 2);
        let day =
            day.iter().filter(|byte| **byte != b' ').fold(0, |day, byte| day * 10 + (byte - b'0'));
        let this_year = year_of(self.now);
        (this_year - 1..=this_year + 1)
            .filter(|&year| month != 2 || day != 29 || is_leap(year))
            .map(|year| (self.local)(year, month, day, two(hour), 0, 0))
            .min_by_key(|moment| (moment - self.now).abs())
    }
}

/// Names of the months as syslog writes them.
pub const MONTHS: [&[u8; 3]; 12] = [
    b"Jan", b"Feb", b"Mar", b"Apr", b"May", b"Jun", b"Jul", b"Aug", b"Sep", b"Oct", b"Nov", b"Dec",
];

fn two(text: &[u8]) -> u8 {
    (text[0] - b'0') * 10 + (text[1] - b'0')
}

/// Year to second of an RFC 3339 stamp.
fn civil(stamp: &[u8]) -> Option<(i32, u8, u8, u8, u8, u8)> {
    let text = stamp.get(..Clock::TEXT)?;
    let year = i32::from(two(text)) * 100 + i32::from(two(&text[2..]));
    Some((
        year,
        two(&text[5..]),
        two(&text[8..]),
        two(&text[11..]),
        two(&text[14..]),
        two(&text[17..]),
    ))
}

/// Seconds east of UTC at the end of an RFC 3339 stamp.
fn zone(stamp: &[u8]) -> i64 {
    if stamp.ends_with(b"Z") {
        return 0;
    }
    let (hours, minutes) = stamp.split_at(stamp.len() - 2);
    let hours = hours.strip_suffix(b":").unwrap_or(hours);
    let (sign, hours) = (hours[hours.len() - 3], &hours[hours.len() - 2..]);
    let seconds = i64::from(two(hours)) * 3_600 + i64::from(two(minutes)) * 60;
    if sign == b'-' { -seconds } else { seconds }
}

#[cfg(test)]
mod tests {
    use super::*;

    /// 2026-11-22T07:08:09Z
    const NOVEMBER: i64 = 1_795_331_289;

    #[test]
    fn a_full_stamp_is_its_moment() {
        let mut clock = Clock::new(utc, NOVEMBER);
        for (stamp, expected) in [
            ("2026-11-22T07:08:09Z", NOVEMBER),
            ("2026-11-22T07:08:09.123456+00:00", NOVEMBER),
            ("2026-11-22T09:08:09.1+02:00", NOVEMBER),
            ("2026-11-21T23:08:09.123456-08:00", NOVEMBER),
            ("2026-11-22T07:08:09-00:30", NOVEMBER + 1_800),
            ("2026-11-22T08:38:09+0130", NOVEMBER),
            ("2026-11-21T23:08:09.123456-0800", NOVEMBER),
            ("1970-01-01T00:00:00Z", 0),
            ("2024-02-29T00:00:00Z", 1_709_164_800),
        ] {
            assert_eq!(expected, clock.seconds(stamp.as_bytes()), "{stamp}");
        }
    }

    #[test]
    fn a_stamp_without_a_year_is_the_one_nearest_to_now() {
        let mut clock = Clock::new(utc, NOVEMBER);
        assert_eq!(NOVEMBER, clock.seconds(b"Nov 22 07:08:09"));
        assert_eq!(NOVEMBER + 1, clock.seconds(b"Nov 22 07:08:10.999999"));
        assert_eq!(utc(2026, 9, 5, 14, 34, 40), clock.seconds(b"Sep  5 14:34:40"));
        assert_eq!(utc(2026, 9, 5, 14, 34, 40), clock.seconds(b"Sep 5 14:34:40"));
        assert_eq!(utc(2027, 1, 3, 0, 0, 0), clock.seconds(b"Jan  3 00:00:00"));
        let mut january = Clock::new(utc, utc(2027, 1, 1, 0, 0, 5));
        assert_eq!(utc(2026, 12, 31, 23, 59, 59), january.seconds(b"Dec 31 23:59:59"));
        let mut leap = Clock::new(utc, utc(2028, 3, 1, 0, 0, 0));
        assert_eq!(utc(2028, 2, 29, 12, 0, 0), leap.seconds(b"Feb 29 12:00:00"));
        assert_eq!(0, clock.seconds(b"Feb 29 12:00:00"));
    }

    #[test]
    fn days_agree_with_a_count_by_hand() {
        let mut days = 0;
        for year in 1970..2110 {
            for (month, length) in (1_u8..).zip([
                31,
                28 + u8::from(is_leap(year)),
                31,
                30,
                31,
                30,
                31,
                31,
                30,
                31,
                30,
                31,
            ]) {
                for day in 1..=length {
                    assert_eq!(days, days_from_civil(year, month, day));
                    assert_eq!(year, year_of(days * 86_400 + 7));
                    days += 1;
                }
            }
        }
    }
}
