//! Values as JSON, for who asks questions in Cypher.
//!
//! Nodes and relations become objects of what they are and have; bytes become hex; what JSON has no word for, as times
//! and points, becomes an object of its type and parts.

use event::hex;
use serde_json::{Map, Number, Value as Json, json};

use crate::bolt::Value;

/// A value of an answer.
pub(crate) fn to_json(value: &Value) -> Json {
    match value {
        Value::Null => Json::Null,
        Value::Bool(value) => Json::Bool(*value),
        Value::Int(number) => Json::from(*number),
        Value::Float(number) => Number::from_f64(*number).map_or(Json::Null, Json::Number),
        Value::Bytes(bytes) => Json::String(hex::encode(bytes)),
        Value::Text(text) => Json::String(text.clone()),
        Value::List(values) => values.iter().map(to_json).collect(),
        Value::Map(entries) => entries
            .iter()
            .map(|(key, value)| (key.clone(), to_json(value)))
            .collect::<Map<_, _>>()
            .into(),
        Value::Struct(tag, fields) => structure(*tag, fields),
    }
}

fn structure(tag: u8, fields: &[Value]) -> Json {
    match (tag, fields) {
        (b'N', [id, labels, properties, ..]) => {
            json!({"id": to_json(id), "labels": to_json(labels), "properties": to_json(properties)})
        }
        (b'R', [id, start, end, name, properties, ..]) => json!({
            "id": to_json(id), "start": to_json(start), "end": to_json(end), "type": to_json(name),
            "properties": to_json(properties),
        }),
        (b'r', [id, name, properties, ..]) => {
            json!({"id": to_json(id), "type": to_json(name), "properties": to_json(properties)})
        }
        (b'P', [nodes, relations, indices]) => json!({
            "nodes": to_json(nodes), "relationships": to_json(relations), "indices": to_json(indices),
        }),
        _ => {
            let name = match tag {
                b'D' => "date",
                b'T' => "time",
                b't' => "localTime",
                b'I' | b'i' => "dateTime",
                b'd' => "localDateTime",
                b'E' => "duration",
                b'X' | b'Y' => "point",
                _ => "other",
            };
            json!({ name: fields.iter().map(to_json).collect::<Json>() })
        }
    }
}

/// A value of a parameter.
pub(crate) fn from_json(json: &Json) -> Value {
    match json {
        Json::Null => Value::Null,
        Json::Bool(value) => Value::Bool(*value),
        Json::Number(number) => match number.as_i64() {
            Some(number) => Value::Int(number),
            None => Value::Float(number.as_f64().unwrap_or(f64::NAN)),
        },
        Json::String(text) => Value::Text(text.clone()),
        Json::Array(values) => Value::List(values.iter().map(from_json).collect()),
        Json::Object(entries) => {
            Value::Map(entries.iter().map(|(key, value)| (key.clone(), from_json(value))).collect())
        }
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn plain_values_come_back_and_nodes_are_objects() {
        let json = json!({"a": [1, -2.5, "é", null, true, {"b": []}]});
        assert_eq!(to_json(&from_json(&json)), json);
        let properties = Value::map([("packed", Value::Bytes(vec![0, 255]))]);
        let node = [Value::Int(7), ["Event"].into_iter().collect(), properties, "4:x:7".into()];
        let expected = json!({"id": 7, "labels": ["Event"], "properties": {"packed": "00ff"}});
        assert_eq!(to_json(&Value::Struct(b'N', node.into())), expected);
        assert_eq!(to_json(&Value::Struct(b'D', vec![Value::Int(3)])), json!({"date": [3]}));
    }
}
