//! What others say they have lost: every text, whoever says it, wherever the stream is cut.

// Of the parts that tests share, this one needs a few.
#[allow(dead_code)]
mod checks;
#[allow(dead_code)]
mod kernel;
#[allow(dead_code)]
mod naive;

use logwatch_core::hash::Seed;
use logwatch_core::line::LINE_MOST;
use logwatch_core::losses::{self, Losses, Lost, Report, Speaker};
use logwatch_core::prefix::Prefixes;
use logwatch_core::scanner::{Scanner, Settings};
use logwatch_core::summary::{Limits, Summary};
use logwatch_core::time::{Clock, utc};
use proptest::collection::vec;
use proptest::prelude::*;

use self::kernel::{Choices, damage};

const LIMITS: Limits = Limits { bytes: 1 << 16, destinations: true };

fn scanner(slice_seconds: u32) -> Scanner {
    let prefixes = Prefixes::new(&["calico-packet"]).expect("a usable prefix");
    let settings = Settings { prefixes, limits: LIMITS, slice_seconds, late_seconds: 0 };
    Scanner::new(settings, Clock::new(utc, 1_795_521_600), checks::seed())
}

fn found(stream: &[u8]) -> Losses {
    let mut scanner = scanner(0);
    scanner.feed(stream);
    scanner.finish();
    scanner.drain().losses
}

const KERNEL: Speaker = Speaker::Kernel;
const JOURNALD: Speaker = Speaker::Journald;
const RSYSLOG: Speaker = Speaker::Rsyslog;

/// Tag and text of reports, who says it, how many messages, and how often.
const REPORTS: [(&str, Speaker, u64, u32); 27] = [
    ("kernel: [   12.345678] netfilter please increase S_SIZE", KERNEL, 0, 1),
    ("kernel: [   12.345678][    C3] nf_log_syslog: please increase S_SIZE", KERNEL, 0, 1),
    ("kernel: please increase S_SIZE", KERNEL, 0, 1),
    ("kernel: message repeated 2 times: [ please increase S_SIZE]", KERNEL, 0, 2),
    ("systemd-journald[250]: Missed 61 kernel messages", JOURNALD, 61, 1),
    ("systemd-journal[250]: Missed 61 kernel messages", JOURNALD, 61, 1),
    ("systemd-journald: Missed 1 kernel messages", JOURNALD, 1, 1),
    ("systemd-journald 250 - - Missed 3 kernel messages", JOURNALD, 3, 1),
    ("systemd-journald[250]: Missed 0 kernel messages", JOURNALD, 0, 1),
    ("systemd-journald[250]: Missed 18446744073709551615 kernel messages", JOURNALD, u64::MAX, 1),
    ("systemd-journald[250]: Missed 18446744073709551616 kernel messages", JOURNALD, 0, 1),
    ("systemd-journald[250]: /dev/kmsg buffer overrun, some messages lost.", JOURNALD, 0, 1),
    (
        "kernel: [  771.887019] systemd-journald[381]: /dev/kmsg buffer overrun, some messages lost.",
        JOURNALD,
        0,
        1,
    ),
    (
        "kernel: message repeated 5 times: [ [  771.887019] systemd-journald[381]: /dev/kmsg buffer \
         overrun, some messages lost.]",
        JOURNALD,
        0,
        5,
    ),
    (
        "rsyslogd: imjournal: 406 messages lost due to rate-limiting (20000 allowed within 600 seconds)",
        RSYSLOG,
        406,
        1,
    ),
    ("rsyslogd-2177: imjournal: 406 messages lost due to rate-limiting", RSYSLOG, 406, 1),
    ("rsyslogd-2177 - - - imklog: 7 messages lost due to rate-limiting", RSYSLOG, 7, 1),
    ("rsyslogd-2177[812]: imklog: 7 messages lost due to rate-limiting", RSYSLOG, 7, 1),
    ("rsyslogd[812]: imklog: 9 messages lost due to rate-limiting", RSYSLOG, 9, 1),
    ("rsyslogd - - - imklog: 9 messages lost due to rate-limiting", RSYSLOG, 9, 1),
    ("rsyslogd: imklog: 4294967296 messages lost due to rate-limiting", RSYSLOG, 1 << 32, 1),
    (
        "rsyslogd: message repeated 3 times: [imjournal: 7 messages lost due to rate-limiting]",
        RSYSLOG,
        7,
        3,
    ),
    ("rsyslogd: imjournal: begin to drop messages due to rate-limiting", RSYSLOG, 0, 1),
    (
        "rsyslogd: imjournal from <worker-1:kubelet>: begin to drop messages due to rate-limiting",
        RSYSLOG,
        0,
        1,
    ),
    (
        "rsyslogd: imjournal from <a:b>: 5 messages lost due to rate-limiting>: begin to drop messages \
         due to rate-limiting",
        RSYSLOG,
        0,
        1,
    ),
    (
        "rsyslogd: imjournal from <a:calico-packet>: begin to drop messages due to rate-limiting",
        RSYSLOG,
        0,
        1,
    ),
    (
        "rsyslogd: imklog: 9 messages lost due to rate-limiting (1 allowed [v8.2302.0 try \
         https://www.rsyslog.com/e/2177 ]",
        RSYSLOG,
        9,
        1,
    ),
];

/// What is not about lines of the kernel, or not said by whom it seems to be said.
const OTHERS: [&str; 28] = [
    "kernel: [   12.345678] net_ratelimit: 12 callbacks suppressed",
    "kernel: [   12.345678] __ratelimit: 12 callbacks suppressed",
    "kernel: [   12.345678] audit_printk_skb: 12 callbacks suppressed",
    "kernel: eth0: two words please increase S_SIZE",
    "kernel: netfilter  please increase S_SIZE",
    "kernel: Missed 61 kernel messages",
    "kernel: sshd[1]: /dev/kmsg buffer overrun, some messages lost.",
    "kernel: rsyslogd: Missed 61 kernel messages",
    "kernel: rsyslogd: imklog: 9 messages lost due to rate-limiting",
    "systemd-journald[250]: Suppressed 12 messages from kubelet.service",
    "systemd-journald[250]: Missed 061 kernel messages",
    "systemd-journald[250]: Missed -1 kernel messages",
    "systemd-journald[250]: Missed  kernel messages",
    "systemd-journald[250]: sshd: Missed 61 kernel messages",
    "rsyslogd-: imklog: 7 messages lost due to rate-limiting",
    "rsyslogd-x: imklog: 7 messages lost due to rate-limiting",
    "systemd-journald[]: Missed 61 kernel messages",
    "systemd-journald[250] Missed 61 kernel messages",
    "systemd-journald-remote[250]: Missed 61 kernel messages",
    "sshd[1]: Missed 61 kernel messages",
    "sshd[1]: systemd-journald[250]: Missed 61 kernel messages",
    "logger: rsyslogd: imjournal: 406 messages lost due to rate-limiting",
    "rsyslogd: imuxsock[pid: 700]: 48814808 messages lost due to rate-limiting",
    "rsyslogd: imuxsock from <a:b>: begin to drop messages due to rate-limiting",
    "rsyslogd: imjournal: messages lost due to rate-limiting",
    "rsyslogd: imjournal from <a:b>: 5 messages lost due to rate-limiting",
    "rsyslogd: message repeated 0 times: [imjournal: 7 messages lost due to rate-limiting]",
    "please increase S_SIZE",
];

const HEADERS: [&str; 3] =
    ["Nov 22 07:08:09 worker-1 ", "<46>1 2026-11-22T07:08:09Z w ", "Nov 22 07:08:09 "];

#[test]
fn every_report_is_read() {
    for header in HEADERS {
        for (text, by, messages, times) in REPORTS {
            let line = format!("{header}{text}");
            let report = Some(Report { by, messages, times });
            assert_eq!(report, losses::read(line.as_bytes()), "{line}");
            checks::same_reading(0, line.as_bytes());
        }
    }
}

#[test]
fn what_is_no_report_of_loss_is_not_read_as_one() {
    // Without a host in front, another tag would be taken for one.
    for header in &HEADERS[..2] {
        for text in OTHERS {
            let line = format!("{header}{text}");
            assert_eq!(None, losses::read(line.as_bytes()), "{line}");
            checks::same_reading(0, line.as_bytes());
        }
    }
}

/// A cut number would be a smaller one; a cut text may still be a report without one.
#[test]
fn a_cut_report_never_tells_another_number() {
    for (text, by, messages, _) in REPORTS {
        let line = format!("{}{text}", HEADERS[0]);
        for end in 0..line.len() {
            if let Some(report) = losses::read(&line.as_bytes()[..end]) {
                assert_eq!((by, messages), (report.by, report.messages), "{}", &line[..end]);
            }
        }
    }
}

#[test]
fn reports_are_summed_up_by_who_says_them() {
    let mut lines = Vec::new();
    let mut expected = Losses::default();
    for (text, by, messages, times) in REPORTS {
        lines.extend([HEADERS[0], text, "\r\n"]);
        let lost = &mut expected.by[by as usize];
        lost.messages = lost.messages.saturating_add(messages.saturating_mul(times.into()));
        lost.reports += u64::from(times);
    }
    for text in OTHERS {
        lines.extend([HEADERS[0], text, "\n"]);
    }
    assert_eq!(u64::MAX, expected.by[JOURNALD as usize].messages);
    assert_eq!(expected, found(lines.concat().as_bytes()));
}

#[test]
fn a_report_is_found_at_every_place_of_a_stream() {
    let line = "Nov 22 07:08:09 w rsyslogd: imklog: 9 messages lost due to rate-limiting";
    let cut = "Nov 22 07:08:09 w kernel: netfilter please increase S_SIZE";
    let expected =
        [Lost { messages: 0, reports: 1 }, Lost::default(), Lost { messages: 9, reports: 1 }];
    for before in (0..200).chain(1_900..2_200) {
        for behind in [0, 1, 3, 60, 70, 2_100] {
            let stream = format!(
                "{}\n{line}\n{cut}\n{}\n",
                "m_s".repeat(before).split_at(before).0,
                "-".repeat(behind)
            );
            assert_eq!(expected, found(stream.as_bytes()).by, "{before} {behind}");
        }
    }
}

#[test]
fn a_line_with_a_report_counts_once_and_remains_other() {
    let line = "Nov 22 07:08:09 w rsyslogd: imjournal from <messages:S_SIZE messages messages>: begin to \
                drop messages due to rate-limiting messages messages\n";
    let mut scanner = scanner(0);
    scanner.feed(line.as_bytes());
    let summary = scanner.drain();
    assert_eq!([0, 0, 0, 0, 1], summary.lines);
    assert_eq!(1, summary.losses.by[RSYSLOG as usize].reports);
}

#[test]
fn a_line_with_a_prefix_in_place_is_no_report() {
    let prefixes = Prefixes::new(&["netfilter please"]).expect("a usable prefix");
    let line = b"Nov 22 07:08:09 w kernel: netfilter please increase S_SIZE\n";
    for piece in [1, line.len()] {
        let settings = Settings {
            prefixes: prefixes.clone(),
            limits: LIMITS,
            slice_seconds: 0,
            late_seconds: 0,
        };
        let mut scanner = Scanner::new(settings, Clock::new(utc, 0), Seed::random());
        line.chunks(piece).for_each(|piece| _ = scanner.feed(piece));
        let summary = scanner.drain();
        assert_eq!(([0, 0, 1, 0, 0], Losses::default()), (summary.lines, summary.losses));
    }
}

#[test]
fn lines_that_are_too_long_are_counted_wherever_they_stand() {
    let report = "Nov 22 07:08:09 w rsyslogd: imklog: 9 messages lost due to rate-limiting";
    let short = "x".repeat(99);
    for (length, expected) in [(LINE_MOST, 0), (LINE_MOST + 1, 1), (3 * LINE_MOST, 1)] {
        let long = format!("{report}{}", ".".repeat(length - report.len()));
        for lines in [
            format!("{long}\n"),
            format!("{short}\n{long}\n{short}\n"),
            format!("{}{long}\n", format!("{short}\n").repeat(1_000)),
            format!("{}{long}\n{short}\n", "\0".repeat(LINE_MOST)),
            long.clone(),
            // The prefix is found, so that the line is looked at on its own.
            format!("{short}\n{} calico-packet\n", &long[..length - 14]),
        ] {
            for piece in [lines.len(), 100_000, 1_000] {
                let mut scanner = scanner(0);
                lines.as_bytes().chunks(piece).for_each(|piece| _ = scanner.feed(piece));
                scanner.finish();
                let losses = scanner.drain().losses;
                assert_eq!(expected, losses.overlong_lines, "{length} in pieces of {piece}");
                assert_eq!(1 - expected, losses.by[RSYSLOG as usize].reports);
            }
        }
    }
}

#[test]
fn losses_go_through_bytes_and_merging() {
    let mut scanner = scanner(0);
    for (text, ..) in REPORTS {
        scanner.feed(format!("{}{text}\n", HEADERS[0]).as_bytes());
    }
    scanner.feed(&vec![b'x'; LINE_MOST + 1]);
    scanner.feed(b"\n");
    let summary = scanner.drain();
    let bytes = summary.to_bytes();
    let mut again = Summary::from_bytes(Seed::random(), LIMITS, &bytes).expect("a summary");
    assert_eq!(summary.losses, again.losses);
    assert_eq!(Losses::default(), scanner.drain().losses);
    again.merge(&summary);
    let twice =
        |lost: Lost| Lost { messages: lost.messages.saturating_mul(2), reports: lost.reports * 2 };
    assert_eq!(summary.losses.by.map(twice), again.losses.by);
    assert_eq!(2, again.losses.overlong_lines);
}

/// Reports are not told apart by slices of time, but each is counted once.
#[test]
fn a_slice_that_ends_counts_no_report_twice() {
    let packet =
        "kernel: calico-packet: IN=eth1 OUT= MAC= SRC=203.0.113.7 DST=198.51.100.9 LEN=60 ";
    let report = "rsyslogd: imklog: 9 messages lost due to rate-limiting";
    let lines: Vec<String> = (10..60)
        .map(|second| {
            format!("Nov 22 07:08:{second} w {packet}\nNov 22 07:08:{second} w {report}\n")
        })
        .collect();
    let lines = lines.concat();
    for piece in [7, 100, lines.len()] {
        let mut scanner = scanner(10);
        let mut losses = Losses::default();
        for piece in lines.as_bytes().chunks(piece) {
            let mut at = 0;
            while at < piece.len() {
                at += scanner.feed(&piece[at..]);
                losses.merge(&scanner.drain().losses);
            }
        }
        assert_eq!(Lost { messages: 450, reports: 50 }, losses.by[RSYSLOG as usize]);
    }
}

/// A line that says something, damaged or not, or another one.
fn any_line() -> impl Strategy<Value = Vec<u8>> {
    let texts: Vec<&str> = REPORTS.iter().map(|(text, ..)| *text).chain(OTHERS).collect();
    let text = prop::sample::select(texts);
    let numbers = ["0", "1", "4294967295", "18446744073709551615", "18446744073709551616", "007"];
    let headers = prop::sample::select(HEADERS.to_vec());
    let said = (headers, text).prop_map(|(header, text)| format!("{header}{text}").into_bytes());
    let counted = (0_u32..4, prop::sample::select(numbers.to_vec())).prop_map(|(times, number)| {
        format!(
            "Nov 22 07:08:09 w systemd-journald[1]: message repeated {times} times: [Missed {number} \
             kernel messages]"
        )
        .into_bytes()
    });
    let damaged = (said.clone(), said.clone(), vec(any::<u16>(), 1..30), 1..4).prop_map(
        |(mut line, other, numbers, damages)| {
            let mut choices = Choices::new(numbers);
            for _ in 0..damages {
                damage::once(&mut choices, &mut line, &other);
            }
            line
        },
    );
    let packets = vec(any::<u16>(), 0..40)
        .prop_map(|numbers| kernel::line(&mut Choices::new(numbers), checks::SETS[0]));
    let quiet =
        (0_usize..300, "[a-zS_Z =\0]{0,20}messages?[S_IZE ]{0,9}").prop_map(|(dots, text)| {
            format!("Nov 22 07:08:09 w app[1]: {text}{}", ".".repeat(dots)).into_bytes()
        });
    prop_oneof![3 => said, 1 => counted, 3 => damaged, 2 => packets, 4 => quiet]
}

proptest! {
    #![proptest_config(ProptestConfig { failure_persistence: None, ..ProptestConfig::with_cases(400) })]

    #[test]
    fn any_line_is_read_alike(line in any_line()) {
        checks::same_reading(0, &line);
    }

    #[test]
    fn reports_in_a_stream_are_counted_alike_however_it_is_cut(
        choice in 0..checks::SETS.len() as u8,
        lines in vec((any_line(), 0..30), 0..60),
        sizes in vec(1_usize..700, 1..20),
    ) {
        let mut stream = Vec::new();
        for (line, form) in lines {
            match form {
                0 => stream.extend(vec![b'm'; LINE_MOST]),
                1 => stream.extend([0; 300]),
                2 => stream.extend(b"\n\n"),
                _ => {}
            }
            stream.extend(&line);
            stream.extend(if form == 3 { &b"\r\n"[..] } else { b"\n" });
        }
        for &level in checks::levels() {
            checks::same_counts(choice, level, &stream, sizes.iter().copied().cycle());
            checks::same_counts(choice, level, &stream, []);
        }
    }
}
