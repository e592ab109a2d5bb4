use std::time::Duration;

use expect_test::expect;

use super::*;

crate::settings! {
    /// A process with one variable of each sort.
    #[expect(dead_code, reason = "only the table is looked at")]
    struct Kitchen {
        section "Heat" {
            /// How long it
            /// bakes.
            bake: Duration = "ORLY_BAKE" | "OVEN_BAKE" | "STOVE_BAKE", "30m";
        }
        section "People" {
            /// Who may enter.
            cooks: Vec<String> = "ORLY_COOKS", "";
        }
    }
    one value {
        /// Fuel of the oven.
        "ORLY_FUEL": u16, "0";
    }
    no effect {
        /// There is no gas.
        "ORLY_GAS", "0";
    }
    not yet {
        /// Dishwasher.
        "ORLY_DISHWASHER", "false";
    }
}

#[test]
fn the_page_has_a_table_for_each_section() {
    expect![[r#"
        # Settings of kitchen

        Environment variables of `kitchen`, where one cooks. They are read from the environment, then from the file `$XDG_CONFIG_HOME/<ORLY_APP_NAME>/.env`. Wash your hands. A value that is not allowed stops the start with exit code 64. Lists are separated by commas; durations are written as in `30s`, `5m`, `1h30m`; a variable that is empty counts as not set.

        Made from `crates/kitchen/src/settings.rs` by `UPDATE_EXPECT=1 cargo test -p kitchen`.

        ## Heat

        | Variable | Default | Allowed | Meaning |
        |---|---|---|---|
        | `ORLY_BAKE`, `OVEN_BAKE`, `STOVE_BAKE` | `30m` | a duration such as 250ms, 30s, 5m or 1h30m | How long it bakes. |

        ## People

        | Variable | Default | Allowed | Meaning |
        |---|---|---|---|
        | `ORLY_COOKS` | – | a list, separated by commas, each text | Who may enter. |

        ## One value only

        | Variable | Default | Allowed | Meaning |
        |---|---|---|---|
        | `ORLY_FUEL` | `0` | a port number (0 to 65535) | Fuel of the oven. |

        ## Not built yet

        | Variable | Default | Meaning |
        |---|---|---|
        | `ORLY_DISHWASHER` | `false` | Dishwasher. |

        ## Without effect

        | Variable | Default | Meaning |
        |---|---|---|
        | `ORLY_GAS` | `0` | There is no gas. |
    "#]]
    .assert_eq(&page::<Kitchen>("kitchen", "where one cooks", "Wash your hands. "));
}

#[test]
fn help_names_what_can_be_set() {
    expect![[r#"
        Settings are environment variables:
          ORLY_BAKE=30m
              How long it bakes.
          ORLY_COOKS=
              Who may enter.
          ORLY_FUEL=0
              Fuel of the oven.
    "#]]
    .assert_eq(&help::<Kitchen>());
}
