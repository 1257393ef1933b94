//! What orchestrators can do, as they said when they were last asked.

use axum::extract::State;
use pointsman_wire::capabilities::ALL;
use pointsman_wire::net::{Capabilities, OrchestratorInfo, PriceInfo};
use pointsman_wire::sign::Address;
use pointsman_wire::uri::ServiceUri;

use super::answer::{Json, Object, list, quoted};
use super::node::lower;
use super::{AdminState, Fault};

pub(super) async fn network(State(state): State<AdminState>) -> Result<Json, Fault> {
    let heard = state.directory.answers();
    if heard.is_empty() {
        return Err(Fault::internal("network capabilities not available"));
    }
    // go-livepeer has names for what is no capability too.
    let none = Object::default().text("-2", "Invalid").text("-1", "Unused");
    let names = ALL.iter().fold(none, |object, (capability, name)| {
        object.text(&capability.number().to_string(), name)
    });
    let one = |(uri, info): &(ServiceUri, OrchestratorInfo)| {
        let address = Address::try_from(info.address.as_slice());
        let address = address.map_or_else(|_| String::new(), lower);
        Object::default()
            .text("address", &address)
            .text("local_address", &address)
            .text("orch_uri", uri.as_str())
            .json("capabilities", capabilities(info.capabilities.as_ref()))
            .json(
                "price_info",
                info.price_info
                    .as_ref()
                    .map_or_else(|| "null".to_owned(), price),
            )
            .json(
                "capabilities_prices",
                list(info.capabilities_prices.iter().map(price)),
            )
            .json("hardware", "[]")
            .end()
    };
    let answer = Object::default()
        .json("capabilities_names", names.end())
        .json("orchestrators", list(heard.iter().map(one)));
    Ok(Json(answer.end()))
}

/// No AI jobs are routed here: no sessions are kept for them.
pub(super) async fn pools() -> Json {
    Json("{}".to_owned())
}

/// As Go's JSON: what is zero or empty is left out.
fn price(price: &PriceInfo) -> String {
    let mut object = Object::default();
    for (name, number) in [
        ("pricePerUnit", price.price_per_unit),
        ("pixelsPerUnit", price.pixels_per_unit),
        ("capability", price.capability.into()),
    ] {
        if number != 0 {
            object = object.json(name, number);
        }
    }
    if !price.constraint.is_empty() {
        object = object.text("constraint", &price.constraint);
    }
    object.end()
}

fn capabilities(capabilities: Option<&Capabilities>) -> String {
    let Some(all) = capabilities else {
        return "null".to_owned();
    };
    let mut object = Object::default();
    let words = |words: &[u64]| list(words.iter().map(u64::to_string));
    if !all.bitstring.is_empty() {
        object = object.json("bitstring", words(&all.bitstring));
    }
    if !all.mandatories.is_empty() {
        object = object.json("mandatories", words(&all.mandatories));
    }
    if !all.capacities.is_empty() {
        let capacities = all.capacities.iter();
        let capacities = capacities.fold(Object::default(), |object, (number, capacity)| {
            object.json(&number.to_string(), capacity)
        });
        object = object.json("capacities", capacities.end());
    }
    if !all.version.is_empty() {
        object = object.json("version", quoted(&all.version));
    }
    if let Some(bound) = &all.constraints {
        let mut constraints = Object::default();
        if !bound.min_version.is_empty() {
            constraints = constraints.text("minVersion", &bound.min_version);
        }
        if !bound.per_capability.is_empty() {
            let each = bound.per_capability.iter();
            let each = each.fold(Object::default(), |object, (number, of)| {
                let models = of
                    .models
                    .iter()
                    .fold(Object::default(), |object, (id, model)| {
                        let mut told = Object::default();
                        if model.warm {
                            told = told.json("warm", true);
                        }
                        if model.capacity != 0 {
                            told = told.json("capacity", model.capacity);
                        }
                        if !model.runner_version.is_empty() {
                            told = told.text("runnerVersion", &model.runner_version);
                        }
                        if model.capacity_in_use != 0 {
                            told = told.json("capacityInUse", model.capacity_in_use);
                        }
                        object.json(id, told.end())
                    });
                let models = Object::default().json("models", models.end());
                object.json(&number.to_string(), models.end())
            });
            constraints = constraints.json("PerCapability", each.end());
        }
        object = object.json("constraints", constraints.end());
    }
    object.end()
}
