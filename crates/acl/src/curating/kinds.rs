//! Categories of kinds that a configuration may name.

/// The name of a category, and its kinds as ranges.
const CATEGORIES: [(&str, &[(u16, u16)]); 10] = [
    ("social", &[(0, 1), (3, 3), (6, 7), (10_002, 10_002)]),
    ("dm", &[(4, 4), (14, 14), (1059, 1059)]),
    ("longform", &[(30_023, 30_024)]),
    ("media", &[(1063, 1063), (20, 22)]),
    ("lists", &[(10_000, 10_001), (10_003, 10_003), (30_000, 30_001), (30_003, 30_003)]),
    ("groups_nip29", &[(9, 12), (9000, 9002), (39_000, 39_002)]),
    ("groups_nip72", &[(34_550, 34_550), (1111, 1111), (4550, 4550)]),
    ("marketplace_nip15", &[(30_017, 30_020), (1021, 1022)]),
    ("marketplace_nip99", &[(30_402, 30_403), (30_405, 30_406), (31_555, 31_555)]),
    ("order_communication", &[(16, 17)]),
];

/// The kinds of a category.
pub(super) fn of_category(name: &str) -> Option<&'static [(u16, u16)]> {
    CATEGORIES.iter().find(|(category, _)| *category == name).map(|(_, kinds)| *kinds)
}

/// The names of all categories.
pub(super) fn names() -> String {
    CATEGORIES.map(|(name, _)| name).join(", ")
}
