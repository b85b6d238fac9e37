//! The latest of many values, and when each was last seen.

/// Values that there is more room for each time, after the first.
const STEP: usize = 4;

/// At most so many values; the latest ones stay.
#[derive(Clone, Debug, Default)]
pub(super) struct Latest<V, const MOST: usize>(Vec<(V, u64)>);

impl<V: Copy + Ord, const MOST: usize> Latest<V, MOST> {
    pub(super) fn see(&mut self, value: V, at: u64) {
        if let Some(known) = self.0.iter_mut().find(|known| known.0 == value) {
            known.1 = known.1.max(at);
        } else if self.0.len() < MOST {
            if self.0.len() == self.0.capacity() {
                // Most sources have one; twice as much each time would be too much for the others.
                let step = if self.0.is_empty() { 1 } else { STEP };
                self.0.reserve_exact(step.min(MOST - self.0.len()));
            }
            self.0.push((value, at));
        } else if let Some(oldest) = self.0.iter_mut().min_by_key(|known| (known.1, known.0))
            && (oldest.1, oldest.0) < (at, value)
        {
            *oldest = (value, at);
        }
    }

    /// Keeps the values that were last seen at a time for which `is` says yes.
    pub(super) fn retain(&mut self, is: impl Fn(u64) -> bool) {
        self.0.retain(|(_, at)| is(*at));
    }

    /// The values, in no order.
    pub(super) fn iter(&self) -> impl Iterator<Item = (V, u64)> {
        self.0.iter().copied()
    }
}
