//! Rows as a FlatGeobuf file: the dataset's own writer over a part of a level.

use std::io::Cursor;

use tilecore::dataset::write::{LevelRows, SortedRows};

use super::Rows;

/// A file is made in memory, so there is an end to it.
pub const UNITS_MAX: usize = 50_000;

/// The file, or what is wrong with the dataset.
pub fn write(rows: &Rows) -> Result<Vec<u8>, String> {
    let level = rows.level();
    let data = &level.data.level;
    let mut part: LevelRows = LevelRows::default();
    for &row in &rows.rows {
        let row = row as usize;
        part.keys.push(data.key(row).to_owned());
        part.names.push(data.name(row).to_owned());
        part.ids.push(data.id(row));
        part.parents.push(data.parent(row).map(str::to_owned));
        let shape = data.geometry(row).map_err(|error| error.to_string())?;
        part.geometries.push(shape);
    }
    for field in &rows.fields {
        let column = field.column(level).take(&rows.rows);
        part.columns.push((field.name.to_string(), column));
    }
    let mut file = Cursor::new(Vec::new());
    SortedRows::new(part)
        .and_then(|part| part.write_fgb(&rows.level().layer.meta.name, &mut file))
        .map_err(|error| error.to_string())?;
    Ok(file.into_inner())
}
