//! The command line: what it asks for is done, or what is wrong with it is said.

use std::process::ExitCode;

use clap::Parser;

use crate::EXIT_USAGE;

/// Reads the command line, and does with it what `run` does. `--help` and `--version` are answered on stdout;
/// a command line that makes no sense is explained on stderr, with exit code 64.
pub fn with_command_line<L: Parser>(run: impl FnOnce(L) -> ExitCode) -> ExitCode {
    match L::try_parse() {
        Ok(line) => run(line),
        Err(instead) => {
            // Nobody may be reading.
            drop(instead.print());
            // Help and version are such errors too, and no failure.
            if instead.use_stderr() { ExitCode::from(EXIT_USAGE) } else { ExitCode::SUCCESS }
        }
    }
}
