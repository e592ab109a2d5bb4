//! Administration over HTTP: the interface of the original, and a page that uses it.
//!
//! Each request is signed by an owner (NIP-98), or belongs to a session that was opened so, or by the command
//! `login`. Without owners no signature is good enough. Programs are never replaced from here.

mod access;
mod api;
mod config;
mod page;

use std::net::SocketAddr;
use std::sync::Arc;

use anyhow::Context;
use axum::Router;
use axum::extract::DefaultBodyLimit;
use axum::response::Redirect;
use axum::routing::{any, get};
use event::SpentTokens;
use tokio::net::TcpListener;

use crate::sessions::Sessions;
use crate::settings::{Settings, Variables};
use crate::view::Views;

/// Bytes of a request.
const MAX_BODY: usize = 64 << 10;

/// The port, before it is served.
pub(crate) struct Admin {
    listener: TcpListener,
    address: SocketAddr,
    url: String,
}

/// What requests are about.
struct Shared {
    views: Arc<Views>,
    sessions: Arc<Sessions>,
    settings: Settings,
    address: SocketAddr,
    spent: SpentTokens,
}

impl Admin {
    /// Listens, if it is switched on.
    pub(crate) async fn bind(variables: &Variables) -> anyhow::Result<Option<Self>> {
        if !variables.admin_enabled {
            return Ok(None);
        }
        let address = SocketAddr::new(variables.admin_listen, variables.admin_port);
        let listener = TcpListener::bind(address).await.with_context(|| {
            format!(
                "listen on {address} for administration (ORLY_LAUNCHER_ADMIN_PORT; \
                 ORLY_LAUNCHER_ADMIN_ENABLED=false does without)"
            )
        })?;
        let address = listener.local_addr().context("address of the administration")?;
        let url = match &variables.admin_url {
            Some(url) => url.0.clone(),
            None if address.ip().is_unspecified() => format!("http://127.0.0.1:{}", address.port()),
            None => format!("http://{address}"),
        };
        if variables.admin_url.is_none() && !address.ip().is_loopback() {
            tracing::warn!(
                %address,
                "administration is open to other machines: signatures are taken for this machine's own names \
                 only, until ORLY_LAUNCHER_ADMIN_URL says what it is called"
            );
        }
        Ok(Some(Self { listener, address, url }))
    }

    /// Where it listens.
    pub(crate) fn address(&self) -> SocketAddr {
        self.address
    }

    /// Where it is found.
    pub(crate) fn url(&self) -> &str {
        &self.url
    }

    /// Answers for as long as it is polled.
    pub(crate) async fn serve(
        self,
        views: Arc<Views>,
        sessions: Arc<Sessions>,
        settings: Settings,
    ) {
        if settings.variables.owners.is_empty() {
            tracing::info!(
                url = self.url,
                "administration: nobody is an owner (ORLY_LAUNCHER_OWNERS); `orly-launcher login` opens the page"
            );
        } else {
            tracing::info!(url = self.url, "administration");
        }
        let spent = SpentTokens::default();
        let shared = Arc::new(Shared { views, sessions, settings, address: self.address, spent });
        let router = Router::new()
            .route("/", get(|| async { Redirect::to("/admin") }))
            .route("/admin", get(page::page))
            .route("/admin/", get(page::page))
            .route("/healthz", get(api::health))
            .route("/api/{*call}", any(api::call))
            .layer(DefaultBodyLimit::max(MAX_BODY))
            .with_state(shared);
        if let Err(error) = axum::serve(self.listener, router).await {
            tracing::error!(%error, "administration ended");
        }
    }
}
