//! Prometheus' own text format (0.0.4), for those who do not ask for OpenMetrics.
//!
//! There a counter is declared by the name of its sample, and neither units nor an end are.

use std::collections::HashSet;

/// The same figures in it.
pub(crate) fn classic(openmetrics: &str) -> String {
    let counters: HashSet<&str> = openmetrics
        .lines()
        .filter_map(|line| line.strip_prefix("# TYPE ")?.strip_suffix(" counter"))
        .collect();
    let mut text = String::with_capacity(openmetrics.len());
    for line in openmetrics.lines() {
        let declared = line.strip_prefix("# ").and_then(|line| line.split_once(' '));
        match declared {
            None if line.starts_with('#') => continue,
            Some(("UNIT", _)) => continue,
            Some((keyword, rest)) => {
                let (name, about) = rest.split_once(' ').unwrap_or((rest, ""));
                let suffix = if counters.contains(name) { "_total" } else { "" };
                text.push_str(&format!("# {keyword} {name}{suffix} {about}"));
            }
            None => text.push_str(line),
        }
        text.push('\n');
    }
    text
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn counters_are_declared_as_they_are_sampled() {
        let openmetrics = "# HELP a Things.\n# TYPE a counter\na_total{b=\"c\"} 1\n\
             # HELP d_seconds Time.\n# TYPE d_seconds histogram\n# UNIT d_seconds seconds\nd_seconds_sum 0.5\n# EOF\n";
        let expected = "# HELP a_total Things.\n# TYPE a_total counter\na_total{b=\"c\"} 1\n\
             # HELP d_seconds Time.\n# TYPE d_seconds histogram\nd_seconds_sum 0.5\n";
        assert_eq!(classic(openmetrics), expected);
    }
}
