//! The `lambdasim` command.

fn main() {}
