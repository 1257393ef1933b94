//! The contract's types and calls, generated from `wit/`.
//!
//! One world of the host's own holds every hook, so that each type exists once; which hooks a component has is found
//! by name when it is loaded. Lists that go in are borrowed: a column crosses in one copy, from the snapshot's gathered
//! values straight into the guest.

wasmtime::component::bindgen!({
    path: "../../wit",
    inline: "
        package pointsman:host;
        world hooks {
            import pointsman:policy/log@0.1.0;
            export pointsman:policy/policy@0.1.0;
            export pointsman:policy/selection@0.1.0;
            export pointsman:policy/byoc@0.1.0;
            export pointsman:policy/failover@0.1.0;
        }
    ",
    world: "pointsman:host/hooks",
    ownership: Borrowing { duplicate_if_necessary: true },
    additional_derives: [PartialEq],
});
