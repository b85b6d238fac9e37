//! What the targets share with each other and with the tests of `logwatch-core`.

#[path = "../../logwatch-core/tests/checks/mod.rs"]
pub mod checks;
pub mod mutator;
#[path = "../../logwatch-core/tests/naive/mod.rs"]
pub mod naive;
