//! The pointsman binary.

#![forbid(unsafe_code)]

use std::process::ExitCode;

/// As if a signal had ended it, which is what shells expect of a program whose output nobody reads.
const BROKEN_PIPE: i32 = 128 + 13;

fn main() -> ExitCode {
    end_with_the_reader();
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

/// Whoever reads the output may have had enough (`| head`): that is the end and no fault.
fn end_with_the_reader() {
    let usual = std::panic::take_hook();
    std::panic::set_hook(Box::new(move |panic| {
        let words = panic.payload_as_str().unwrap_or_default();
        if words.starts_with("failed printing to stdout: Broken pipe") {
            std::process::exit(BROKEN_PIPE);
        }
        usual(panic);
    }));
}
