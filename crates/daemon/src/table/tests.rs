use super::*;
use crate::Settings;

crate::settings! {
    /// What belongs to a section that the process begins.
    #[expect(dead_code, reason = "only the table is looked at")]
    struct Part {
        section "First" {
            /// Third.
            third: u64 = "THIRD", "3";
        }
        section "Third" {
            /// Fifth.
            fifth: u64 = "FIFTH", "5";
        }
    }
    one value {}
    no effect {}
    not yet {}
}

crate::settings! {
    /// A process.
    #[expect(dead_code, reason = "only the table is looked at")]
    struct Process {
        section "First" {
            /// First.
            first: u64 = "FIRST", "1";
            /// Second.
            second: u64 = "SECOND", "2";
        }
        section "Second" {
            /// Fourth.
            fourth: u64 = "FOURTH", "4";
        }
        /// A part.
        group part: Part;
    }
    one value {}
    no effect {
        /// Sixth.
        "SIXTH", "6";
    }
    not yet {}
}

#[test]
fn rows_of_a_group_join_the_sections_of_the_process() {
    let variables: Vec<&str> = Process::TABLE.iter().map(|row| row.variable).collect();
    assert_eq!(variables, ["FIRST", "SECOND", "THIRD", "FOURTH", "FIFTH", "SIXTH"]);
}

#[test]
fn a_variable_that_is_in_two_rows_is_found() {
    assert_eq!(repeated(Process::TABLE), None);
    let (first, last) = (Process::TABLE[0], Process::TABLE[5]);
    assert_eq!(repeated(&[first, last, first]), Some("FIRST"));
    assert_eq!(repeated(&[first, Row { variable: "FIRS", ..last }]), None);
}
