//! The calls of the interface.

use std::sync::Arc;

use axum::Json;
use axum::body::Bytes;
use axum::extract::State;
use axum::http::{HeaderMap, HeaderValue, Method, StatusCode, Uri, header};
use axum::response::{IntoResponse, Response};
use serde::Deserialize;
use serde_json::{Value, json};
use supervisor::Refused;

use super::Shared;
use super::access::Visitor;
use crate::sessions::LIFETIME;

/// What is answered to calls that would replace programs.
const FROM_OUTSIDE: &str = "programs are not replaced from here: upgrade the image or the package, then restart; \
    going back is done the same way";

/// Calls and the methods they have.
const CALLS: [(&str, &[Method]); 13] = [
    ("status", &[Method::GET]),
    ("config", &[Method::GET, Method::POST]),
    ("binaries", &[Method::GET]),
    ("releases", &[Method::GET]),
    ("update", &[Method::POST]),
    ("rollback", &[Method::POST]),
    ("restart", &[Method::POST]),
    ("restart-service", &[Method::POST]),
    ("start-services", &[Method::POST]),
    ("stop-services", &[Method::POST]),
    ("start-service", &[Method::POST]),
    ("stop-service", &[Method::POST]),
    ("session", &[Method::POST, Method::DELETE]),
];

#[derive(Deserialize)]
struct OneService {
    service: String,
}

/// Whether all units are ready, for whoever watches from outside. Tells nothing else.
pub(super) async fn health(State(shared): State<Arc<Shared>>) -> Response {
    match shared.views.handle.status().await {
        Ok(status) if status.is_ready => (StatusCode::OK, "ok").into_response(),
        _ => (StatusCode::SERVICE_UNAVAILABLE, "not all units are ready").into_response(),
    }
}

/// Any call.
pub(super) async fn call(
    State(shared): State<Arc<Shared>>,
    method: Method,
    uri: Uri,
    headers: HeaderMap,
    body: Bytes,
) -> Response {
    let mut response = answer(&shared, &method, &uri, &headers, &body).await;
    let headers = response.headers_mut();
    headers.insert(header::CACHE_CONTROL, HeaderValue::from_static("no-store"));
    headers.insert(header::X_CONTENT_TYPE_OPTIONS, HeaderValue::from_static("nosniff"));
    response
}

async fn answer(
    shared: &Shared,
    method: &Method,
    uri: &Uri,
    headers: &HeaderMap,
    body: &[u8],
) -> Response {
    let name = uri.path().trim_start_matches("/api/");
    let Some((_, methods)) = CALLS.iter().find(|(call, _)| *call == name) else {
        return fail(StatusCode::NOT_FOUND, "there is no such call");
    };
    if !methods.contains(method) {
        let allowed: Vec<&str> = methods.iter().map(Method::as_str).collect();
        let mut response = fail(StatusCode::METHOD_NOT_ALLOWED, "another method is needed");
        if let Ok(allowed) = allowed.join(", ").parse() {
            response.headers_mut().insert(header::ALLOW, allowed);
        }
        return response;
    }
    let visitor = match shared.visitor(method, uri, headers, body) {
        Ok(visitor) => visitor,
        Err((status, reason)) => {
            let mut response = fail(status, &reason);
            let challenge = HeaderValue::from_static("Nostr");
            response.headers_mut().insert(header::WWW_AUTHENTICATE, challenge);
            return response;
        }
    };
    match (method, name) {
        (&Method::GET, "status") => shared.status().await,
        (&Method::GET, "config") => super::config::read(),
        (_, "config") => super::config::write(&shared.settings.config_file, body),
        (_, "binaries") => shared.binaries().await,
        (_, "releases" | "update" | "rollback") => fail(StatusCode::NOT_IMPLEMENTED, FROM_OUTSIDE),
        (&Method::DELETE, "session") => shared.leave(visitor),
        (_, "session") => {
            let token = shared.sessions.open();
            Json(json!({ "token": token, "expires_in": LIFETIME.as_secs() })).into_response()
        }
        (_, change) => shared.change(change, body).await,
    }
}

impl Shared {
    async fn status(&self) -> Response {
        for part in &self.views.parts {
            if let Some(unit) = &part.unit {
                self.views.versions.ask(&unit.program).await;
            }
        }
        match self.views.look().await {
            Ok(view) => Json(view).into_response(),
            Err(gone) => fail(StatusCode::SERVICE_UNAVAILABLE, &gone.to_string()),
        }
    }

    async fn binaries(&self) -> Response {
        let mut binaries = Vec::new();
        for part in &self.views.parts {
            if let Some(unit) = &part.unit {
                let version = self.views.versions.ask(&unit.program).await;
                let path = unit.program.display().to_string();
                binaries.push(json!({ "name": part.name, "path": path, "version": version }));
            }
        }
        let directory = &self.settings.variables.bin_dir;
        let current = std::fs::read_link(directory.join("current")).ok();
        let current = current.as_deref().and_then(|path| path.file_name());
        let entries = std::fs::read_dir(directory.join("versions")).into_iter().flatten().flatten();
        let installed = entries.filter(|entry| entry.path().is_dir()).map(|entry| {
            let name = entry.file_name();
            let files = std::fs::read_dir(entry.path()).into_iter().flatten().flatten();
            let files: Vec<String> =
                files.map(|file| file.file_name().to_string_lossy().into_owned()).collect();
            let is_current = current == Some(name.as_os_str());
            json!({ "version": name.to_string_lossy(), "is_current": is_current, "binaries": files })
        });
        let installed: Vec<Value> = installed.collect();
        let version = env!("CARGO_PKG_VERSION");
        Json(json!({
            "current_version": version, "available_versions": installed, "programs": binaries,
        }))
        .into_response()
    }

    async fn change(&self, change: &str, body: &[u8]) -> Response {
        let handle = &self.views.handle;
        let service = match change {
            "restart-service" | "start-service" | "stop-service" => {
                match serde_json::from_slice::<OneService>(body) {
                    Ok(OneService { service }) => self.views.unit(&service),
                    Err(error) => {
                        let reason = format!("expected {{\"service\":\"NAME\"}}: {error}");
                        return fail(StatusCode::BAD_REQUEST, &reason);
                    }
                }
            }
            _ => "all services".to_owned(),
        };
        let (result, what) = match change {
            "restart" => (handle.restart_all().await, "restarting"),
            "start-services" => (handle.start_all().await, "starting"),
            "stop-services" => (handle.stop_all().await, "stopping"),
            "restart-service" => (handle.restart(&service).await, "restarting"),
            "start-service" => (handle.start(&service).await, "starting"),
            _ => (handle.stop(&service).await, "stopping"),
        };
        match result {
            Ok(()) => {
                tracing::info!(%service, what, "asked for by an owner");
                Json(json!({ "success": true, "message": format!("{what} {service}") }))
                    .into_response()
            }
            Err(refused @ Refused::Already(_)) => fail(StatusCode::CONFLICT, &refused.to_string()),
            Err(refused @ Refused::Unknown { .. }) => {
                fail(StatusCode::NOT_FOUND, &refused.to_string())
            }
            Err(refused @ Refused::Gone) => {
                fail(StatusCode::SERVICE_UNAVAILABLE, &refused.to_string())
            }
        }
    }

    fn leave(&self, visitor: Visitor) -> Response {
        if let Visitor::Session(name) = visitor {
            self.sessions.close(&name);
        }
        Json(json!({ "success": true })).into_response()
    }
}

/// An answer that says what went wrong.
pub(super) fn fail(status: StatusCode, reason: &str) -> Response {
    (status, Json(json!({ "success": false, "error": reason }))).into_response()
}
