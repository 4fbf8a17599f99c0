//! The deflate codes of a tile, trained on all of its units.

use std::ops::Range;

use crate::deflate::{Code, Histogram, Tokens};
use crate::encode;
use crate::pieces::Pieces;
use crate::values::{MISSING, Values};

/// One code for a small tile; for a large one a block each for features, texts and numbers.
#[derive(Debug)]
pub(crate) enum Codes {
    One(Code),
    Three(Box<[Code; 3]>),
}

/// Below as many bytes, the headers of more blocks cost more than they gain.
const ONE_BLOCK_MAX: usize = 4000;

/// Bytes, and values, that are looked at to train a code: a sample tells enough.
const SAMPLE_BYTES: usize = 8192;
const SAMPLE_VALUES: usize = 1024;

/// Neighbouring values that are looked at together.
const SAMPLE_RUN: usize = 64;

impl Codes {
    /// `cells` are the values of each property, then of each unit.
    pub(crate) fn train(
        head: &[u8],
        keys: &Values,
        features: &Pieces,
        cells: &[u32],
        values: &Values,
    ) -> Self {
        let mut blocks = [(); 3].map(|()| Histogram::new());
        blocks[0].literals(head);
        count_features(features, cells, &mut blocks[0]);
        let Range { start, end } = values.all();
        count_values(values, start..values.texts(), &mut blocks[1]);
        count_values(values, values.texts()..end, &mut blocks[2]);
        let distance_max = values.distance_max();
        let size = features.all_bytes().len() + values.all_bytes().len() + head.len();
        if size < ONE_BLOCK_MAX {
            let [mut all, texts, numbers] = blocks;
            keys.write(keys.all(), &mut all);
            let distance_max = distance_max.max(keys.distance_max());
            all.add(&texts);
            all.add(&numbers);
            return Self::One(Code::train(&all, Some(distance_max)));
        }
        blocks[0].literals(keys.all_bytes());
        let [features, texts, numbers] = blocks;
        Self::Three(Box::new([
            Code::train(&features, None),
            Code::train(&texts, Some(distance_max)),
            Code::train(&numbers, Some(distance_max)),
        ]))
    }

    pub(crate) fn features(&self) -> &Code {
        match self {
            Self::One(code) => code,
            Self::Three(codes) => &codes[0],
        }
    }

    pub(crate) fn heap_bytes(&self) -> usize {
        match self {
            Self::One(code) => code.heap_bytes(),
            Self::Three(codes) => {
                size_of_val(&**codes) + codes.iter().map(Code::heap_bytes).sum::<usize>()
            }
        }
    }
}

/// Counts values as they are when all are in use.
fn count_values(values: &Values, mut counted: Range<u32>, block: &mut Histogram) {
    let skipped = (counted.len() / SAMPLE_VALUES).saturating_sub(1) * SAMPLE_RUN;
    while !counted.is_empty() {
        values.write(counted.by_ref().take(SAMPLE_RUN), block);
        if skipped > 0 {
            counted.nth(skipped - 1);
        }
    }
}

/// Counts the features as they are when all units pass.
fn count_features(features: &Pieces, cells: &[u32], block: &mut Histogram) {
    let units = features.len();
    if units == 0 {
        return;
    }
    let mut tags = Vec::new();
    let step = (features.all_bytes().len() / SAMPLE_BYTES).max(1);
    for unit in (0..units).step_by(step) {
        tags.clear();
        for (key, column) in (0..).zip(cells.chunks_exact(units)) {
            if column[unit] != MISSING {
                encode::put_tag(&mut tags, key, column[unit]);
            }
        }
        let fixed = features.bytes(unit);
        let mut frame = Vec::with_capacity(8);
        encode::put_feature_frame(&mut frame, tags.len(), fixed.len());
        block.literals(&frame);
        block.literals(&tags);
        block.literals(fixed);
    }
}
