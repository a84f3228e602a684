//! `glyphs`, see the library.

use std::process::ExitCode;

fn main() -> ExitCode {
    glyphs_cli::main()
}
