//! Embeds hls.js when `make setup` has brought it, and nothing in its place otherwise: the page then plays with the browser's own HLS.

use std::path::Path;
use std::{env, fs};

const FILE: &str = "assets/node_modules/hls.js/dist/hls.light.min.js";

fn main() {
    // Without the file its folder is watched, since cargo takes a missing file for one that changes every time.
    let present = Path::new(FILE).is_file();
    println!(
        "cargo:rerun-if-changed={}",
        if present { FILE } else { "assets" }
    );
    let out = env::var_os("OUT_DIR").expect("cargo sets it");
    let bytes = if present {
        fs::read(FILE).expect("a file that is there")
    } else {
        Vec::new()
    };
    fs::write(Path::new(&out).join("hls.js"), bytes).expect("cargo's own folder takes a file");
}
