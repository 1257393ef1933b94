//! Requests to one repository of a registry, logged in when it asks.

use bytes::Bytes;
use reqwest::header::{AUTHORIZATION, CONTENT_TYPE, HeaderValue};
use reqwest::{Method, Response};
use url::Url;

use super::login;
use crate::client::Client;
use crate::{Credentials, FetchError, Network, Repository, Rules};

/// A repository being talked to.
pub(super) struct Registry<'a> {
    client: Client,
    base: Url,
    repository: &'a Repository,
    credentials: Option<&'a Credentials>,
    /// What a token must allow: "pull" or "pull,push".
    actions: &'static str,
    authorization: Option<HeaderValue>,
}

// === impl Registry ===

impl<'a> Registry<'a> {
    pub(super) fn new(
        network: &Network,
        repository: &'a Repository,
        rules: &'a Rules,
        actions: &'static str,
    ) -> Result<Self, FetchError> {
        let plain = rules.loopback_http && repository.is_loopback();
        let base = format!(
            "{}/v2/{}/",
            repository.origin(if plain { "http" } else { "https" }),
            repository.name()
        );
        Ok(Self {
            client: Client::new(network, rules, plain)?,
            base: Url::parse(&base).map_err(|_| FetchError::Location(repository.to_string()))?,
            repository,
            credentials: rules.credentials.as_ref(),
            actions,
            authorization: None,
        })
    }

    /// The URL of something in the repository.
    pub(super) fn url(&self, path: &str) -> Result<Url, FetchError> {
        let base = &self.base;
        // Not joined: a digest's colon would make a scheme of what stands before it.
        Url::parse(&format!("{base}{path}")).map_err(|_| FetchError::Location(base.to_string()))
    }

    /// Asks for `url`, following redirects.
    pub(super) async fn get(
        &mut self,
        url: &Url,
        accept: Option<&str>,
    ) -> Result<Response, FetchError> {
        let answer = self
            .client
            .get(url, accept, self.authorization.as_ref())
            .await?;
        if !self.asks_for_login(&answer) {
            return Ok(answer);
        }
        self.log_in(&answer).await?;
        self.client
            .get(url, accept, self.authorization.as_ref())
            .await
    }

    /// Sends `body` to `url`. Redirects are not followed: what is uploaded goes where the registry said, once.
    pub(super) async fn send(
        &mut self,
        method: Method,
        url: &Url,
        kind: Option<&'static str>,
        body: Bytes,
    ) -> Result<Response, FetchError> {
        let answer = self.send_once(&method, url, kind, &body).await?;
        if !self.asks_for_login(&answer) {
            return Ok(answer);
        }
        self.log_in(&answer).await?;
        self.send_once(&method, url, kind, &body).await
    }

    async fn send_once(
        &self,
        method: &Method,
        url: &Url,
        kind: Option<&'static str>,
        body: &Bytes,
    ) -> Result<Response, FetchError> {
        let mut request = self.client.request(method.clone(), url)?.body(body.clone());
        if let Some(kind) = kind {
            request = request.header(CONTENT_TYPE, kind);
        }
        if let Some(authorization) = &self.authorization
            && url.origin() == self.base.origin()
        {
            request = request.header(AUTHORIZATION, authorization);
        }
        self.client.send(request, url).await
    }

    /// Only the registry itself may ask, and once: what was refused with a token will be refused again.
    fn asks_for_login(&self, answer: &Response) -> bool {
        answer.status().as_u16() == 401
            && self.authorization.is_none()
            && answer.url().origin() == self.base.origin()
    }

    async fn log_in(&mut self, answer: &Response) -> Result<(), FetchError> {
        let scope = format!("repository:{}:{}", self.repository.name(), self.actions);
        let authorization = login::answer(&self.client, answer, &scope, self.credentials).await?;
        self.authorization = Some(authorization);
        Ok(())
    }
}
