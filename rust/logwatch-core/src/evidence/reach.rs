//! How near a source is to the rules of a gauge, as far as that says what to do with it.

/// From which numbers of a gauge on a source matters.
#[derive(Clone, Copy, Debug)]
pub(super) struct Marks {
    /// The lowest threshold of its rules.
    pub lowest: u64,
    /// A third of it.
    pub third: u64,
    /// It is judged: `lowest`, or less where near misses are kept.
    pub noticed: u64,
}

impl Marks {
    pub(super) fn new(threshold: u64) -> Self {
        Self { lowest: threshold, third: threshold.div_ceil(3), noticed: threshold }
    }
}

/// How near a source may be to the rule of a gauge that it is nearest to.
#[derive(Clone, Copy, Debug, Default, PartialEq, Eq)]
pub(super) struct Reach {
    /// Maybe it fulfils it, or is so near that it is to be judged.
    pub is_there: bool,
    /// A third of the way at least.
    pub is_third: bool,
}

impl Reach {
    #[inline]
    pub(super) fn of(reached: u64, marks: Marks) -> Self {
        Self { is_there: reached >= marks.noticed, is_third: reached >= marks.third }
    }

    /// The nearer of two.
    #[inline]
    pub(super) fn or(self, other: Self) -> Self {
        Self { is_there: self.is_there | other.is_there, is_third: self.is_third | other.is_third }
    }
}
