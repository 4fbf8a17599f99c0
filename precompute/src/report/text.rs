//! The report as people read it.

use std::fmt::{self, Write};

use crate::tables::TableReport;

use super::{
    ContactsReport, FeatureNote, IdentityReport, InterpolationReport, JoinReport, LayerReport,
    LevelReport, Orphan, POLE_ADVICE, Report,
};

/// Examples shown of each kind; the JSON has them all.
const EXAMPLES: usize = 5;

/// Writes the report as text.
///
/// # Errors
/// When `out` does.
pub fn print(report: &Report, out: &mut impl Write) -> fmt::Result {
    for table in &report.tables {
        print_table(table, out)?;
    }
    for layer in &report.layers {
        print_layer(layer, out)?;
    }
    for set in &report.contacts {
        print_contacts(set, out)?;
    }
    match &report.version {
        Some(version) => writeln!(out, "version {version}"),
        None => writeln!(out, "nothing published"),
    }
}

fn print_table(table: &TableReport, out: &mut impl Write) -> fmt::Result {
    writeln!(out, "table {}: {} rows", table.name, grouped(table.rows))?;
    for column in table.columns.iter().filter(|column| column.secret > 0) {
        let secret = grouped(column.secret);
        writeln!(out, "  {}: {secret} cells kept secret", column.name)?;
    }
    for note in table.notes.iter().take(EXAMPLES) {
        let (file, row) = (&note.file, note.row);
        writeln!(out, "  {file}, row {row}: {} {}", note.reason, note.detail)?;
    }
    if table.notes.len() > EXAMPLES {
        writeln!(out, "  … {} notes in all", table.notes.len())?;
    }
    Ok(())
}

fn print_contacts(set: &ContactsReport, out: &mut impl Write) -> fmt::Result {
    let (rows, contacts) = (grouped(set.rows), grouped(set.contacts));
    writeln!(
        out,
        "contacts {} of {}: {rows} rows, {contacts} contacts",
        set.name, set.tenant
    )?;
    for (reason, count) in &set.left_out {
        writeln!(out, "  {} {reason}", grouped(*count))?;
    }
    Ok(())
}

fn print_layer(layer: &LayerReport, out: &mut impl Write) -> fmt::Result {
    writeln!(out, "layer {}", layer.name)?;
    for level in &layer.levels {
        print_level(level, out)?;
    }
    for join in &layer.joins {
        print_join(join, out)?;
    }
    for identity in &layer.identities {
        print_identity(identity, out)?;
    }
    Ok(())
}

fn print_level(level: &LevelReport, out: &mut impl Write) -> fmt::Result {
    write!(
        out,
        "  level {}: {} areas",
        level.name,
        grouped(level.areas)
    )?;
    for (count, what) in [
        (level.repaired, "repaired"),
        (level.skipped.len() as u64, "skipped"),
        (level.filtered, "left out by `where`"),
        (level.merged, "joined to a feature of the same key"),
    ] {
        if count > 0 {
            write!(out, ", {} {what}", grouped(count))?;
        }
    }
    if let Some(coverage) = level.coverage {
        write!(
            out,
            "; gaps {:.3} %, overlaps {:.3} % of the area",
            coverage.gap_share * 100.0,
            coverage.overlap_share * 100.0
        )?;
        if coverage.joined_vertices > 0 {
            write!(
                out,
                "; {} vertices joined to neighbours, areas grew by {:.3} %",
                grouped(coverage.joined_vertices),
                coverage.growth_share * 100.0
            )?;
        }
    }
    writeln!(out)?;
    print_notes("repaired", &level.repairs, out)?;
    print_notes("skipped", &level.skipped, out)?;
    if level.skipped.iter().any(|note| note.reason == "holds_pole") {
        writeln!(out, "    holds_pole: {POLE_ADVICE}")?;
    }
    print_notes("left out of", &level.notes, out)?;
    if level.without_parent > 0 {
        let count = grouped(level.without_parent);
        writeln!(out, "    {count} units have no parent")?;
    }
    if !level.parents_missing.is_empty() {
        let shown: Vec<&str> = level
            .parents_missing
            .iter()
            .take(EXAMPLES)
            .map(String::as_str)
            .collect();
        writeln!(
            out,
            "    {} parents are no unit one level up: {}{}",
            level.parents_missing.len(),
            shown.join(", "),
            ellipsis(level.parents_missing.len())
        )?;
    }
    Ok(())
}

fn print_notes(what: &str, notes: &[FeatureNote], out: &mut impl Write) -> fmt::Result {
    for note in notes.iter().take(EXAMPLES) {
        let feature = match note.feature {
            0 => String::new(),
            number => format!(", feature {number}"),
        };
        writeln!(
            out,
            "    {what} {}{feature}: {} {}",
            note.file, note.reason, note.detail
        )?;
    }
    if notes.len() > EXAMPLES {
        writeln!(out, "    … {} {what} in all", notes.len())?;
    }
    Ok(())
}

fn print_join(join: &JoinReport, out: &mut impl Write) -> fmt::Result {
    writeln!(
        out,
        "  join {} with {}: {} rows, {} of {} keys matched, {} units without a row",
        shortened(&join.from),
        join.level,
        grouped(join.rows),
        grouped(join.matched),
        grouped(join.keys),
        grouped(join.left_only)
    )?;
    if let Some(weight) = join.weight {
        writeln!(
            out,
            "    weight matched {}, without a unit {}",
            weight.matched.0, weight.right_only.0
        )?;
    }
    writeln!(
        out,
        "    match {:.3} % of what concerns the layer",
        join.match_share * 100.0
    )?;
    for (level, included) in &join.included_above {
        writeln!(
            out,
            "    {} keys without a unit count in level {level} through their parents",
            grouped(included.keys)
        )?;
    }
    for (rule, count) in &join.rules {
        writeln!(out, "    rule {rule}: {} keys", grouped(*count))?;
    }
    for alias in &join.aliases {
        writeln!(out, "    alias {:?} is {:?}", alias.key, alias.unit)?;
    }
    if !join.without_value.is_empty() {
        let names = join.without_value.join(", ");
        writeln!(out, "    missing in every unit: {names}")?;
    }
    if let Some(interpolation) = &join.interpolation {
        print_interpolation(interpolation, out)?;
    }
    for (reason, count) in &join.orphan_reasons {
        let examples: Vec<String> = join
            .orphans
            .iter()
            .filter(|orphan| orphan.reason.word() == reason)
            .take(EXAMPLES)
            .map(orphan_text)
            .collect();
        writeln!(
            out,
            "    {} {reason}: {}{}",
            grouped(*count),
            examples.join(", "),
            ellipsis(usize::try_from(*count).unwrap_or(usize::MAX))
        )?;
    }
    Ok(())
}

fn print_interpolation(of: &InterpolationReport, out: &mut impl Write) -> fmt::Result {
    writeln!(
        out,
        "    interpolated by {} from {} areas; {} units are covered by half or more",
        of.by,
        grouped(of.areas.areas),
        grouped(of.covered)
    )?;
    for (count, what) in [
        (of.addresses_without_place, "addresses have no place"),
        (of.areas_without_addresses, "areas have no address"),
    ] {
        if count > 0 {
            writeln!(out, "    {} {what}", grouped(count))?;
        }
    }
    for sum in &of.sums {
        writeln!(
            out,
            "    {}, {}: {:.6} = {:.6} in units + {:.6} in none; {:.6} in units covered too little",
            sum.column,
            shortened(&sum.sql),
            sum.total.0,
            sum.placed.0,
            sum.uncovered.0,
            sum.withheld.0
        )?;
        if sum.areas_missing > 0 {
            let count = grouped(sum.areas_missing);
            writeln!(out, "      {count} areas have no figure")?;
        }
    }
    Ok(())
}

fn orphan_text(orphan: &Orphan) -> String {
    let side = match orphan.side {
        super::Side::Left => "unit",
        super::Side::Right => "row",
    };
    match (&orphan.key, &orphan.near) {
        (Some(key), Some(near)) => format!("{side} {key} (unit {near})"),
        (Some(key), None) => format!("{side} {key}"),
        (None, _) => format!("{side} without a key"),
    }
}

fn print_identity(identity: &IdentityReport, out: &mut impl Write) -> fmt::Result {
    write!(
        out,
        "  identity {} in {}: holds for {}",
        identity.identity,
        shortened(&identity.from),
        grouped(identity.holds)
    )?;
    if identity.skipped > 0 {
        write!(out, ", {} with a term missing", grouped(identity.skipped))?;
    }
    if identity.fails > 0 {
        write!(
            out,
            ", fails for {}: {}{}",
            grouped(identity.fails),
            identity.examples.join(", "),
            if identity.fails > identity.examples.len() as u64 {
                ", …"
            } else {
                ""
            }
        )?;
    }
    writeln!(out)
}

fn ellipsis(count: usize) -> &'static str {
    if count > EXAMPLES { ", …" } else { "" }
}

/// A subquery's first words.
fn shortened(from: &str) -> String {
    const SHOWN: usize = 60;
    let line = from.split_whitespace().collect::<Vec<_>>().join(" ");
    if line.chars().count() <= SHOWN {
        return line;
    }
    line.chars().take(SHOWN - 1).chain(['…']).collect()
}

/// `1234567` as `1 234 567`.
fn grouped(count: u64) -> String {
    let digits = count.to_string();
    let mut out = String::with_capacity(digits.len() * 4 / 3);
    for (i, digit) in digits.chars().enumerate() {
        if i > 0 && (digits.len() - i).is_multiple_of(3) {
            out.push('\u{202f}');
        }
        out.push(digit);
    }
    out
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn long_numbers_are_grouped() {
        assert_eq!(grouped(0), "0");
        assert_eq!(grouped(999), "999");
        assert_eq!(grouped(1_234_567), "1\u{202f}234\u{202f}567");
    }
}
