//! What keeping the summary trees costs an import: the same file with and without them, in turns.
//!
//! `cargo run --release -p store-lmdb --example tree_cost -- FILE DIR [PAIRS]` imports FILE, one event a
//! line, into DIR and prints the CPU time of reading, verifying and saving it.

#![expect(clippy::print_stdout, reason = "it prints what it measured")]

use std::error::Error;
use std::fs::File;
use std::io::{BufRead, BufReader};
use std::path::{Path, PathBuf};
use std::time::Duration;

use event::{Event, Verifier};
use nix::sys::resource::{UsageWho, getrusage};
use nix::sys::time::TimeValLike;
use store::EventStore;
use store_lmdb::{LmdbStore, Options};

/// `orly import` saves batches of this size in a store that has grown.
const BATCH_BYTES: usize = 64 << 20;

fn main() -> Result<(), Box<dyn Error>> {
    let mut arguments = std::env::args_os().skip(1);
    let (Some(file), Some(dir)) = (arguments.next(), arguments.next()) else {
        return Err("usage: tree_cost FILE DIR [PAIRS]".into());
    };
    let (file, dir) = (PathBuf::from(file), PathBuf::from(dir));
    let pairs = arguments.next().and_then(|pairs| pairs.to_str()?.parse().ok()).unwrap_or(2);
    let verifying = verify(&file)?;
    println!("verifying        {:8.2} s CPU", verifying.as_secs_f64());
    let (mut with, mut without) = (Duration::MAX, Duration::MAX);
    for _ in 0..pairs {
        with = with.min(import(&file, &dir.join("with"), true)?);
        without = without.min(import(&file, &dir.join("without"), false)?);
        println!("with trees       {:8.2} s CPU", with.as_secs_f64());
        println!("without trees    {:8.2} s CPU", without.as_secs_f64());
    }
    let cost = with.as_secs_f64() - without.as_secs_f64();
    let verified = (without + verifying).as_secs_f64();
    println!(
        "trees cost       {:7.1} % of an unverified import",
        100.0 * cost / without.as_secs_f64()
    );
    println!("                 {:7.1} % of a verified one", 100.0 * cost / verified);
    Ok(())
}

/// The CPU time of verifying all events.
fn verify(file: &Path) -> Result<Duration, Box<dyn Error>> {
    let mut verifier = Verifier::default();
    let mut spent = Duration::ZERO;
    for line in BufReader::new(File::open(file)?).lines() {
        let event = Event::from_json(&line?)?;
        let before = cpu_time()?;
        verifier.verify(event.as_ref())?;
        spent += cpu_time()?.saturating_sub(before);
    }
    Ok(spent)
}

/// The CPU time of reading all events and saving them into a new store, unverified.
fn import(file: &Path, dir: &Path, keep_summaries: bool) -> Result<Duration, Box<dyn Error>> {
    drop(std::fs::remove_dir_all(dir));
    let runtime = tokio::runtime::Builder::new_multi_thread().build()?;
    let before = cpu_time()?;
    let store = LmdbStore::open(Options { keep_summaries, ..Options::new(dir) }, vec![])?;
    let (mut batch, mut bytes) = (Vec::new(), 0);
    for line in BufReader::new(File::open(file)?).lines() {
        let event = Event::from_json(&line?)?;
        bytes += event.as_ref().as_bytes().len();
        batch.push(event);
        if bytes >= BATCH_BYTES {
            runtime.block_on(store.save(std::mem::take(&mut batch)))?;
            bytes = 0;
        }
    }
    runtime.block_on(store.save(batch))?;
    drop(store);
    Ok(cpu_time()?.saturating_sub(before))
}

/// The CPU time of this process so far.
fn cpu_time() -> nix::Result<Duration> {
    let usage = getrusage(UsageWho::RUSAGE_SELF)?;
    let spent = (usage.user_time() + usage.system_time()).num_microseconds();
    Ok(Duration::from_micros(spent.unsigned_abs()))
}
