//! The pointsman binary.

#![forbid(unsafe_code)]

use std::process::ExitCode;

fn main() -> ExitCode {
    match pointsman::cli::parse(std::env::args_os(), std::env::vars_os()) {
        Ok(command) => match pointsman::command::execute(command) {
            Ok(()) => ExitCode::SUCCESS,
            Err(error) => {
                eprintln!("pointsman: {error:#}");
                ExitCode::FAILURE
            }
        },
        Err(error) => {
            // A closed pipe changes nothing about the exit code.
            let _ = error.print();
            error.exit_code().into()
        }
    }
}
