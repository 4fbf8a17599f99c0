//! The contact sets of a project: loaded, read, written into a version, accounted for.

use tilecore::dataset::{contacts, schema};

use super::{ContactRows, read};
use crate::input_error::InputError;
use crate::progress;
use crate::project;
use crate::publish::{PublishError, Stage};
use crate::report::ContactsReport;
use crate::sql::Engine;

/// A set that is read and not written yet.
#[derive(Debug)]
pub struct ReadSet {
    name: String,
    title: schema::Localized,
    tenant: String,
    rows: ContactRows,
}

/// Reads a set's file, without those of whose id `is_forgotten` says so.
///
/// # Errors
/// When the file, its SQL or a coordinate reference system is at fault.
pub fn import(
    engine: &mut Engine,
    set: &project::Contacts,
    is_forgotten: &dyn Fn(&str) -> bool,
) -> Result<(ReadSet, ContactsReport), InputError> {
    let step = progress::step(&format!("contacts {}", set.name));
    // What is told of a table's cells stays out of the report: they are persons'.
    let (rows, table) = read(engine, set, is_forgotten)?;
    let report = ContactsReport {
        name: set.name.clone(),
        tenant: set.tenant.clone(),
        rows: table.rows,
        contacts: rows.keys.len() as u64,
        left_out: rows.left_out.clone(),
    };
    step.done(&format!(
        "{} contacts of {} rows",
        report.contacts, report.rows
    ));
    let read = ReadSet {
        name: set.name.clone(),
        title: set.title.clone(),
        tenant: set.tenant.clone(),
        rows,
    };
    Ok((read, report))
}

impl ReadSet {
    #[must_use]
    pub fn rows(&self) -> &ContactRows {
        &self.rows
    }

    /// Writes the set's file, and says what it holds.
    ///
    /// # Errors
    /// When the disk fails.
    pub fn write(self, stage: &mut Stage) -> anyhow::Result<schema::ContactSet> {
        let rows = self.rows;
        let meta = schema::ContactSet {
            arrow: format!("contacts/{}.arrow", self.name),
            name: self.name,
            title: self.title,
            tenant: self.tenant,
            contacts: rows.keys.len() as u64,
            left_out: rows.left_out,
            dimensions: rows
                .dimensions
                .iter()
                .map(|dimension| schema::Dimension {
                    name: dimension.name.clone(),
                    classes: dimension.classes.clone(),
                })
                .collect(),
            bounds: rows.bounds,
        };
        let (keys, dimensions) = (rows.keys, rows.dimensions);
        stage.write(&meta.arrow, |out| -> anyhow::Result<()> {
            contacts::write(keys, &dimensions, out).map_err(|error| PublishError::Write {
                path: meta.arrow.clone(),
                source: std::io::Error::other(error),
            })?;
            Ok(())
        })?;
        Ok(meta)
    }
}
