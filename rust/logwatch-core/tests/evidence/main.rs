//! The evidence engine, held against a model that keeps every event.

mod cases;
mod merging;
mod model;
mod properties;
mod rows;
