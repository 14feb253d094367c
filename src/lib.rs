//! A deterministic discrete-event simulator of AWS Lambda's invocation semantics.
//!
//! Reading order: [`kernel`] (time, events, random numbers), [`aws`] (the rules), [`scenario`] (the file),
//! [`lint`] (what is known about its settings), [`stats`] and [`expect`] (the numbers), [`story`] (one event, step by
//! step), [`catalogue`] (everything that can invoke), [`run`] (all together), [`study`] (answers from many runs),
//! [`report`] (what people and programs read).

pub mod aws;
pub mod catalogue;
pub mod expect;
pub mod kernel;
pub mod lint;
pub mod report;
pub mod run;
pub mod scenario;
pub mod stats;
pub mod story;
pub mod study;
