//! Whatever stands on the command line or in a file, the answer is settings or a message.

use proptest::prelude::*;

use super::{file, run};
use crate::config::golivepeer::translate;
use crate::config::setting;

/// A word that is often almost right.
fn word() -> impl Strategy<Value = String> {
    let keys: Vec<&str> = setting::all().map(|setting| setting.key).collect();
    let flag = (prop::sample::select(keys), "[=]?[\\PC]{0,8}");
    prop_oneof![
        flag.prop_map(|(key, value)| format!("--{key}{value}")),
        "-{0,3}[a-zA-Z=-]{0,12}",
        "\\PC{0,12}",
    ]
}

proptest! {
    #[test]
    fn any_command_line_is_answered(words in prop::collection::vec(word(), 0..6)) {
        // Words of one character could name files of the machine that runs the test.
        prop_assume!(!words.iter().any(|word| word.contains("config") || word.contains("options")));
        if let Err(error) = run(&words.join(" "), &[]) {
            prop_assert!(!error.to_string().is_empty());
        }
    }

    #[test]
    fn any_file_is_answered(
        lines in prop::collection::vec((word(), "[=:. \\[\\]{}\"]{0,3}", "\\PC{0,12}"), 0..6),
    ) {
        let lines: Vec<String> = lines
            .iter()
            .map(|(key, middle, value)| format!("{}{middle}{value}", key.trim_start_matches('-')))
            .collect();
        let text = lines.join("\n");
        let (_folder, path) = file("gateway.toml", &text);
        if let Err(error) = run(&format!("--config {}", path.display()), &[]) {
            prop_assert!(error.to_string().contains("gateway.toml:"), "{error}");
        }
        let _ = translate(&text);
    }
}
