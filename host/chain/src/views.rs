//! Many views of contracts at one block, in few requests.
//!
//! # Contract
//!
//! A [`Plan`] collects typed calls; [`Views::read`] answers all of them as of one block, and each has its own result: one view that reverts
//! or answers nonsense spoils no other. Through Multicall3 where the chain has it, else as a JSON-RPC batch.
//!
//! Anyone may register a service URI of any length, and one long enough makes a call with hundreds of views run out of gas or its answer too
//! long. So a request that is refused is halved until the culprit stands alone, and a view that failed inside Multicall3 without
//! a reason (out of gas looks like that) is asked once more by itself.

use std::marker::PhantomData;

use alloy::primitives::{Address, Bytes};
use alloy::sol_types::SolCall;
use futures::future::{BoxFuture, FutureExt};
use serde_json::json;

use crate::abi::Multicall3;
use crate::network::MULTICALL3;
use crate::rpc::{Call, Rpc, RpcError};

/// Views in one Multicall3: under 20 million gas, where nodes give a call 50 million.
const CHUNK: usize = 300;

/// Typed views to be read together.
#[derive(Debug, Default)]
pub(crate) struct Plan {
    views: Vec<View>,
}

/// The place of one view's answer.
#[derive(Debug)]
pub(crate) struct Ask<C> {
    at: usize,
    of: PhantomData<fn() -> C>,
}

/// What the views answered.
#[derive(Debug)]
pub(crate) struct Readings {
    got: Vec<Result<Bytes, String>>,
}

/// How views are read on this chain.
#[derive(Clone, Copy, Debug)]
pub(crate) struct Views<'a> {
    pub(crate) rpc: &'a Rpc,
    /// Multicall3 is there.
    pub(crate) multicall: bool,
}

/// A view did not answer as it must.
#[derive(Clone, Debug, PartialEq, Eq, thiserror::Error)]
#[error("{view}: {why}")]
pub struct ViewError {
    /// The function's signature.
    pub view: &'static str,
    /// What happened instead.
    pub why: String,
}

#[derive(Clone, Debug)]
struct View {
    to: Address,
    data: Bytes,
}

// === impl Plan ===

impl Plan {
    /// Adds a view.
    pub(crate) fn ask<C: SolCall>(&mut self, to: Address, call: &C) -> Ask<C> {
        self.views.push(View {
            to,
            data: call.abi_encode().into(),
        });
        Ask {
            at: self.views.len() - 1,
            of: PhantomData,
        }
    }
}

// === impl Readings ===

impl Readings {
    /// One view's answer.
    pub(crate) fn get<C: SolCall>(&self, ask: &Ask<C>) -> Result<C::Return, ViewError> {
        let error = |why: String| ViewError {
            view: C::SIGNATURE,
            why,
        };
        match &self.got[ask.at] {
            Ok(data) if data.is_empty() => Err(error("no contract there that has it".to_owned())),
            Ok(data) => C::abi_decode_returns(data)
                .map_err(|_| error("the answer is of another type".to_owned())),
            Err(why) => Err(error(why.clone())),
        }
    }
}

// === impl Views ===

impl<'a> Views<'a> {
    /// Reads all of `plan` as of block `at`.
    ///
    /// # Errors
    ///
    /// [`RpcError`] when no node answers.
    pub(crate) async fn read(&self, plan: Plan, at: u64) -> Result<Readings, RpcError> {
        let mut got = Vec::with_capacity(plan.views.len());
        if !self.multicall {
            self.batch(&plan.views, at, &mut got).await?;
            return Ok(Readings { got });
        }
        for chunk in plan.views.chunks(CHUNK) {
            self.multicall(chunk, at, &mut got).await?;
        }
        // Failed without a word: perhaps for want of gas that another view took.
        let silent =
            |reading: &Result<Bytes, String>| matches!(reading, Err(why) if why.is_empty());
        let again: Vec<usize> = (0..got.len()).filter(|&at| silent(&got[at])).collect();
        let views: Vec<View> = again.iter().map(|&at| plan.views[at].clone()).collect();
        let mut anew = Vec::with_capacity(views.len());
        self.batch(&views, at, &mut anew).await?;
        for (at, reading) in again.into_iter().zip(anew) {
            got[at] = reading;
        }
        Ok(Readings { got })
    }

    /// Answers of `views` after those in `got`.
    fn multicall<'f>(
        &'f self,
        views: &'f [View],
        at: u64,
        got: &'f mut Vec<Result<Bytes, String>>,
    ) -> BoxFuture<'f, Result<(), RpcError>> {
        async move {
            let call = Multicall3::aggregate3Call {
                calls: views.iter().map(View::to_call3).collect(),
            };
            let view = View {
                to: MULTICALL3,
                data: call.abi_encode().into(),
            };
            let answer = match self.rpc.call(view.to_call(at)).await {
                Ok(answer) => answer.parse::<Bytes>("bytes"),
                Err(error) => Err(error),
            };
            let failed = match answer {
                Ok(data) => match Multicall3::aggregate3Call::abi_decode_returns(&data) {
                    Ok(results) if results.len() == views.len() => {
                        got.extend(results.into_iter().map(reading));
                        return Ok(());
                    }
                    _ => "Multicall3 answers something else".to_owned(),
                },
                Err(down @ RpcError::Down(_)) => return Err(down),
                Err(error) => error.to_string(),
            };
            match views {
                [_] => got.push(Err(failed)),
                _ => {
                    let (left, right) = views.split_at(views.len() / 2);
                    self.multicall(left, at, got).await?;
                    self.multicall(right, at, got).await?;
                }
            }
            Ok(())
        }
        .boxed()
    }

    fn batch<'f>(
        &'f self,
        views: &'f [View],
        at: u64,
        got: &'f mut Vec<Result<Bytes, String>>,
    ) -> BoxFuture<'f, Result<(), RpcError>> {
        async move {
            if views.is_empty() {
                return Ok(());
            }
            let calls: Vec<Call> = views.iter().map(|view| view.to_call(at)).collect();
            match self.rpc.batch(&calls).await {
                Ok(answered) => {
                    let bytes = answered.answers.iter();
                    let bytes = bytes.map(|answer| answer.parse::<Bytes>("bytes"));
                    got.extend(bytes.map(|bytes| bytes.map_err(|error| error.to_string())));
                }
                Err(RpcError::TooLarge(most)) => match views {
                    [_] => got.push(Err(RpcError::TooLarge(most).to_string())),
                    _ => {
                        let (left, right) = views.split_at(views.len() / 2);
                        self.batch(left, at, got).await?;
                        self.batch(right, at, got).await?;
                    }
                },
                Err(error) => return Err(error),
            }
            Ok(())
        }
        .boxed()
    }
}

// === impl View ===

impl View {
    fn to_call3(&self) -> Multicall3::Call3 {
        Multicall3::Call3 {
            target: self.to,
            allowFailure: true,
            callData: self.data.clone(),
        }
    }

    fn to_call(&self, at: u64) -> Call {
        let what = json!({ "to": self.to, "data": self.data });
        Call::new("eth_call", json!([what, format!("{at:#x}")]))
    }
}

fn reading(result: Multicall3::Result) -> Result<Bytes, String> {
    if result.success {
        return Ok(result.returnData);
    }
    match alloy::sol_types::decode_revert_reason(&result.returnData) {
        Some(reason) => Err(reason.chars().take(200).collect()),
        None => Err(String::new()),
    }
}
