//! Types and glue generated from `wit/`.
//!
//! One small world an interface, because wit-bindgen makes an exported interface anew for every world that has it, and the
//! worlds of `wit/` share one. A component carries the worlds of the interfaces that [`export!`](crate::export!) exports, and
//! the componentiser joins them: `about` and `selecting` are `selector`, `about` and `routing` are `router`, `about` and
//! `rescuing` are `rescuer`, and all four are `complete`.

/// What every policy exports, and the log it imports.
#[allow(
    missing_docs,
    missing_debug_implementations,
    unsafe_code,
    unreachable_pub,
    clippy::all,
    clippy::pedantic,
    reason = "generated from wit/, which documents every item"
)]
pub mod about {
    wit_bindgen::generate!({
        inline: "
            package pointsman:sdk;
            world about {
                import pointsman:policy/types@0.1.0;
                import pointsman:policy/log@0.1.0;
                export pointsman:policy/policy@0.1.0;
            }
        ",
        path: "../wit",
        world: "pointsman:sdk/about",
        generate_all,
        generate_unused_types: true,
        pub_export_macro: true,
        export_macro_name: "export_about",
        additional_derives: [PartialEq],
        additional_derives_ignore: ["price"],
    });
}

/// The selection hook.
#[allow(
    missing_docs,
    missing_debug_implementations,
    unsafe_code,
    unreachable_pub,
    clippy::all,
    clippy::pedantic,
    reason = "generated from wit/, which documents every item"
)]
pub mod selecting {
    wit_bindgen::generate!({
        inline: "
            package pointsman:sdk;
            world selecting {
                export pointsman:policy/selection@0.1.0;
            }
        ",
        path: "../wit",
        world: "pointsman:sdk/selecting",
        pub_export_macro: true,
        export_macro_name: "export_selecting",
        additional_derives: [PartialEq],
        with: { "pointsman:policy/types@0.1.0": crate::bindings::about::pointsman::policy::types },
    });
}

/// The byoc hook.
#[allow(
    missing_docs,
    missing_debug_implementations,
    unsafe_code,
    unreachable_pub,
    clippy::all,
    clippy::pedantic,
    reason = "generated from wit/, which documents every item"
)]
pub mod routing {
    wit_bindgen::generate!({
        inline: "
            package pointsman:sdk;
            world routing {
                export pointsman:policy/byoc@0.1.0;
            }
        ",
        path: "../wit",
        world: "pointsman:sdk/routing",
        pub_export_macro: true,
        export_macro_name: "export_routing",
        additional_derives: [PartialEq],
        with: { "pointsman:policy/types@0.1.0": crate::bindings::about::pointsman::policy::types },
    });
}

/// The failover hook.
#[allow(
    missing_docs,
    missing_debug_implementations,
    unsafe_code,
    unreachable_pub,
    clippy::all,
    clippy::pedantic,
    reason = "generated from wit/, which documents every item"
)]
pub mod rescuing {
    wit_bindgen::generate!({
        inline: "
            package pointsman:sdk;
            world rescuing {
                export pointsman:policy/failover@0.1.0;
            }
        ",
        path: "../wit",
        world: "pointsman:sdk/rescuing",
        pub_export_macro: true,
        export_macro_name: "export_rescuing",
        additional_derives: [PartialEq],
        with: { "pointsman:policy/types@0.1.0": crate::bindings::about::pointsman::policy::types },
    });
}

/// The generated modules by what they hold.
pub(crate) use about::exports::pointsman::policy::policy;
pub(crate) use about::pointsman::policy::{log, types};
pub(crate) use rescuing::exports::pointsman::policy::failover;
pub(crate) use routing::exports::pointsman::policy::byoc;
pub(crate) use selecting::exports::pointsman::policy::selection;
