//! The table of a process's variables, and what follows from it: type, parsing, documentation.

use crate::Reader;

/// One variable.
#[derive(Clone, Copy, Debug)]
pub struct Row {
    /// The heading it stands under.
    pub section: &'static str,
    /// Its name.
    pub variable: &'static str,
    /// Other names it is known by, taken when the first is not set.
    pub aliases: &'static [&'static str],
    /// What holds when it is not set.
    pub default: &'static str,
    /// What is allowed.
    pub expected: fn() -> String,
    /// Whether its value is shown to nobody.
    pub is_secret: bool,
    /// Whether it does something.
    pub effect: Effect,
    /// What it means.
    pub doc: &'static str,
}

/// Whether a variable does something.
#[derive(Clone, Copy, Debug, PartialEq, Eq, PartialOrd, Ord)]
pub enum Effect {
    /// It does.
    Full,
    /// What it would switch on or configure is not built yet.
    NotYet,
    /// It is accepted for the sake of older deployments; there is nothing to set.
    None,
}

/// The settings of a process; [`crate::settings!`] writes the implementation.
pub trait Settings: Sized {
    /// All variables.
    const TABLE: &'static [Row];

    /// Reads every field; `None` if `reader` noted a fault.
    fn read(reader: &mut Reader<'_>) -> Option<Self>;
}

/// Declares the settings of a process: a struct, and from the same lines its table.
///
/// Behind the fields stand the variables that have none: those with one value that is checked and
/// not kept, those that do nothing here, and those that do nothing yet.
///
/// A group is the table of a part that several processes have:
///
/// ```
/// daemon::settings! {
///     /// What wakes somebody.
///     pub struct Bell {
///         section "Bell" {
///             /// How loud.
///             volume: u64 = "BELL_VOLUME", "3";
///         }
///     }
///     one value {}
///     no effect {}
///     not yet {}
/// }
/// daemon::settings! {
///     /// What an alarm clock is told.
///     pub struct AlarmClock {
///         section "Time" {
///             /// When it rings.
///             hour: u64 = "ALARM_HOUR", "7";
///         }
///         /// How it rings.
///         group bell: Bell;
///     }
///     one value {}
///     no effect {}
///     not yet {}
/// }
/// let clock = daemon::load::<AlarmClock>(&daemon::Environment::of([("BELL_VOLUME", "9")]));
/// assert_eq!(clock.settings.unwrap().bell.volume, 9);
/// ```
///
/// A clock alone:
///
/// ```
/// daemon::settings! {
///     /// What a clock is told.
///     pub struct Clock {
///         section "Time" {
///             /// How often it ticks.
///             tick: std::time::Duration = "CLOCK_TICK" | "CLOCK_INTERVAL", "1s";
///         }
///     }
///     one value {}
///     no effect {
///         /// The spring: this one has a battery.
///         "CLOCK_SPRING", "steel";
///     }
///     not yet {}
/// }
/// let environment = daemon::Environment::of([("CLOCK_INTERVAL", "5m")]);
/// let clock = daemon::load::<Clock>(&environment).settings.unwrap();
/// assert_eq!(clock.tick.as_secs(), 300);
/// ```
#[macro_export]
macro_rules! settings {
    (
        $(#[$meta:meta])*
        $vis:vis struct $name:ident {
            $(section $section:literal {
                $(
                    $(#[doc = $doc:literal])+
                    $field:ident: $type:ty = $variable:literal $(| $alias:literal)*, $default:literal;
                )*
            })*
            $($(#[doc = $group_doc:literal])+ group $group:ident: $group_type:ty;)*
        }
        one value {
            $($(#[doc = $only_doc:literal])+ $only:literal: $only_type:ty, $only_default:literal;)*
        }
        no effect {
            $($(#[doc = $none_doc:literal])+ $none:literal, $none_default:literal;)*
        }
        not yet {
            $($(#[doc = $later_doc:literal])+ $later:literal, $later_default:literal;)*
        }
    ) => {
        $(#[$meta])*
        $vis struct $name {
            $($($(#[doc = $doc])+ $vis $field: $type,)*)*
            $($(#[doc = $group_doc])+ $vis $group: $group_type,)*
        }

        impl $crate::Settings for $name {
            const TABLE: &'static [$crate::Row] = {
                const SECTIONS: &[$crate::Row] = &[$($($crate::Row {
                    section: $section,
                    variable: $variable,
                    aliases: &[$($alias),*],
                    default: $default,
                    expected: <$type as $crate::Setting>::expected,
                    is_secret: <$type as $crate::Setting>::IS_SECRET,
                    effect: $crate::Effect::Full,
                    doc: concat!($($doc),+),
                },)*)*];
                const REST: &[$crate::Row] = &[$($crate::Row {
                    section: "One value only",
                    variable: $only,
                    aliases: &[],
                    default: $only_default,
                    expected: <$only_type as $crate::Setting>::expected,
                    is_secret: <$only_type as $crate::Setting>::IS_SECRET,
                    effect: $crate::Effect::Full,
                    doc: concat!($($only_doc),+),
                },)*
                $($crate::Row {
                    section: "Not built yet",
                    variable: $later,
                    aliases: &[],
                    default: $later_default,
                    expected: <String as $crate::Setting>::expected,
                    is_secret: false,
                    effect: $crate::Effect::NotYet,
                    doc: concat!($($later_doc),+),
                },)*
                $($crate::Row {
                    section: "Without effect",
                    variable: $none,
                    aliases: &[],
                    default: $none_default,
                    expected: <String as $crate::Setting>::expected,
                    is_secret: false,
                    effect: $crate::Effect::None,
                    doc: concat!($($none_doc),+),
                },)*];
                const PARTS: &[&[$crate::Row]] = &[
                    SECTIONS,
                    $(<$group_type as $crate::Settings>::TABLE,)*
                    REST,
                ];
                &$crate::joined::<{ $crate::joined_len(PARTS) }>(PARTS)
            };

            fn read(reader: &mut $crate::Reader<'_>) -> Option<Self> {
                $($(let $field = reader.read::<$type>($variable);)*)*
                $(let $group = <$group_type as $crate::Settings>::read(reader);)*
                $(reader.check::<$only_type>($only);)*
                Some(Self { $($($field: $field?,)*)* $($group: $group?,)* })
            }
        }
    };
}

/// How many rows there are in all.
#[doc(hidden)]
pub const fn joined_len(parts: &[&[Row]]) -> usize {
    let (mut at, mut len) = (0, 0);
    while at < parts.len() {
        len += parts[at].len();
        at += 1;
    }
    len
}

/// The rows of all parts, section by section; a variable that is in two rows stops the compiler.
#[doc(hidden)]
pub const fn joined<const N: usize>(parts: &[&[Row]]) -> [Row; N] {
    const NONE: Row = Row {
        section: "",
        variable: "",
        aliases: &[],
        default: "",
        expected: String::new,
        is_secret: false,
        effect: Effect::None,
        doc: "",
    };
    let mut rows = [NONE; N];
    let (mut part, mut len) = (0, 0);
    while part < parts.len() {
        let mut at = 0;
        while at < parts[part].len() {
            rows[len] = parts[part][at];
            (at, len) = (at + 1, len + 1);
        }
        part += 1;
    }
    if let Some(variable) = repeated(&rows) {
        panic!("{}", variable);
    }
    by_section(rows)
}

/// The first variable that is in two rows.
const fn repeated(rows: &[Row]) -> Option<&'static str> {
    let mut at = 0;
    while at < rows.len() {
        let mut before = 0;
        while before < at {
            if is_same(rows[before].variable, rows[at].variable) {
                return Some(rows[at].variable);
            }
            before += 1;
        }
        at += 1;
    }
    None
}

/// The rows of the first section, then those of the next: a group may add to any.
const fn by_section<const N: usize>(rows: [Row; N]) -> [Row; N] {
    let mut sorted = rows;
    let (mut len, mut first) = (0, 0);
    while len < N {
        let mut is_known = false;
        let mut at = 0;
        while at < first {
            is_known |= is_same(rows[at].section, rows[first].section);
            at += 1;
        }
        while !is_known && at < N {
            if is_same(rows[at].section, rows[first].section) {
                sorted[len] = rows[at];
                len += 1;
            }
            at += 1;
        }
        first += 1;
    }
    sorted
}

/// Whether both texts are the same, for the compiler, which cannot use `==` of them yet.
const fn is_same(a: &str, b: &str) -> bool {
    let (a, b) = (a.as_bytes(), b.as_bytes());
    let mut at = 0;
    while at < a.len() && at < b.len() && a[at] == b[at] {
        at += 1;
    }
    at == a.len() && at == b.len()
}

impl Row {
    /// What it means, as one line.
    pub fn text(&self) -> &'static str {
        self.doc.trim()
    }
}

#[cfg(test)]
mod tests;
