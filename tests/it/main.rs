//! The one integration-test binary.

#[cfg(test)]
mod cli;
mod reference;
mod scenario_errors;
mod scenario_good;
