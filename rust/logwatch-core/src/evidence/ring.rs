//! Sixty amounts, each in as few bytes as the largest of them needs.

/// How many amounts there are.
pub(super) const BUCKETS: usize = 60;

/// The amounts, by place. An amount that does not fit makes all of them wider: none is ever cut.
#[derive(Clone, Debug)]
pub(super) enum Ring {
    One(Box<[u8; BUCKETS]>),
    Two(Box<[u16; BUCKETS]>),
    Four(Box<[u32; BUCKETS]>),
    Eight(Box<[u64; BUCKETS]>),
}

impl Default for Ring {
    fn default() -> Self {
        Self::One(Box::new([0; BUCKETS]))
    }
}

impl Ring {
    #[inline]
    pub(super) fn get(&self, place: usize) -> u64 {
        match self {
            Self::One(amounts) => amounts[place].into(),
            Self::Two(amounts) => amounts[place].into(),
            Self::Four(amounts) => amounts[place].into(),
            Self::Eight(amounts) => amounts[place],
        }
    }

    #[inline]
    pub(super) fn set(&mut self, place: usize, amount: u64) {
        let fits = match self {
            Self::One(amounts) => amount.try_into().map(|amount| amounts[place] = amount).is_ok(),
            Self::Two(amounts) => amount.try_into().map(|amount| amounts[place] = amount).is_ok(),
            Self::Four(amounts) => amount.try_into().map(|amount| amounts[place] = amount).is_ok(),
            Self::Eight(amounts) => {
                amounts[place] = amount;
                true
            }
        };
        if !fits {
            self.widen();
            self.set(place, amount);
        }
    }

    #[cold]
    fn widen(&mut self) {
        *self = match self {
            Self::One(amounts) => Self::Two(Box::new(amounts.map(u16::from))),
            Self::Two(amounts) => Self::Four(Box::new(amounts.map(u32::from))),
            Self::Four(amounts) => Self::Eight(Box::new(amounts.map(u64::from))),
            Self::Eight(amounts) => Self::Eight(Box::clone(amounts)),
        };
    }
}

#[cfg(test)]
mod tests {
    use proptest::prelude::*;

    use super::*;

    proptest! {
        #[test]
        fn a_ring_holds_like_a_plain_array(
            sets in prop::collection::vec((0..BUCKETS, 0_u32..65, any::<u64>()), 0..200),
        ) {
            let (mut ring, mut plain) = (Ring::default(), [0; BUCKETS]);
            for (place, bits, amount) in sets {
                let amount = amount.checked_shr(bits).unwrap_or(0);
                ring.set(place, amount);
                plain[place] = amount;
                prop_assert!((0..BUCKETS).all(|place| ring.get(place) == plain[place]));
            }
        }
    }
}
