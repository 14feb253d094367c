//! The one integration-test binary.

mod reference;
mod scenario_errors;
mod scenario_good;
