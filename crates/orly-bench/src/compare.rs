//! `compare`: the same measurement on two relays in turns, medians and ratios.
//!
//! In turns, because a machine's speed drifts: A B A B … meets both in the same weather.

use anyhow::{Context, bail, ensure};
use clap::{Args, Parser};

use crate::client::Address;
use crate::commands::{self, Command, CommandLine};
use crate::latency::median;
use crate::report::{Metric, Report, Section, tell};

/// Arguments of `compare`.
#[derive(Args, Debug)]
pub(crate) struct Options {
    /// The relay that is the measure, such as strfry.
    pub(crate) url_a: Address,
    /// The relay that is measured.
    pub(crate) url_b: Address,
    /// The process of A.
    #[arg(long)]
    pub(crate) pid_a: Option<u32>,
    /// The process of B.
    #[arg(long)]
    pub(crate) pid_b: Option<u32>,
    /// How often both are measured.
    #[arg(long, default_value_t = 3)]
    pub(crate) pairs: usize,
    /// The measurement and its options without the URL: query --sample FILE, ingest FILE --count N, …
    #[arg(
        trailing_var_arg = true,
        allow_hyphen_values = true,
        required = true,
        value_name = "MEASUREMENT"
    )]
    pub(crate) measurement: Vec<String>,
}

/// Measures in turns and sets the medians side by side.
pub(crate) fn run(options: &Options) -> anyhow::Result<Report> {
    ensure!(options.pairs > 0, "--pairs must be at least 1");
    let mut runs: [Vec<Report>; 2] = Default::default();
    for pair in 0..options.pairs {
        let sides = [("A", &options.url_a, options.pid_a), ("B", &options.url_b, options.pid_b)];
        for ((name, url, pid), reports) in sides.into_iter().zip(&mut runs) {
            tell(&format!("compare: pair {} of {}, {name} {url}", pair + 1, options.pairs));
            let line = line_for(&options.measurement, url, pid, pair)?;
            reports.push(commands::run(&line).with_context(|| format!("{name} {url}"))?);
        }
    }

    let [a, b] = runs;
    let target = format!(
        "{}: A {} · B {} · median of {}",
        a[0].command, options.url_a, options.url_b, options.pairs
    );
    let mut report = Report::new("compare", &target);
    for (name, reports) in [("A", &a), ("B", &b)] {
        let problems = reports.iter().flat_map(|report| &report.problems);
        report.problems.extend(problems.map(|problem| format!("{name}: {problem}")));
    }
    for section in &a[0].sections {
        for metric in &section.metrics {
            let (Some(of_a), Some(of_b)) =
                (middle(&a, section, metric), middle(&b, section, metric))
            else {
                continue;
            };
            let row = Section::new(&format!("{} {}", section.name, metric.key));
            let ratio = Metric::ratio("b/a", if of_a == 0.0 { f64::NAN } else { of_b / of_a });
            report.push(row.with([
                metric.relabelled("a", of_a),
                metric.relabelled("b", of_b),
                ratio,
            ]));
        }
    }
    Ok(report)
}

/// The command line of one run. Every run of `ingest` takes events that the relay does not have yet.
fn line_for(
    measurement: &[String],
    url: &Address,
    pid: Option<u32>,
    pair: usize,
) -> anyhow::Result<CommandLine> {
    let (name, rest) = measurement.split_first().context("no measurement given")?;
    let start = ["orly-bench".to_owned(), name.clone(), url.to_string()];
    let mut line = CommandLine::try_parse_from(start.iter().chain(rest))?;
    line.pid = pid;
    match &mut line.command {
        Command::Ingest(ingest) => {
            let count = ingest
                .count
                .context("to compare ingest, give --count: each pair takes the next events")?;
            ingest.skip += pair * count;
        }
        Command::Query(_) | Command::Fanout(_) | Command::Conns(_) | Command::Sync(_) => {}
        Command::Generate(_) | Command::Run(_) | Command::Compare(_) => {
            bail!("{name} is not a measurement of a relay")
        }
    }
    Ok(line)
}

/// The median of one metric over several runs; `None` if a run lacks it.
fn middle(reports: &[Report], section: &Section, metric: &Metric) -> Option<f64> {
    let values = reports.iter().map(|report| {
        let section = report.sections.iter().find(|other| other.name == section.name)?;
        let metric = section.metrics.iter().find(|other| other.key == metric.key)?;
        Some(metric.value)
    });
    values.collect::<Option<Vec<_>>>().map(median)
}

#[cfg(test)]
mod tests {
    use super::*;

    fn line(measurement: &[&str], pair: usize) -> anyhow::Result<CommandLine> {
        let measurement: Vec<_> = measurement.iter().map(ToString::to_string).collect();
        line_for(&measurement, &"ws://h:1".parse()?, Some(7), pair)
    }

    #[test]
    fn each_pair_of_ingest_takes_the_next_events() {
        let line = line(&["ingest", "f", "--count", "100", "--skip", "5"], 2).unwrap();
        let Command::Ingest(ingest) = line.command else { panic!("not ingest") };
        assert_eq!(
            (ingest.skip, ingest.url.to_string(), line.pid),
            (205, "ws://h:1/".to_owned(), Some(7))
        );
    }

    #[test]
    fn what_measures_no_relay_is_refused() {
        assert!(line(&["gen", "--out", "f"], 0).is_err());
        assert!(line(&["ingest", "f"], 0).is_err());
        assert!(line(&["no-such"], 0).is_err());
    }
}
