//! The local zone, asked of the C library, which follows TZ and /etc/localtime.

/// Unix seconds of a local civil time; in the hour that a clock set back repeats, one of the two.
pub fn to_seconds(year: i32, month: u8, day: u8, hour: u8, minute: u8, second: u8) -> i64 {
    // SAFETY: all-zero is a valid `tm`: integers and a null zone name, which mktime does not read.
    let mut time: libc::tm = unsafe { std::mem::zeroed() };
    time.tm_year = year - 1900;
    time.tm_mon = i32::from(month) - 1;
    time.tm_mday = i32::from(day);
    time.tm_hour = i32::from(hour);
    time.tm_min = i32::from(minute);
    time.tm_sec = i32::from(second);
    // The library decides whether daylight saving is in force.
    time.tm_isdst = -1;
    // SAFETY: `time` is a valid, exclusively borrowed `tm`.
    unsafe { libc::mktime(&raw mut time) }
}
