//! The file, or the two files that differ a little, and what is counted on the way.

use std::collections::{BTreeMap, HashSet};
use std::fs::File;
use std::io::{self, BufWriter, Write};
use std::ops::Range;

use anyhow::Context;

use super::random::Random;
use super::world::Entry;
use super::{Options, Order};

/// Takes events in order and writes each to the files it belongs to.
pub(super) struct Output {
    first: BufWriter<File>,
    second: Option<BufWriter<File>>,
    order: Order,
    kept: Vec<u8>,
    lines: Vec<(Range<usize>, Side)>,
    stride: usize,
    taken: usize,
    one_sided: usize,
    one_sided_wanted: usize,
    addresses: HashSet<(u16, u32, u16)>,
    written: Written,
}

/// What the first file holds.
#[derive(Default)]
pub(super) struct Written {
    pub(super) bytes: u64,
    /// Events that a relay keeps: the latest of each address, all others.
    pub(super) distinct: u64,
    pub(super) kinds: BTreeMap<u16, u64>,
}

#[derive(Clone, Copy, PartialEq, Eq)]
enum Side {
    Both,
    First,
    Second,
}

impl Output {
    /// Creates the files for `total` events of which `diff` are only in one and `diff` only in the other.
    pub(super) fn create(options: &Options, total: usize, diff: usize) -> anyhow::Result<Self> {
        let create = |path: &std::path::Path| -> anyhow::Result<BufWriter<File>> {
            let file = File::create(path).with_context(|| format!("create {}", path.display()))?;
            Ok(BufWriter::with_capacity(1 << 20, file))
        };
        Ok(Self {
            first: create(&options.out)?,
            second: options.out_b.as_deref().map(create).transpose()?,
            order: options.order,
            kept: Vec::new(),
            lines: Vec::new(),
            stride: total.checked_div(diff * 2).unwrap_or(0),
            taken: 0,
            one_sided: 0,
            one_sided_wanted: diff * 2,
            addresses: HashSet::new(),
            written: Written::default(),
        })
    }

    /// Takes the next event.
    pub(super) fn take(&mut self, json: &[u8], entry: &Entry) -> io::Result<()> {
        let side = self.choose_side(entry);
        if side != Side::Second {
            self.count(json, entry);
        }
        match self.order {
            Order::Arrival => self.write(json, side),
            Order::Random => {
                let start = self.kept.len();
                self.kept.extend_from_slice(json);
                self.lines.push((start..self.kept.len(), side));
                Ok(())
            }
        }
    }

    /// Writes what was kept back, and flushes.
    pub(super) fn finish(mut self, seed: u64) -> io::Result<Written> {
        let mut random = Random::for_item(seed, u64::MAX);
        let mut lines = std::mem::take(&mut self.lines);
        let kept = std::mem::take(&mut self.kept);
        while !lines.is_empty() {
            let (range, side) = lines.swap_remove(random.below(lines.len()));
            self.write(&kept[range], side)?;
        }
        self.first.flush()?;
        if let Some(second) = &mut self.second {
            second.flush()?;
        }
        Ok(self.written)
    }

    /// One-sided events are notes, which nothing replaces, spread over the whole time.
    fn choose_side(&mut self, entry: &Entry) -> Side {
        self.taken += 1;
        let is_due =
            self.one_sided < self.one_sided_wanted && self.taken > self.one_sided * self.stride;
        if !is_due || !entry.is_note() {
            return Side::Both;
        }
        self.one_sided += 1;
        if self.one_sided.is_multiple_of(2) { Side::Second } else { Side::First }
    }

    fn write(&mut self, json: &[u8], side: Side) -> io::Result<()> {
        if side != Side::Second {
            self.first.write_all(json)?;
            self.first.write_all(b"\n")?;
        }
        if side != Side::First
            && let Some(second) = &mut self.second
        {
            second.write_all(json)?;
            second.write_all(b"\n")?;
        }
        Ok(())
    }

    fn count(&mut self, json: &[u8], entry: &Entry) {
        self.written.bytes += json.len() as u64 + 1;
        *self.written.kinds.entry(entry.kind).or_default() += 1;
        let is_regular = !matches!(entry.kind, 0 | 3 | 10_000..20_000 | 30_000..40_000);
        if is_regular || self.addresses.insert((entry.kind, entry.author, entry.d)) {
            self.written.distinct += 1;
        }
    }
}
