//! One indicator: over the contacts, against the electorate.

use super::{CLASS_MIN, Segment, mean_and_deviation};

/// Parts of the electorate that lift is told of.
const PARTS: u32 = 10;

/// A standardised difference beyond which one takes note.
const NOTEWORTHY: f64 = 0.2;

/// An indicator of numbers.
#[derive(Debug, Clone, PartialEq)]
pub struct NumberProfile {
    pub mean_contacts: f64,
    pub mean_electors: f64,
    /// 100 × the mean over contacts / the mean over electors; `None` where that is not above 0.
    pub index: Option<f64>,
    /// The means' difference over the root of the mean of both variances; `None` without spread.
    pub difference: Option<f64>,
    pub is_noteworthy: bool,
    /// Contacts and electors in areas that have the indicator.
    pub contacts: f64,
    pub electors: f64,
    /// By tenths of the electorate, from the least values up.
    pub lift: Vec<Lift>,
}

/// A part of the electorate, by the value of its areas.
#[derive(Debug, Clone, PartialEq)]
pub struct Lift {
    /// The greatest value in it.
    pub upper: f64,
    pub contacts: f64,
    pub electors: f64,
    /// Its share of contacts over its share of electors.
    pub lift: f64,
}

/// A class of an indicator of text.
#[derive(Debug, Clone, PartialEq)]
pub struct ClassProfile {
    pub class: usize,
    pub contacts: f64,
    pub share_contacts: f64,
    pub share_electors: f64,
    pub index: f64,
}

/// `None` where no contact lies in an area that has the indicator.
#[must_use]
pub fn number(segment: &Segment, values: &[f64]) -> Option<NumberProfile> {
    let mut known: Vec<(f64, f64, f64)> = values
        .iter()
        .enumerate()
        .filter(|(_, value)| value.is_finite())
        .filter_map(|(row, value)| segment.at(row).map(|(c, e)| (*value, c, e)))
        .collect();
    known.sort_by(|a, b| a.0.total_cmp(&b.0));
    let contacts: f64 = known.iter().map(|(_, c, _)| c).sum();
    let electors: f64 = known.iter().map(|(_, _, e)| e).sum();
    if contacts <= 0.0 {
        return None;
    }
    let (mean_contacts, deviation_contacts) =
        mean_and_deviation(known.iter().map(|(x, c, _)| (*x, *c)));
    let (mean_electors, deviation_electors) =
        mean_and_deviation(known.iter().map(|(x, _, e)| (*x, *e)));
    let pooled = f64::midpoint(deviation_contacts.powi(2), deviation_electors.powi(2)).sqrt();
    let difference = (pooled > 0.0).then(|| (mean_contacts - mean_electors) / pooled);
    Some(NumberProfile {
        mean_contacts,
        mean_electors,
        index: (mean_electors > 0.0).then(|| 100.0 * mean_contacts / mean_electors),
        is_noteworthy: difference.is_some_and(|d| d.abs() > NOTEWORTHY),
        difference,
        contacts,
        electors,
        lift: lift(&known, contacts, electors),
    })
}

/// Areas of one value are in one part, so that parts do not depend on the order of areas.
fn lift(known: &[(f64, f64, f64)], contacts: f64, electors: f64) -> Vec<Lift> {
    let mut parts: Vec<Lift> = Vec::new();
    let (mut seen, mut open) = (0.0, false);
    for same in known.chunk_by(|a, b| a.0.total_cmp(&b.0).is_eq()) {
        let (c, e) = same
            .iter()
            .fold((0.0, 0.0), |(c, e), of| (c + of.1, e + of.2));
        let upper = same.first().map_or(f64::NAN, |of| of.0);
        match parts.last_mut() {
            Some(part) if open => {
                part.upper = upper;
                part.contacts += c;
                part.electors += e;
            }
            _ => parts.push(Lift {
                upper,
                contacts: c,
                electors: e,
                lift: 0.0,
            }),
        }
        let before = seen / electors * f64::from(PARTS);
        seen += e;
        // The next starts where this one has come to the next tenth.
        open = (seen / electors * f64::from(PARTS)).floor() <= before.floor();
    }
    for part in &mut parts {
        part.lift = (part.contacts / contacts) / (part.electors / electors);
    }
    parts
}

/// The classes that enough contacts lie in, most contacts first, and how many are hidden.
/// `class_of` is by area; `None` is missing.
#[must_use]
pub fn classes(
    segment: &Segment,
    class_of: impl Fn(usize) -> Option<usize>,
    count: usize,
) -> (Vec<ClassProfile>, usize) {
    let mut sums = vec![(0.0, 0.0); count];
    for row in 0..segment.contacts.len() {
        if let Some((c, e)) = segment.at(row)
            && let Some(sum) = class_of(row).and_then(|class| sums.get_mut(class))
        {
            sum.0 += c;
            sum.1 += e;
        }
    }
    let (contacts, electors) = sums
        .iter()
        .fold((0.0, 0.0), |(c, e), sum| (c + sum.0, e + sum.1));
    let present = sums.iter().enumerate().filter(|(_, (_, e))| *e > 0.0);
    let mut found: Vec<ClassProfile> = present
        .map(|(class, &(c, e))| {
            let (share_contacts, share_electors) = (c / contacts, e / electors);
            ClassProfile {
                class,
                contacts: c,
                share_contacts,
                share_electors,
                index: 100.0 * share_contacts / share_electors,
            }
        })
        .collect();
    let all = found.len();
    found.retain(|class| class.contacts >= CLASS_MIN);
    found.sort_by(|a, b| {
        b.contacts
            .total_cmp(&a.contacts)
            .then(a.class.cmp(&b.class))
    });
    let hidden = all - found.len();
    if hidden == 1 {
        // The one hidden class would be what the others leave: the least goes with it.
        found.pop();
        return (found, 2.min(all));
    }
    (found, hidden)
}
