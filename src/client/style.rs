//! How a call ends: with its answer, or with an operation that gives it later.
//!
//! Each call of the API is written once, as what is sent and what is made of the answer. The style
//! of the client that it is made through decides the rest.

use super::{Call, Client, Operation};
use crate::error::{Error, Result};
use crate::runtime::{self, Signal, at_once};
use crate::transport::Response;
use arc_swap::ArcSwapOption;
use std::future::Future;
use std::time::Duration;

/// How the calls of a client end.
pub trait Style: Copy + Send + Sync + Sized + 'static {
    /// What a call gives.
    type Output<T: Send + 'static>;

    /// One exchange, of which `finish` makes the result. It also gets the endpoint.
    #[doc(hidden)]
    fn exchange<T: Send + 'static>(
        client: &Client<Self>,
        call: Call<'_>,
        finish: impl FnOnce(&str, Result<Response>) -> Result<T> + Send + 'static,
    ) -> Result<Self::Output<T>>;

    /// Several exchanges and what is between them, through a client that either waits or lets
    /// itself be awaited.
    #[doc(hidden)]
    fn run<T, F>(
        client: &Client<Self>,
        recipe: impl FnOnce(Client<Either>) -> F + Send + 'static,
    ) -> Result<Self::Output<T>>
    where
        T: Send + 'static,
        F: Future<Output = Result<T>> + Send + 'static;
}

/// A call waits for its answer, and gives it.
#[derive(Clone, Copy, Debug)]
pub struct Blocking;

impl Style for Blocking {
    type Output<T: Send + 'static> = T;

    #[inline]
    fn exchange<T: Send + 'static>(
        client: &Client,
        call: Call<'_>,
        finish: impl FnOnce(&str, Result<Response>) -> Result<T> + Send + 'static,
    ) -> Result<T> {
        client.send(call)?.finish(finish)
    }

    fn run<T, F>(
        client: &Client,
        recipe: impl FnOnce(Client<Either>) -> F + Send + 'static,
    ) -> Result<T>
    where
        T: Send + 'static,
        F: Future<Output = Result<T>> + Send + 'static,
    {
        at_once(recipe(client.styled(Either::Blocks)))
    }
}

/// A call checks what it is given, sends nothing, and gives an [`Operation`].
#[derive(Clone, Copy, Debug)]
pub struct Deferred;

impl Style for Deferred {
    type Output<T: Send + 'static> = Operation<T>;

    fn exchange<T: Send + 'static>(
        client: &Client<Deferred>,
        call: Call<'_>,
        finish: impl FnOnce(&str, Result<Response>) -> Result<T> + Send + 'static,
    ) -> Result<Operation<T>> {
        Operation::exchange(client, call, finish)
    }

    fn run<T, F>(
        client: &Client<Deferred>,
        recipe: impl FnOnce(Client<Either>) -> F + Send + 'static,
    ) -> Result<Operation<T>>
    where
        T: Send + 'static,
        F: Future<Output = Result<T>> + Send + 'static,
    {
        Ok(Operation::recipe(client, recipe))
    }
}

/// One of the two, chosen while the program runs: for the C functions, and for what is made of
/// several calls.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum Either {
    /// As [`Blocking`].
    Blocks,
    /// As [`Deferred`].
    Defers,
}

/// What a call of either style gives. It can be awaited.
pub enum Outcome<T> {
    /// The answer.
    Ready(T),
    /// What will give it.
    Later(Operation<T>),
}

impl Style for Either {
    type Output<T: Send + 'static> = Outcome<T>;

    #[inline]
    fn exchange<T: Send + 'static>(
        client: &Client<Either>,
        call: Call<'_>,
        finish: impl FnOnce(&str, Result<Response>) -> Result<T> + Send + 'static,
    ) -> Result<Outcome<T>> {
        match client.style() {
            Either::Blocks => client.send(call)?.finish(finish).map(Outcome::Ready),
            Either::Defers => Operation::exchange(client, call, finish).map(Outcome::Later),
        }
    }

    fn run<T, F>(
        client: &Client<Either>,
        recipe: impl FnOnce(Client<Either>) -> F + Send + 'static,
    ) -> Result<Outcome<T>>
    where
        T: Send + 'static,
        F: Future<Output = Result<T>> + Send + 'static,
    {
        match client.style() {
            Either::Blocks => at_once(recipe(client.clone())).map(Outcome::Ready),
            Either::Defers => Ok(Outcome::Later(Operation::recipe(client, recipe))),
        }
    }
}

impl Client<Either> {
    /// What blocks whatever the style: on this thread, or on one of its own with this name.
    pub(crate) async fn block<T: Send + 'static>(
        &self,
        name: &'static str,
        work: impl FnOnce(&Client) -> Result<T> + Send + 'static,
    ) -> Result<T> {
        let client = self.blocking();
        match self.style() {
            Either::Blocks => work(&client),
            Either::Defers => runtime::on_thread(name, move || work(&client)).await,
        }
    }

    /// Waits until `ready` gives something, which is asked at first and each time that the signal
    /// rings; `None` when the time is over before.
    pub(crate) async fn wait<T>(
        &self,
        signal: &Signal,
        timeout: Duration,
        ready: impl FnMut() -> Result<Option<T>>,
    ) -> Result<Option<T>> {
        match self.style() {
            Either::Blocks => signal.wait(timeout, self.settings().interruptible, ready),
            Either::Defers => signal.within(&self.cancel(), timeout, ready).await,
        }
    }

    /// Waits until this holds; an error once it has ended. False when the time is over before.
    pub(crate) async fn wait_unless_ended(
        &self,
        changed: &Signal,
        ended: &ArcSwapOption<Error>,
        timeout: Duration,
        holds: impl Fn() -> bool,
    ) -> Result<bool> {
        let look = || match (holds(), ended.load_full()) {
            (true, _) => Ok(Some(())),
            (false, Some(error)) => Err(Error::clone(&error)),
            (false, None) => Ok(None),
        };
        Ok(self.wait(changed, timeout, look).await?.is_some())
    }

    /// Lets this much time go by, or until the client is cancelled.
    pub(crate) async fn sleep(&self, time: Duration) -> Result<()> {
        let cancel = self.cancel();
        match self.style() {
            Either::Blocks => runtime::sleep(&cancel, time, self.settings().interruptible),
            Either::Defers => runtime::pause(&cancel, time).await,
        }
    }
}
