//! What a start and an idle minute cost, beside go-livepeer's 724 requests and 36 a minute for 100 orchestrators.

use super::*;

/// Requests of a start with 100 orchestrators: cold, then warm.
async fn requests(tweak: impl Fn(&mut World)) -> (u64, u64) {
    let mut world = World::of(100);
    tweak(&mut world);
    let node = Node::new(world);
    let folder = tempfile::tempdir().unwrap();
    let options = || Options {
        snapshot: Some(folder.path().join("chain.sqlite")),
        ..options()
    };
    let mut counts = Vec::new();
    for _ in 0..2 {
        let chain = Chain::with_rpc(options(), rpc(&[&node])).unwrap();
        let before = chain.state().map_or(0, |state| state.reading);
        let state = until(&chain, |state| state.reading > before).await;
        assert_eq!(state.orchestrators.len(), 100);
        counts.push(node.taken());
        // The snapshot is written after the state is published.
        polls(1).await;
        node.taken();
    }
    (counts[0], counts[1])
}

#[tokio::test(start_paused = true)]
async fn a_start_with_a_hundred_orchestrators_takes_six_requests_cold_and_five_warm() {
    assert_eq!(requests(|_| {}).await, (6, 5));
}

#[tokio::test(start_paused = true)]
async fn without_multicall_it_is_batches() {
    assert_eq!(requests(|world| world.multicall = false).await, (7, 6));
}

#[tokio::test(start_paused = true)]
async fn without_creation_code_the_list_is_walked_once_and_verified_from_then_on() {
    assert_eq!(requests(|world| world.walks = false).await, (106, 5));
    let neither = |world: &mut World| (world.walks, world.multicall) = (false, false);
    let (cold, warm) = requests(neither).await;
    assert_eq!((cold, warm), (107, 6));
    assert!(cold <= 110 && warm <= 10);
}

#[tokio::test(start_paused = true)]
async fn an_idle_minute_takes_a_dozen_requests() {
    let node = Node::new(World::of(100));
    let chain = start(&[&node]);
    ready(&chain).await;
    node.taken();
    polls(12).await;
    assert_eq!(node.taken(), 12);
}
