//! The node.

#[allow(dead_code)]
mod check;
#[allow(dead_code)]
mod cli;
#[allow(dead_code)]
mod data;
#[allow(dead_code)]
mod logging;

fn main() {}
