//! `/api/config`: what holds, and what is written to `launcher.json`.

use std::collections::BTreeMap;
use std::path::Path;

use axum::Json;
use axum::http::StatusCode;
use axum::response::{IntoResponse, Response};
use daemon::{Environment, Loaded};
use serde_json::{Map, Value, json};

use super::api::fail;
use crate::settings::{ConfigFile, Settings, Variables, config_keys};

/// What holds when the launcher starts the next time.
pub(super) fn read() -> Response {
    let Loaded { settings, findings } = daemon::load::<Settings>(&Environment::read());
    let mut answer = Map::new();
    for (key, variable) in config_keys() {
        if let Some(entry) = findings.entry(variable) {
            answer.insert(key.into(), value(key, &entry.value));
        }
    }
    let row = |entry: &daemon::Entry| {
        let origin = entry.origin.to_string();
        json!({ "variable": entry.row.variable, "value": entry.value, "origin": origin,
                "meaning": entry.row.text() })
    };
    answer.insert("settings".into(), findings.entries.iter().map(row).collect());
    if let Ok(settings) = settings {
        let path = settings.config_file.display().to_string();
        answer.insert("config_file_path".into(), path.into());
    }
    Json(answer).into_response()
}

/// Changes the file.
pub(super) fn write(path: &Path, body: &[u8]) -> Response {
    let bad = |reason: &str| fail(StatusCode::BAD_REQUEST, reason);
    let changes: BTreeMap<String, Value> = match serde_json::from_slice(body) {
        Ok(changes) => changes,
        Err(error) => return bad(&error.to_string()),
    };
    let mut file = match ConfigFile::read(path) {
        Ok(file) => file,
        Err(invalid) => return fail(StatusCode::CONFLICT, &invalid.to_string()),
    };
    let variables = match file.change(changes).and_then(|()| file.variables()) {
        Ok(variables) => variables,
        Err(invalid) => return bad(&invalid.to_string()),
    };
    let environment =
        Environment::of(variables.iter().map(|(variable, text)| (*variable, text.as_str())));
    if let Err(faults) = daemon::load::<Variables>(&environment).settings {
        return bad(&faults.to_string());
    }
    match file.write(path) {
        Ok(()) => {
            tracing::info!(path = %path.display(), "settings written by an owner");
            Json(json!({
                "success": true,
                "message": "written; holds when the launcher starts again",
                "restart_needed": true,
                "config_file_path": path.display().to_string(),
            }))
            .into_response()
        }
        Err(error) => fail(
            StatusCode::INTERNAL_SERVER_ERROR,
            &format!("write {}: {error}; set variables in the environment instead", path.display()),
        ),
    }
}

/// As the file has it.
fn value(key: &str, text: &str) -> Value {
    match text {
        "true" => true.into(),
        "false" => false.into(),
        text if key.ends_with("_port") => text.parse::<u16>().map_or(Value::Null, Value::from),
        text if key == "admin_owners" => {
            text.split(',').map(str::trim).filter(|owner| !owner.is_empty()).collect()
        }
        text => text.into(),
    }
}
