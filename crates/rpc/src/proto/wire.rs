//! The wire of the original, held fast: `wire.txt` lists each method, message, field number and type.
//!
//! The table is not made from `proto/`: whoever changes a number there changes it here too, and thinks.

use std::collections::BTreeMap;
use std::fmt::Write;

use prost::Message;
use prost_types::field_descriptor_proto::{Label, Type};
use prost_types::{DescriptorProto, FieldDescriptorProto, FileDescriptorProto, FileDescriptorSet};

/// The packages of the original; ours have tables of their own.
const ORIGINAL: [&str; 3] = ["orlydb.", "orlyacl.", "orlysync."];
/// What processes of different versions of ours say to each other.
const OURS: &str = "orlystore.";

#[test]
fn every_method_and_field_is_as_the_original_has_it() {
    let set = FileDescriptorSet::decode(super::DESCRIPTORS).unwrap();
    let mut found = BTreeMap::new();
    for file in &set.file {
        if ORIGINAL.iter().any(|package| file.package().starts_with(package)) {
            describe(file, &mut found);
        }
    }
    let expected = parse(include_str!("wire.txt"));
    for (name, text) in &expected {
        assert_eq!(found.get(name), Some(text), "{name}");
    }
    let added: Vec<_> = found.keys().filter(|name| !expected.contains_key(*name)).collect();
    assert!(added.is_empty(), "not in the original: {added:?}");
}

#[test]
fn what_is_our_own_may_grow_and_never_changes() {
    let set = FileDescriptorSet::decode(super::DESCRIPTORS).unwrap();
    let mut found = BTreeMap::new();
    let ours = set.file.iter().filter(|file| file.package().starts_with(OURS));
    ours.for_each(|file| describe(file, &mut found));
    for (name, text) in parse(include_str!("orlystore.txt")) {
        let found = found.get(&name).unwrap_or_else(|| panic!("{name} is gone"));
        for line in text.lines() {
            assert!(found.lines().any(|found| found == line), "{name}: {line}");
        }
    }
}

/// The table, by name of method, message or enum.
fn parse(table: &str) -> BTreeMap<String, String> {
    let mut entries = BTreeMap::<String, String>::new();
    let mut name = String::new();
    for line in table.lines() {
        if let Some(field) = line.strip_prefix("  ") {
            writeln!(entries.get_mut(&name).unwrap(), "{field}").unwrap();
        } else {
            let (head, rest) = line.split_once(' ').unwrap_or((line, ""));
            name = head.to_owned();
            entries.insert(name.clone(), rest.to_owned());
        }
    }
    entries
}

/// Describes the methods and messages of a file as the table does.
fn describe(file: &FileDescriptorProto, found: &mut BTreeMap<String, String>) {
    let package = file.package();
    for service in &file.service {
        for method in &service.method {
            let stream = |streams: bool| if streams { "stream " } else { "" };
            let text = format!(
                "{}{} -> {}{}",
                stream(method.client_streaming()),
                method.input_type().trim_start_matches('.'),
                stream(method.server_streaming()),
                method.output_type().trim_start_matches('.'),
            );
            found.insert(format!("/{package}.{}/{}", service.name(), method.name()), text);
        }
    }
    for message in &file.message_type {
        let fields: String = message.field.iter().map(|field| line(message, field)).collect();
        found.insert(format!("{package}.{}", message.name()), fields);
    }
    for choice in &file.enum_type {
        let values =
            choice.value.iter().map(|value| format!("{} {}\n", value.number(), value.name()));
        found.insert(format!("{package}.{}", choice.name()), values.collect());
    }
}

fn line(message: &DescriptorProto, field: &FieldDescriptorProto) -> String {
    let entry = message.nested_type.iter().find(|nested| {
        field.type_name().ends_with(&format!(".{}.{}", message.name(), nested.name()))
    });
    let kind = match entry {
        Some(entry) => {
            format!("map<{}, {}>", type_of(&entry.field[0]), type_of(&entry.field[1]))
        }
        None if field.label() == Label::Repeated => format!("repeated {}", type_of(field)),
        None if field.proto3_optional() => format!("optional {}", type_of(field)),
        None => type_of(field),
    };
    format!("{} {} {kind}\n", field.number(), field.name())
}

fn type_of(field: &FieldDescriptorProto) -> String {
    match field.r#type() {
        Type::Message | Type::Enum => field.type_name().trim_start_matches('.').to_owned(),
        other => format!("{other:?}").to_lowercase(),
    }
}
