//! The evidence engine, held against a model that keeps every event.

mod cases;
mod merging;
mod model;
mod near;
mod properties;
mod reports;
mod rows;
