//! A log prefix as configured in Calico, and what the kernel's text makes of it.
//!
//! Felix replaces `%t` by the tier, `%k` by the policy's kind, `%n` by its name and `%p` by
//! namespace/name; everything else stays as it is (`FelixConfiguration` `spec.logPrefix`, Calico
//! 3.30.6 and later). What a specifier stands for is as short as lets the rest fit, since names may
//! hold what separates them.

/// iptables prints at most this many bytes of a prefix (`struct xt_log_info`).
pub(crate) const IPTABLES_MOST: usize = 29;
/// nftables prints at most this many (`NF_LOG_PREFIXLEN`).
pub(crate) const NFTABLES_MOST: usize = 127;
/// Specifiers in one prefix: one of each kind says everything.
const SPECIFIERS_MOST: usize = 4;
/// A shorter beginning stands in front of too many other messages to mean anything.
const STEM_LEAST: usize = 3;

/// What the specifiers of a prefix stand for; what was cut off or not asked for is `None`. A name
/// in which the kernel cut the prefix is as long as it was printed.
#[derive(Clone, Copy, Debug, Default, PartialEq, Eq, Hash)]
pub struct Names<'a> {
    /// `%t`
    pub tier: Option<&'a [u8]>,
    /// `%k`: np, gnp, knp and so on.
    pub kind: Option<&'a [u8]>,
    /// `%n`, or what follows the namespace in `%p`.
    pub policy: Option<&'a [u8]>,
    /// From `%p`; cluster-wide policies have none.
    pub namespace: Option<&'a [u8]>,
}

#[derive(Clone, Copy, Debug, PartialEq, Eq)]
enum Specifier {
    Tier,
    Kind,
    Name,
    NamespacedName,
}

#[derive(Clone, Debug)]
enum Piece {
    Literal(Vec<u8>),
    Specifier(Specifier),
}

/// A prefix in pieces.
#[derive(Clone, Debug)]
pub(crate) struct Template {
    pieces: Vec<Piece>,
    /// The same with the ": " that Calico adds.
    with_colon: Vec<Piece>,
}

impl Template {
    /// `None` when the text has more specifiers than are told apart.
    pub(crate) fn new(text: &[u8]) -> Option<Self> {
        let pieces = pieces_of(text);
        let with_colon = pieces_of(&[text, b": "].concat());
        let specifiers = pieces.iter().filter(|piece| matches!(piece, Piece::Specifier(_))).count();
        (specifiers <= SPECIFIERS_MOST).then_some(Self { pieces, with_colon })
    }

    /// Whether the text is printed as it is.
    pub(crate) fn is_plain(&self) -> bool {
        matches!(self.pieces[..], [Piece::Literal(_)])
    }

    /// What every message with this prefix starts with, unless that is too short to mean anything.
    pub(crate) fn stem(&self) -> Option<&[u8]> {
        match &self.pieces[0] {
            Piece::Literal(text) if text.len() >= STEM_LEAST || self.is_plain() => {
                Some(&text[..text.len().min(IPTABLES_MOST)])
            }
            _ => None,
        }
    }

    /// Reads the whole text in front of `IN=`: with the ": ", without, or cut where the kernel cuts.
    pub(crate) fn read<'a>(&self, text: &'a [u8]) -> Option<Names<'a>> {
        let mut found = Matcher::new(text, false).read(&self.with_colon);
        if found.is_none() {
            found = Matcher::new(text, false).read(&self.pieces);
        }
        if found.is_none() && matches!(text.len(), IPTABLES_MOST | NFTABLES_MOST) {
            found = Matcher::new(text, true).read(&self.with_colon);
        }
        found
    }
}

impl Template {
    /// From which bytes of `text`, at most 127, the rest of it is this prefix, whole or cut: bit `i`
    /// stands for byte `i`. All at once, since a hostile line can hold many beginnings.
    pub(crate) fn starts(&self, text: &[u8]) -> u128 {
        let mut starts = starts(&self.with_colon, text) | starts(&self.pieces, text);
        for most in [IPTABLES_MOST, NFTABLES_MOST] {
            if let Some(at) = text.len().checked_sub(most)
                && Matcher::new(&text[at..], true).read(&self.with_colon).is_some()
            {
                starts |= 1 << at;
            }
        }
        starts
    }
}

/// From which bytes of `text` the pieces fit to its end, found from the end backwards.
fn starts(pieces: &[Piece], text: &[u8]) -> u128 {
    debug_assert!(text.len() <= NFTABLES_MOST);
    pieces.iter().rev().fold(1 << text.len(), |ends, piece| match piece {
        Piece::Literal(literal) => (0..text.len()).fold(0, |starts, at| {
            let fits = text[at..].starts_with(literal) && ends >> (at + literal.len()) & 1 == 1;
            starts | u128::from(fits) << at
        }),
        Piece::Specifier(specifier) => {
            // Starts of names without a slash, and of names that may have one.
            let (mut plain, mut any) = (0_u128, 0_u128);
            for at in (0..text.len()).rev() {
                if is_of_name(text[at]) {
                    let next = at + 1;
                    let slash = *specifier == Specifier::NamespacedName
                        && text.get(next) == Some(&b'/')
                        && plain >> (next + 1) & 1 == 1;
                    plain |= ((ends | plain) >> next & 1) << at;
                    any |= ((ends | any) >> next & 1 | u128::from(slash)) << at;
                }
            }
            any
        }
    })
}

/// Letters, digits and `. _ -` of Kubernetes and Calico.
fn is_of_name(byte: u8) -> bool {
    byte.is_ascii_alphanumeric() || b"._-".contains(&byte)
}

fn pieces_of(text: &[u8]) -> Vec<Piece> {
    let mut pieces = Vec::new();
    let mut literal = Vec::new();
    let mut rest = text;
    while let Some((&byte, behind)) = rest.split_first() {
        let specifier = match behind.first().filter(|_| byte == b'%') {
            Some(b't') => Some(Specifier::Tier),
            Some(b'k') => Some(Specifier::Kind),
            Some(b'n') => Some(Specifier::Name),
            Some(b'p') => Some(Specifier::NamespacedName),
            _ => None,
        };
        if let Some(specifier) = specifier {
            if !literal.is_empty() {
                pieces.push(Piece::Literal(std::mem::take(&mut literal)));
            }
            pieces.push(Piece::Specifier(specifier));
            rest = &behind[1..];
        } else {
            literal.push(byte);
            rest = behind;
        }
    }
    if !literal.is_empty() {
        pieces.push(Piece::Literal(literal));
    }
    pieces
}

/// Fits pieces to a text, trying short names first.
struct Matcher<'a> {
    text: &'a [u8],
    /// Whether the text may end anywhere.
    cut: bool,
    /// By number of pieces left: bit `i` tells that they do not fit from byte `i` on. Bounds the
    /// work by the text's length times the number of pieces.
    failed: [u128; 2 * SPECIFIERS_MOST + 2],
}

impl<'a> Matcher<'a> {
    fn new(text: &'a [u8], cut: bool) -> Self {
        Self { text, cut, failed: [0; 2 * SPECIFIERS_MOST + 2] }
    }

    fn read(mut self, pieces: &[Piece]) -> Option<Names<'a>> {
        if self.text.len() > NFTABLES_MOST { None } else { self.fit(pieces, 0, Names::default()) }
    }

    fn fit(&mut self, pieces: &[Piece], at: usize, names: Names<'a>) -> Option<Names<'a>> {
        let rest = &self.text[at..];
        let Some((piece, behind)) = pieces.split_first() else {
            return rest.is_empty().then_some(names);
        };
        if rest.is_empty() && self.cut {
            return Some(names);
        }
        if self.failed[pieces.len()] >> at & 1 == 1 {
            return None;
        }
        let cut = self.cut;
        let found = match piece {
            Piece::Literal(literal) if rest.starts_with(literal) => {
                self.fit(behind, at + literal.len(), names)
            }
            Piece::Literal(literal) => (cut && literal.starts_with(rest)).then_some(names),
            Piece::Specifier(specifier) => (1..=specifier.most(rest))
                .filter(|&length| {
                    // A slash is followed by a name, unless the kernel cut there.
                    rest[length - 1] != b'/' || (cut && length == rest.len())
                })
                .find_map(|length| {
                    self.fit(behind, at + length, specifier.name(&rest[..length], names))
                }),
        };
        if found.is_none() {
            self.failed[pieces.len()] |= 1 << at;
        }
        found
    }
}

impl Specifier {
    /// How many bytes at the start of `text` can be of a name, and one slash behind a namespace.
    fn most(self, text: &[u8]) -> usize {
        let mut slashes = usize::from(self == Self::NamespacedName);
        text.iter()
            .enumerate()
            .take_while(|&(at, &byte)| {
                if byte == b'/' && at > 0 && slashes > 0 {
                    slashes -= 1;
                    return true;
                }
                is_of_name(byte)
            })
            .count()
    }

    /// `names` with `text` for this specifier; of equal ones the first counts.
    fn name<'a>(self, text: &'a [u8], mut names: Names<'a>) -> Names<'a> {
        match self {
            Self::Tier => names.tier = names.tier.or(Some(text)),
            Self::Kind => names.kind = names.kind.or(Some(text)),
            Self::Name => names.policy = names.policy.or(Some(text)),
            Self::NamespacedName => {
                let mut parts = text.split(|&byte| byte == b'/');
                let first = parts.next();
                match parts.next() {
                    Some(policy) => {
                        names.namespace = names.namespace.or(first);
                        names.policy =
                            names.policy.or(Some(policy).filter(|name| !name.is_empty()));
                    }
                    None => names.policy = names.policy.or(first),
                }
            }
        }
        names
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    fn read(template: &str, text: &str) -> Option<[String; 4]> {
        let template = Template::new(template.as_bytes()).expect("a usable prefix");
        template.read(text.as_bytes()).map(|names| {
            [names.tier, names.kind, names.namespace, names.policy]
                .map(|name| String::from_utf8_lossy(name.unwrap_or_default()).into_owned())
        })
    }

    #[allow(clippy::unnecessary_wraps)] // as the results that it is compared with
    fn names(tier: &str, kind: &str, namespace: &str, policy: &str) -> Option<[String; 4]> {
        Some([tier, kind, namespace, policy].map(str::to_owned))
    }

    #[test]
    fn what_specifiers_stand_for_is_read() {
        for (template, text, expected) in [
            ("calico-packet", "calico-packet: ", names("", "", "", "")),
            ("calico-packet", "calico-packet", names("", "", "", "")),
            ("calico-packet", "calico-packet:", None),
            ("cp %n", "cp blacklist: ", names("", "", "", "blacklist")),
            ("cp %n", "cp deny-nodeports", names("", "", "", "deny-nodeports")),
            ("cp %n", "cp a.b_c-d: ", names("", "", "", "a.b_c-d")),
            ("cp %n", "cp : ", None),
            ("cp %n", "cp a/b: ", None),
            ("cp %k %p", "cp np default/web: ", names("", "np", "default", "web")),
            ("cp %k %p", "cp gnp web: ", names("", "gnp", "", "web")),
            ("cp %k %p", "cp gnp web/: ", None),
            ("cp %t-%n", "cp a-b-c: ", names("a", "", "", "b-c")),
            ("cp %t.%k.%n", "cp default.gnp.web: ", names("default", "gnp", "", "web")),
            ("cp %n %p", "cp one two/three: ", names("", "", "two", "one")),
            ("%n", "web: ", names("", "", "", "web")),
            ("100%% %x %n", "100%% %x web: ", names("", "", "", "web")),
        ] {
            assert_eq!(expected, read(template, text), "{template:?} {text:?}");
        }
    }

    #[test]
    fn the_starts_are_those_of_which_the_rest_is_read() {
        for template in ["aba", "aaa%n", "cp %k %p", "%p", "a%p/%n", "x%t-%n-%k", "aa %n: "] {
            let template = Template::new(template.as_bytes()).expect("a usable prefix");
            for text in [
                "y ababa",
                "aaaaaaaaa",
                "cp cp np a/b: ",
                "a/b/c",
                "aa/b/c/",
                "x-xa-b-c-d: ",
                "aa aa b: : ",
                "cp np aaaaaaaaaaaaaaaaaaaaaaa/",
                "aaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaa",
            ] {
                let expected = (0..text.len()).fold(0, |starts, at| {
                    starts | u128::from(template.read(&text.as_bytes()[at..]).is_some()) << at
                });
                assert_eq!(expected, template.starts(text.as_bytes()), "{template:?} {text:?}");
            }
        }
    }

    #[test]
    fn a_prefix_is_read_as_far_as_the_kernel_printed_it() {
        let template = "calico-packet %k %p";
        let cut = "calico-packet gnp log-denied-";
        assert_eq!(IPTABLES_MOST, cut.len());
        assert_eq!(names("", "gnp", "", "log-denied-"), read(template, cut));
        assert_eq!(
            names("", "np", "kube-system", ""),
            read(template, "calico-packet np kube-system/")
        );
        assert_eq!(
            names("", "gnp", "", ""),
            read("calico-packet-with-texts %k %p", "calico-packet-with-texts gnp ")
        );
        assert_eq!(
            names("", "", "", ""),
            read("a-prefix-of-twenty-nine-bytes-and-more", "a-prefix-of-twenty-nine-bytes")
        );
        assert_eq!(
            names("", "", "", "web"),
            read("a-prefix-that-is-longer-%n-x", "a-prefix-that-is-longer-web-x"),
            "whole"
        );
        assert_eq!(None, read(template, "calico-packet gnp"), "not where the kernel cuts");
        let long = format!("cp {}", "n".repeat(124));
        assert_eq!(names("", "", "", &"n".repeat(124)), read("cp %n", &long));
        assert_eq!(None, read("cp %n", &format!("{long}n")), "longer than any kernel prints");
    }
}
