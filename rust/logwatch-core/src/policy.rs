//! Which policy a packet's prefix stands for, numbered as they come.

use std::collections::HashMap;

use crate::template::Names;

/// Policies told apart by their names; beyond that by their prefix only. A cluster has some hundreds.
const NAMED_MOST: usize = 1_024;

/// A prefix and what its specifiers stand for.
#[derive(Clone, Debug, Default, PartialEq, Eq, PartialOrd, Ord, Hash)]
pub struct Policy {
    /// Index of the configured prefix.
    pub prefix: u8,
    /// `%t`
    pub tier: Option<Box<[u8]>>,
    /// `%k`
    pub kind: Option<Box<[u8]>>,
    /// `%n`, or the name in `%p`.
    pub policy: Option<Box<[u8]>>,
    /// Of `%p`.
    pub namespace: Option<Box<[u8]>>,
}

impl Policy {
    /// From the index of a prefix, below 64, and its names.
    #[must_use]
    pub fn new(prefix: usize, names: Names<'_>) -> Self {
        let [tier, kind, policy, namespace] =
            [names.tier, names.kind, names.policy, names.namespace].map(|name| name.map(Box::from));
        Self { prefix: prefix as u8, tier, kind, policy, namespace }
    }

    fn prefix_only(prefix: u8) -> Self {
        Self { prefix, ..Self::default() }
    }
}

/// The policies of one summary, numbered from 0.
#[derive(Clone, Debug, Default)]
pub struct Policies {
    known: Vec<Policy>,
    numbers: HashMap<Policy, u16>,
}

impl Policies {
    /// The number of a policy.
    pub fn number(&mut self, policy: Policy) -> u16 {
        if let Some(&number) = self.numbers.get(&policy) {
            return number;
        }
        let policy =
            if self.known.len() < NAMED_MOST { policy } else { Policy::prefix_only(policy.prefix) };
        *self.numbers.entry(policy.clone()).or_insert_with(|| {
            self.known.push(policy);
            self.known.len() as u16 - 1
        })
    }

    /// The number of the policy that is told by its prefix only.
    pub fn without_names(&mut self, number: u16) -> u16 {
        self.number(Policy::prefix_only(self.known[usize::from(number)].prefix))
    }

    /// The policy with a number that [`Self::number`] gave.
    #[must_use]
    pub fn get(&self, number: u16) -> &Policy {
        &self.known[usize::from(number)]
    }

    /// All policies, in the order of their numbers.
    pub fn iter(&self) -> impl Iterator<Item = &Policy> {
        self.known.iter()
    }
}
