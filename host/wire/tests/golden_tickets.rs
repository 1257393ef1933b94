//! Recorded tickets: hashed, signed, judged and put into payments to the byte; and the published vectors.

mod support;

use std::num::NonZeroU64;

use pointsman_wire::amount::{self, U256};
use pointsman_wire::net::{self, PriceInfo, TicketParams};
use pointsman_wire::payment::{self, Received};
use pointsman_wire::segment;
use pointsman_wire::sign::{Address, B256, PrivateKeySigner, keccak256};
use pointsman_wire::ticket::{self, Expiration, Params, ParamsError, RandSecret, Ticket};
use serde_json::Value;
use support::{base64, bytes, gateway, hex, json, text};

/// The recorded tickets with the JSON about each.
fn recorded() -> Vec<(Ticket, Value)> {
    let file = json("onchain/tickets.json");
    let all = file["tickets"].as_array().expect("a list").clone();
    assert_eq!(all.len(), 5, "as many as were recorded");
    all.into_iter()
        .map(|about| (ticket_of(&about), about))
        .collect()
}

fn ticket_of(about: &Value) -> Ticket {
    let part = |name: &str| hex(text(about, &format!("/preimageParts/{name}")));
    let number = |name: &str| U256::from_be_slice(&part(name));
    Ticket {
        recipient: Address::from_slice(&part("recipient")),
        sender: Address::from_slice(&part("sender")),
        face_value: number("faceValue32"),
        win_prob: number("winProb32"),
        sender_nonce: number("senderNonce32").to(),
        recipient_rand_hash: B256::from_slice(&part("recipientRandHash")),
        expiration: Expiration {
            round: number("auxData_creationRound32").to(),
            block_hash: B256::from_slice(&part("auxData_creationRoundBlockHash")),
        },
    }
}

fn payment(segment: usize) -> (Vec<u8>, net::Payment) {
    let bytes = bytes(&format!("onchain/wire/segment-{segment}.payment.bin"));
    let message = support::same_bytes(&bytes);
    (bytes, message)
}

#[test]
fn hashes_are_the_contracts_and_signatures_the_senders() {
    for (ticket, about) in recorded() {
        assert_eq!(ticket.preimage(), hex(text(&about, "/preimage")));
        let hash = hex(text(&about, "/ticketHashByContract"));
        assert_eq!(ticket.hash().to_vec(), hash);
        let digest = hex(text(&about, "/eip191Digest"));
        assert_eq!(ticket.digest().to_vec(), digest);
        let signature = ticket.sign(&gateway()).expect("a signature");
        assert_eq!(signature.to_vec(), hex(text(&about, "/signature")));
        assert_eq!(ticket.verify(&signature), Ok(()));
        let other = Ticket {
            sender_nonce: ticket.sender_nonce + 1,
            ..ticket
        };
        assert!(other.verify(&signature).is_err());
    }
}

#[test]
fn winners_are_the_recorded_ones() {
    let mut known = 0;
    let mut won = 0;
    for (ticket, about) in recorded() {
        let Some(rand) = about["recipientRand"].as_str() else {
            continue;
        };
        let rand = U256::from_be_slice(&hex(rand));
        assert_eq!(ticket::rand_hash(rand), ticket.recipient_rand_hash);
        let signature = hex(text(&about, "/signature"));
        let wins = ticket::wins(&signature, rand, ticket.win_prob);
        assert_eq!(Some(wins), about["wins"].as_bool());
        let drawn = U256::from_be_slice(&hex(text(&about, "/keccakSigRand")));
        assert!(!ticket::wins(&signature, rand, drawn), "strictly below");
        assert!(ticket::wins(&signature, rand, drawn + U256::from(1)));
        known += 1;
        won += u32::from(wins);
    }
    assert_eq!((known, won), (3, 2), "as many as were recorded");
}

#[test]
fn recorded_payments_are_read_and_made_again() {
    let tickets = recorded();
    for segment in 0..4 {
        let (bytes, message) = payment(segment);
        let received = Received::read(&message).expect("a payment");
        assert_eq!(received.sender, gateway().address());
        let ours: Vec<Ticket> = tickets
            .iter()
            .filter(|(_, about)| about["segment"] == segment)
            .map(|(ticket, _)| *ticket)
            .collect();
        let read: Vec<Ticket> = received.tickets().map(|(ticket, _)| ticket).collect();
        assert_eq!(read, ours);
        for (ticket, signature) in received.tickets() {
            assert_eq!(ticket.verify(signature), Ok(()));
        }

        let params = received.params.expect("parameters");
        let signed = ours.iter().map(|ticket| {
            let signature = ticket.sign(&gateway()).expect("a signature");
            (ticket.sender_nonce, signature)
        });
        let made = payment::with_tickets(
            received.sender,
            &params.message(),
            params.expiration.expect("a round"),
            signed,
            received.price.expect("a price"),
        );
        assert_eq!(base64(&payment::encode(Some(&made))), bytes);
    }
}

#[test]
fn the_recorded_expected_value_is_that_of_the_configuration() {
    let (_, message) = payment(0);
    let params = Received::read(&message).expect("a payment").params;
    let params = params.expect("parameters");
    let configured = U256::from(8_000_000_000_u64);
    assert_eq!(
        ticket::win_prob(configured, params.face_value),
        params.win_prob
    );
    // Rounding up the probability makes a ticket worth a little more, never less.
    let above = params.expected_value() - amount::whole(configured);
    let one = amount::ratio(U256::from(1), NonZeroU64::MIN);
    assert!(above >= amount::whole(U256::ZERO) && above < one);
}

/// The published vector: keys and secrets of one repeated byte.
struct Vector {
    sender: PrivateKeySigner,
    params: Params,
    price: PriceInfo,
}

fn vector() -> Vector {
    let sender = PrivateKeySigner::from_bytes(&B256::repeat_byte(1)).expect("a key");
    let recipient = PrivateKeySigner::from_bytes(&B256::repeat_byte(2)).expect("a key");
    let face_value = U256::from(10_u64.pow(15));
    let price = PriceInfo {
        price_per_unit: 1200,
        pixels_per_unit: 1,
        ..PriceInfo::default()
    };
    let mut params = Params {
        recipient: recipient.address(),
        face_value,
        win_prob: ticket::win_prob(U256::from(8_000_000_000_u64), face_value),
        recipient_rand_hash: B256::ZERO,
        seed: U256::from_be_bytes([0x11; 32]),
        expiration_block: 20_000_040,
        expiration: Some(Expiration {
            round: 3456,
            block_hash: B256::repeat_byte(0x22),
        }),
    };
    let secret = RandSecret::new([3; 32]);
    let rand = secret.recipient_rand(sender.address(), &params, &price);
    let expected = "00a10a7dcf7cd73ea5013019afbb0f6d9ca2f7140edb7f04f1999a43e70cf604";
    assert_eq!(hex::encode(rand.to_be_bytes::<32>()), expected);
    params.recipient_rand_hash = ticket::rand_hash(rand);
    Vector {
        sender,
        params,
        price,
    }
}

#[test]
fn the_published_ticket_is_made_to_the_byte() {
    let Vector {
        sender,
        params,
        price,
    } = vector();
    assert_eq!(
        params.win_prob.to_string(),
        "926336713898529563388567880069503262826159877325124512315660680000000000"
    );
    let hash = "c8078656fec1e5915c52edab2063b3d25014330f91229a750ca24d63379b200f";
    assert_eq!(hex::encode(params.recipient_rand_hash), hash);
    let signed = |nonce| {
        let ticket = params.ticket(sender.address(), nonce, Expiration::default());
        (ticket, ticket.sign(&sender).expect("a signature"))
    };
    let (first, signature) = signed(1);
    assert_eq!(
        hex::encode(first.hash()),
        "2741eb82077cf660b48adab618c64280a9995f9a0a18bdf2720a998abd173677"
    );
    assert_eq!(
        hex::encode(signature),
        "42557994827a777fb4eb4ebd0d74b6478fe63cfae950b70bb0093b36d6efa895426e04b119c338743315e82b185f383327715fed6f9c7bda121c896d488baf731c"
    );
    let rand = RandSecret::new([3; 32]).recipient_rand(sender.address(), &params, &price);
    assert!(!ticket::wins(&signature, rand, params.win_prob));

    let round = params.expiration.expect("a round");
    let tickets =
        [signed(1), signed(2)].map(|(ticket, signature)| (ticket.sender_nonce, signature));
    let made = payment::with_tickets(sender.address(), &params.message(), round, tickets, &price);
    assert_eq!(
        payment::encode(Some(&made)),
        "CokBChRQUKT0s/kzjDRy3MAah8dqFEs8nBIHA41+pMaAABoehje9Ba9sabWmP5pJwsGxD9fkWAPNFBppN9PXdVAAIiDIB4ZW/sHlkVxS7asgY7PSUBQzD5EimnUMok1jN5sgDyogEREREREREREREREREREREREREREREREREREREREREREyBAExLSgSFBpkLw48OvVF56y9OLByUbOZCRTxGiUIgBsSICIiIiIiIiIiIiIiIiIiIiIiIiIiIiIiIiIiIiIiIiIiIkUIARJBQlV5lIJ6d3+06069DXS2R4/mPPrpULcLsAk7NtbvqJVCbgSxGcM4dDMV6CsYXzgzJ3Ff7W+ce9oSHIltSIuvcxwiRQgCEkHiwSun9cY6W5QL7FEaOdgRPv4W7LaJ4Rk96V3c38p+LxAeyVat5V45p/QhW+VRHGiqsqKhHUbvsJ9W7hWrP3w+HCoFCLAJEAE="
    );
    let free = PriceInfo {
        price_per_unit: 0,
        ..price.clone()
    };
    let credit =
        |price: &PriceInfo| payment::encode(Some(&payment::ticketless(sender.address(), price)));
    assert_eq!(credit(&price), "EhQaZC8OPDr1ReesvTiwclGzmQkU8SoFCLAJEAE=");
    assert_eq!(credit(&free), "EhQaZC8OPDr1ReesvTiwclGzmQkU8SoCEAE=");
}

#[test]
fn the_published_hashes_of_bare_tickets_hold() {
    let bare = Ticket {
        recipient: Address::ZERO,
        sender: Address::ZERO,
        face_value: U256::ZERO,
        win_prob: U256::ZERO,
        sender_nonce: u32::MAX,
        recipient_rand_hash: B256::ZERO,
        expiration: Expiration::default(),
    };
    assert_eq!(bare.preimage().len(), 168);
    assert_eq!(
        hex::encode(bare.hash()),
        "e1393fc7f6de093780674022f96cb8e3872235167d037c04d554e58c0e63d280"
    );
    let block = "41b1a0649752af1b28b3dc29a1556eee781e4a4c3a1f7f53f90fa834de098c4d";
    let bound = Ticket {
        sender_nonce: 0,
        expiration: Expiration {
            round: 10,
            block_hash: block.parse().expect("a hash"),
        },
        ..bare
    };
    assert_eq!(
        hex::encode(bound.hash()),
        "e502907c16036ab3d11b78c5a2e93c20f3d6415c67f91de4ed01348182b3b2e2"
    );
}

#[test]
fn probabilities_are_rounded_as_published() {
    let most = ticket::win_prob(U256::from(5), U256::from(10_001));
    assert_eq!(
        most.to_string(),
        "57890255593098787833002192285115442382396752657554526567072084795477017120"
    );
    assert_eq!(ticket::win_prob(U256::from(5), U256::ZERO), U256::ZERO);
    assert_eq!(ticket::win_prob(U256::from(5), U256::from(5)), U256::MAX);
    // An expected value above the face value is a misconfiguration, and no overflow.
    assert_eq!(ticket::win_prob(U256::MAX, U256::from(2)), U256::MAX);
}

#[test]
fn the_secret_knows_what_the_sender_may_not_alter() {
    let Vector {
        sender,
        params,
        price,
    } = vector();
    let secret = RandSecret::new([3; 32]);
    let hash = |params: &Params, price: &PriceInfo| {
        ticket::rand_hash(secret.recipient_rand(sender.address(), params, price))
    };
    assert_eq!(hash(&params, &price), params.recipient_rand_hash);
    let price_of = |wei, pixels| PriceInfo {
        price_per_unit: wei,
        pixels_per_unit: pixels,
        ..PriceInfo::default()
    };
    assert_eq!(
        hash(&params, &price_of(2400, 2)),
        params.recipient_rand_hash
    );
    let one = U256::from(1);
    let altered = [
        Params {
            face_value: params.face_value + one,
            ..params
        },
        Params {
            win_prob: params.win_prob - one,
            ..params
        },
        Params {
            seed: params.seed + one,
            ..params
        },
        Params {
            expiration_block: params.expiration_block + 1,
            ..params
        },
        Params {
            expiration: None,
            ..params
        },
    ];
    for params in altered {
        assert_ne!(
            hash(&params, &price),
            params.recipient_rand_hash,
            "{params:?}"
        );
    }
    assert_ne!(
        hash(&params, &price_of(1201, 1)),
        params.recipient_rand_hash
    );
    // Prices that no one may ask still hash.
    for price in [price_of(0, 0), price_of(i64::MIN, i64::MIN), price_of(5, 0)] {
        assert_ne!(hash(&params, &price), params.recipient_rand_hash);
    }
}

#[test]
fn parameters_are_read_or_named() {
    let message = vector().params.message();
    let read = |change: &dyn Fn(&mut TicketParams)| {
        let mut message = message.clone();
        change(&mut message);
        Params::read(&message)
    };
    let params = vector().params;
    assert_eq!(read(&|_| ()), Ok(params));
    assert_eq!(params.message(), message);
    let zeros = |bytes: &mut Vec<u8>| bytes.splice(0..0, [0; 9]).count();
    assert_eq!(
        read(&|m| assert_eq!(zeros(&mut m.face_value), 0)),
        Ok(params)
    );
    assert_eq!(
        read(&|m| m.expiration_block.clear()),
        Ok(Params {
            expiration_block: 0,
            ..params
        })
    );
    let no_round = Ok(Params {
        expiration: None,
        ..params
    });
    assert_eq!(read(&|m| m.expiration_params = None), no_round);
    let round = |number: i64, hash: &[u8]| {
        Some(net::TicketExpirationParams {
            creation_round: number,
            creation_round_block_hash: hash.to_vec(),
        })
    };
    assert_eq!(
        read(&|m| m.expiration_params = round(0, &[1; 32])),
        no_round
    );
    assert_eq!(
        read(&|m| m.expiration_params = round(7, &[0; 32])),
        no_round
    );
    assert_eq!(read(&|m| m.expiration_params = round(7, &[])), no_round);

    let length = |field, expected, found| {
        Err(ParamsError::Length {
            field,
            expected,
            found,
        })
    };
    assert_eq!(read(&|m| m.recipient.clear()), length("recipient", 20, 0));
    assert_eq!(
        read(&|m| m.recipient_rand_hash.push(0)),
        length("recipient rand hash", 32, 33)
    );
    assert_eq!(
        read(&|m| m.expiration_params = round(7, &[1; 31])),
        length("creation round block hash", 32, 31)
    );
    assert_eq!(
        read(&|m| m.expiration_params = round(-1, &[])),
        Err(ParamsError::Round(-1))
    );
    assert_eq!(
        read(&|m| m.expiration_block = vec![1; 9]),
        Err(ParamsError::ExpirationBlock)
    );
    for (name, change) in [
        (
            "face value",
            &(|m: &mut TicketParams| m.face_value = vec![1; 33]) as &dyn Fn(&mut _),
        ),
        ("winning probability", &|m: &mut TicketParams| {
            m.win_prob = vec![0; 65];
        }),
        ("seed", &|m: &mut TicketParams| m.seed = vec![9; 1 << 20]),
        ("expiration block", &|m: &mut TicketParams| {
            m.expiration_block = vec![9; 40];
        }),
    ] {
        let error = read(change).expect_err(name);
        assert!(error.to_string().starts_with(name), "{error}");
    }
}

#[test]
fn a_payment_without_parameters_has_no_tickets() {
    let (_, mut message) = payment(0);
    message.ticket_params = None;
    let received = Received::read(&message).expect("a payment");
    assert_eq!(received.tickets.len(), 2);
    assert_eq!(received.tickets().count(), 0);
    message.expiration_params = None;
    assert!(!Received::read(&message).expect("a payment").has_round);
}

#[test]
fn the_published_empty_segment_is_signed_as_published() {
    let signer = vector().sender;
    let preimage = segment::preimage(b"deadbeef", 0, keccak256([]).as_slice(), []);
    let signature = pointsman_wire::sign::sign(&signer, &preimage).expect("a signature");
    assert_eq!(
        hex::encode(signature),
        "e66b404986ed42a3d78027fd8012bd41653d305e4ccefe9cf5eabf96593c2f075233a6214c2535e81f18ff643cbdd5c65a11e665740eaf998edcda840782d2c61b"
    );
}
