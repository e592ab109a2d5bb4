//! What a measurement found: sections of metrics, printed as text or as JSON.

use std::fmt::Write as _;

/// The result of one command.
#[derive(Clone, Debug)]
pub(crate) struct Report {
    pub(crate) command: &'static str,
    pub(crate) target: String,
    pub(crate) sections: Vec<Section>,
    /// What went wrong although the measurement came to its end; any makes the exit code 1.
    pub(crate) problems: Vec<String>,
}

/// A named group of metrics, such as one query.
#[derive(Clone, Debug)]
pub(crate) struct Section {
    pub(crate) name: String,
    pub(crate) metrics: Vec<Metric>,
}

/// A number with its name and unit.
#[derive(Clone, Debug)]
pub(crate) struct Metric {
    /// The name with its unit, as in JSON.
    pub(crate) key: String,
    pub(crate) value: f64,
    unit: Unit,
}

#[derive(Clone, Copy, Debug, PartialEq, Eq)]
enum Unit {
    Count,
    PerSecond,
    Millis,
    Seconds,
    Bytes,
    Ratio,
}

impl Report {
    /// Starts an empty report.
    pub(crate) fn new(command: &'static str, target: &str) -> Self {
        Self { command, target: target.to_owned(), sections: Vec::new(), problems: Vec::new() }
    }

    /// Appends a section, unless it is empty.
    pub(crate) fn push(&mut self, section: Section) {
        if !section.metrics.is_empty() {
            self.sections.push(section);
        }
    }

    /// One JSON object on one line.
    pub(crate) fn to_json(&self) -> String {
        let metrics = |section: &Section| -> serde_json::Map<_, _> {
            section.metrics.iter().map(|metric| (metric.key.clone(), metric.value.into())).collect()
        };
        let sections: serde_json::Map<_, _> = self
            .sections
            .iter()
            .map(|section| (section.name.clone(), metrics(section).into()))
            .collect();
        let fields = serde_json::json!({
            "command": self.command, "target": self.target, "sections": sections, "problems": self.problems,
        });
        fields.to_string()
    }

    /// A table for sections with the same metrics, a list for the others.
    pub(crate) fn to_text(&self) -> String {
        let mut text = format!("{} {}\n", self.command, self.target);
        let keys = |section: &Section| {
            section.metrics.iter().map(|metric| metric.key.clone()).collect::<Vec<_>>()
        };
        let alike = |a: &Section, b: &Section| keys(a) == keys(b);
        for group in self.sections.chunk_by(alike) {
            match group {
                [section] => push_list(&mut text, section),
                sections => push_table(&mut text, sections),
            }
        }
        for problem in &self.problems {
            let _ = writeln!(text, "PROBLEM: {problem}");
        }
        text
    }
}

impl Section {
    /// Starts a section.
    pub(crate) fn new(name: &str) -> Self {
        Self { name: name.to_owned(), metrics: Vec::new() }
    }

    /// Adds metrics.
    pub(crate) fn with(mut self, metrics: impl IntoIterator<Item = Metric>) -> Self {
        self.metrics.extend(metrics);
        self
    }
}

impl Metric {
    fn new(name: &str, value: f64, unit: Unit) -> Self {
        let suffix = match unit {
            Unit::Count | Unit::Ratio => "",
            Unit::PerSecond => "_per_s",
            Unit::Millis => "_ms",
            Unit::Seconds => "_s",
            Unit::Bytes => "_bytes",
        };
        Self { key: format!("{name}{suffix}"), value, unit }
    }

    /// A plain number.
    pub(crate) fn count(name: &str, value: f64) -> Self {
        Self::new(name, value, Unit::Count)
    }

    /// A rate.
    pub(crate) fn per_second(name: &str, value: f64) -> Self {
        Self::new(name, value, Unit::PerSecond)
    }

    /// A duration in milliseconds.
    pub(crate) fn millis(name: &str, value: f64) -> Self {
        Self::new(name, value, Unit::Millis)
    }

    /// A duration in seconds.
    pub(crate) fn seconds(name: &str, value: f64) -> Self {
        Self::new(name, value, Unit::Seconds)
    }

    /// A number of bytes.
    pub(crate) fn bytes(name: &str, value: f64) -> Self {
        Self::new(name, value, Unit::Bytes)
    }

    /// One metric divided by another of the same name.
    pub(crate) fn ratio(name: &str, value: f64) -> Self {
        Self::new(name, value, Unit::Ratio)
    }

    /// Another value of the same unit under another name.
    pub(crate) fn relabelled(&self, key: &str, value: f64) -> Self {
        Self { key: key.to_owned(), value, unit: self.unit }
    }

    fn formatted(&self) -> String {
        let value = self.value;
        match self.unit {
            _ if value.is_nan() => "–".to_owned(),
            Unit::Count if value.fract() == 0.0 => format!("{value:.0}"),
            Unit::Count => format!("{value:.1}"),
            Unit::PerSecond if value < 100.0 => format!("{value:.1}"),
            Unit::PerSecond => format!("{value:.0}"),
            Unit::Millis | Unit::Seconds => format!("{value:.3}"),
            Unit::Ratio => format!("{value:.2}"),
            Unit::Bytes if value < 1e4 => format!("{value:.0}"),
            Unit::Bytes if value < 1e7 => format!("{:.1}k", value / 1e3),
            Unit::Bytes => format!("{:.1}M", value / 1e6),
        }
    }
}

fn push_list(text: &mut String, section: &Section) {
    let _ = writeln!(text, "  {}", section.name);
    for metric in &section.metrics {
        let _ = writeln!(text, "    {:<28} {:>14}", metric.key, metric.formatted());
    }
}

fn push_table(text: &mut String, sections: &[Section]) {
    let header = std::iter::once(String::new())
        .chain(sections[0].metrics.iter().map(|metric| metric.key.clone()));
    let mut rows: Vec<Vec<String>> = vec![header.collect()];
    for section in sections {
        let cells = section.metrics.iter().map(Metric::formatted);
        rows.push(std::iter::once(section.name.clone()).chain(cells).collect());
    }
    let widths: Vec<usize> = (0..rows[0].len())
        .map(|column| rows.iter().map(|row| row[column].chars().count()).max().unwrap_or(0))
        .collect();
    for row in rows {
        let _ = write!(text, "  {:<width$}", row[0], width = widths[0]);
        for (cell, width) in row.iter().zip(&widths).skip(1) {
            let _ = write!(text, "  {cell:>width$}");
        }
        text.push('\n');
    }
}

/// Prints a finished report to standard output.
#[expect(clippy::print_stdout, reason = "printing the result is what the program is for")]
pub(crate) fn print(report: &Report, as_json: bool) {
    if as_json {
        println!("{}", report.to_json());
    } else {
        print!("{}", report.to_text());
    }
}

/// Prints a line about progress or failure to standard error.
#[expect(clippy::print_stderr, reason = "standard output is for the result")]
pub(crate) fn tell(line: &str) {
    eprintln!("{line}");
}

#[cfg(test)]
mod tests {
    use super::*;

    fn report() -> Report {
        let row = |name: &str| {
            Section::new(name)
                .with([Metric::millis("p50", 1.5), Metric::per_second("queries", 650.0)])
        };
        let mut report = Report::new("query", "ws://x");
        report.push(row("id"));
        report.push(row("ids-20"));
        report.push(Section::new("server").with([Metric::bytes("rss", 12_345_678.0)]));
        report
    }

    #[test]
    fn sections_with_the_same_metrics_become_a_table() {
        let text = report().to_text();
        assert!(
            text.contains("          p50_ms  queries_per_s\n  id       1.500            650\n"),
            "{text}"
        );
        assert!(text.contains("rss_bytes"), "{text}");
    }

    #[test]
    fn json_names_carry_the_unit() {
        let value: serde_json::Value = serde_json::from_str(&report().to_json()).unwrap();
        assert_eq!(value["sections"]["id"]["p50_ms"], 1.5);
        assert_eq!(value["problems"], serde_json::json!([]));
    }
}
