use proptest::prelude::*;

use super::*;

fn ratio(numerator: i64, denominator: i64) -> Ratio {
    Ratio::new(numerator.into(), denominator.into())
}

fn key() -> Key {
    Key {
        recipient: Address::repeat_byte(7),
        session: "cafe0001".to_owned(),
    }
}

fn with(credit: Ratio) -> Balances {
    let balances = Balances::default();
    balances.assume(&key(), credit);
    balances
}

#[test]
fn tickets_are_as_many_as_published() {
    let one = ratio(1, 1);
    for (existing, need, tickets) in [
        (ratio(1, 4), 2, 2),
        (ratio(-5, 1), 2, 7),
        (one.clone(), 5, 4),
        (ratio(5, 1), 5, 0),
        (ratio(9, 1), 5, 0),
    ] {
        let hold = with(existing).hold(key(), &ratio(need, 1), &one);
        assert_eq!(hold.tickets(), tickets);
    }
    let free = with(ratio(0, 1)).hold(key(), &ratio(5, 1), &ratio(0, 1));
    assert_eq!(
        free.tickets(),
        0,
        "tickets that are worth nothing buy nothing"
    );
    let absurd = with(ratio(0, 1)).hold(key(), &ratio(i64::MAX, 1), &ratio(1, i64::MAX));
    assert_eq!(absurd.tickets(), u32::MAX);
}

#[test]
fn a_small_job_needs_the_worth_of_one_ticket() {
    let balances = with(ratio(9, 1));
    let hold = balances.hold(key(), &ratio(2, 1), &ratio(10, 1));
    assert_eq!(hold.tickets(), 1);
    hold.settle(Ending::Charged(ratio(2, 1)));
    assert_eq!(balances.credit(&key()), ratio(17, 1));
    let next = balances.hold(key(), &ratio(2, 1), &ratio(10, 1));
    assert_eq!(next.tickets(), 0, "drawn down before another is bought");
}

#[test]
fn each_ending_leaves_what_the_orchestrator_must_have() {
    let after = |start: i64, ending: Option<Ending>| {
        let balances = with(ratio(start, 1));
        let hold = balances.hold(key(), &ratio(10, 1), &ratio(4, 1));
        match ending {
            Some(ending) => hold.settle(ending),
            None => drop(hold),
        }
        balances.credit(&key())
    };
    assert_eq!(after(3, Some(Ending::Unsent)), ratio(3, 1));
    assert_eq!(after(3, Some(Ending::Unread)), ratio(3, 1));
    assert_eq!(after(3, Some(Ending::Lost)), ratio(0, 1));
    assert_eq!(after(3, None), ratio(0, 1), "dropped is lost");
    assert_eq!(
        after(15, Some(Ending::Lost)),
        ratio(5, 1),
        "what was not held stays"
    );
    assert_eq!(after(-3, Some(Ending::Lost)), ratio(-3, 1), "debt stays");
    // 3 there, 2 tickets of 4 bought, 20 charged.
    assert_eq!(after(3, Some(Ending::Charged(ratio(20, 1)))), ratio(-9, 1));
}

#[test]
fn two_jobs_at_once_do_not_count_on_the_same_credit() {
    let balances = with(ratio(15, 1));
    let (fee, value) = (ratio(10, 1), ratio(4, 1));
    let first = balances.hold(key(), &fee, &value);
    let second = balances.hold(key(), &fee, &value);
    assert_eq!((first.tickets(), second.tickets()), (0, 2));
    first.settle(Ending::Charged(ratio(10, 1)));
    second.settle(Ending::Charged(ratio(10, 1)));
    assert_eq!(balances.credit(&key()), ratio(3, 1));
}

#[test]
fn a_job_gives_nothing_back_to_credit_that_was_forgotten() {
    let balances = with(ratio(15, 1));
    let hold = balances.hold(key(), &ratio(10, 1), &ratio(4, 1));
    balances.forget(&key());
    hold.settle(Ending::Unsent);
    assert_eq!(balances.credit(&key()), ratio(0, 1));
    let old = balances.hold(key(), &ratio(10, 1), &ratio(4, 1));
    balances.assume(&key(), ratio(6, 1));
    old.settle(Ending::Charged(ratio(1, 1)));
    assert_eq!(balances.credit(&key()), ratio(6, 1));
}

#[tokio::test(start_paused = true)]
async fn idle_credit_is_written_off_when_the_orchestrator_forgets_it() {
    let balances = with(ratio(15, 1));
    let other = Key {
        session: "other".to_owned(),
        ..key()
    };
    let long = balances.hold(other.clone(), &ratio(1, 1), &ratio(1, 1));
    tokio::time::advance(IDLE - Duration::from_secs(1)).await;
    assert_eq!(
        balances.hold(key(), &ratio(1, 1), &ratio(1, 1)).tickets(),
        0
    );
    tokio::time::advance(IDLE).await;
    assert_eq!(
        balances.hold(key(), &ratio(1, 1), &ratio(1, 1)).tickets(),
        1
    );
    long.settle(Ending::Charged(ratio(0, 1)));
    assert_eq!(
        balances.credit(&other),
        ratio(1, 1),
        "a job that runs keeps its account"
    );
}

#[derive(Clone, Debug)]
enum Step {
    Hold {
        fee: (i64, i64),
        value: (i64, i64),
    },
    End {
        which: usize,
        how: usize,
        debit: (i64, i64),
    },
}

fn fraction(from: i64) -> impl Strategy<Value = (i64, i64)> {
    (from..1000, 1i64..40)
}

fn step() -> impl Strategy<Value = Step> {
    prop_oneof![
        (fraction(0), fraction(0)).prop_map(|(fee, value)| Step::Hold { fee, value }),
        (any::<usize>(), 0usize..4, fraction(0)).prop_map(|(which, how, debit)| Step::End {
            which,
            how,
            debit
        }),
    ]
}

proptest! {
    /// Bought = there + held + charged + written off, to the last fraction, whatever happens in which order.
    #[test]
    fn no_credit_is_lost_or_made(steps in prop::collection::vec(step(), 0..60)) {
        let balances = Balances::default();
        let mut holds: Vec<Hold> = Vec::new();
        let zero = Ratio::zero();
        let (mut bought, mut charged, mut written_off) = (zero.clone(), zero.clone(), zero.clone());
        for step in steps {
            match step {
                Step::Hold { fee, value } => {
                    let (fee, value) = (ratio(fee.0, fee.1), ratio(value.0, value.1));
                    let hold = balances.hold(key(), &fee, &value);
                    let need = fee.max(value.clone());
                    let set_aside = &hold.taken + &hold.bought;
                    if value.is_positive() {
                        prop_assert!(set_aside >= need);
                        prop_assert!(set_aside < &need + &value, "not one ticket too many");
                    }
                    prop_assert_eq!(&hold.bought, &(value * Ratio::from_integer(hold.tickets().into())));
                    holds.push(hold);
                }
                Step::End { which, how, debit } if !holds.is_empty() => {
                    let hold = holds.swap_remove(which % holds.len());
                    let debit = ratio(debit.0, debit.1);
                    match how {
                        0 => hold.settle(Ending::Unsent),
                        1 => {
                            bought += &hold.bought;
                            written_off += &hold.bought;
                            hold.settle(Ending::Unread);
                        }
                        2 => {
                            bought += &hold.bought;
                            written_off += &hold.taken + &hold.bought - (&hold.taken).min(&zero);
                            hold.settle(Ending::Lost);
                        }
                        _ => {
                            bought += &hold.bought;
                            charged += &debit;
                            hold.settle(Ending::Charged(debit));
                        }
                    }
                }
                Step::End { .. } => {}
            }
            let held: Ratio = holds.iter().map(|hold| hold.taken.clone()).sum();
            let there = balances.credit(&key());
            prop_assert_eq!(&bought, &(there + held + &charged + &written_off));
        }
    }
}
