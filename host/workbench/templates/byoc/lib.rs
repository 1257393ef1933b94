//! Calls of custom containers by the application's tier: who is not "gold" gets less time, and some capabilities not at all.
#![deny(unsafe_code)]

use pointsman_sdk::prelude::*;

/// What `configure` asks for, and what it read from the settings.
#[derive(Debug)]
pub struct {{type}} {
    timeout_ms: u32,
    gold_only: Vec<Text>,
    closed: Cause,
}

impl Policy for {{type}} {
    // Once in every instance: read the settings of bundle.toml, declare causes.
    fn configure(settings: &mut Settings, plan: &mut Plan) -> Self {
        Self {
            timeout_ms: settings.count("timeout-ms", 10_000, 1..=600_000),
            gold_only: settings.texts("gold-only"),
            closed: plan.cause("only for the gold tier"),
        }
    }
}

impl Byoc for {{type}} {
    // For every call, before candidates are looked up. A stage can only tighten; what it says, no later one undoes.
    fn route(&self, _: &Job, request: &Request) -> Routing {
        if request.label("tier") == Some("gold") {
            return Routing::Abstain;
        }
        if self.gold_only.iter().any(|name| name.text == request.capability) {
            return self.closed.refuse(403, "only for the gold tier").into();
        }
        Change::new().timeout_ms(self.timeout_ms).into()
    }
}

export!({{type}}: Byoc, settings = "settings.schema.json");

#[cfg(test)]
mod tests {
    use pointsman_sdk::testing;

    use super::*;

    fn route(capability: &str, tier: &str) -> Routing {
        let request = Request {
            capability: capability.to_owned(),
            path: "/".to_owned(),
            parameters: "{}".to_owned(),
            labels: vec![("tier".to_owned(), tier.to_owned())],
        };
        let settings = [("gold-only", testing::texts(&["video"]))];
        testing::byoc::<{{type}}>(settings).route(&request)
    }

    #[test]
    fn gold_is_not_held_back() {
        assert_eq!(route("video", "gold"), Routing::Abstain);
    }

    #[test]
    fn others_get_less_time() {
        assert_eq!(route("image", "free"), Change::new().timeout_ms(10_000).into());
    }

    #[test]
    fn some_capabilities_are_for_gold_alone() {
        assert!(matches!(route("video", "free"), Routing::Reject(_)));
    }
}
