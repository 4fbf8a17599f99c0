//! Arrow arrays as cells.

use std::fmt::Display;

use arrow_array::cast::AsArray;
use arrow_array::types::{
    ArrowPrimitiveType, Date32Type, Decimal32Type, Decimal64Type, Decimal128Type, DecimalType,
    Float32Type, Float64Type, Int8Type, Int16Type, Int32Type, Int64Type, TimestampMicrosecondType,
    TimestampMillisecondType, TimestampNanosecondType, TimestampSecondType, UInt8Type, UInt16Type,
    UInt32Type, UInt64Type,
};
use arrow_array::{Array, ArrayRef, PrimitiveArray};
use arrow_schema::{DataType, TimeUnit};
use tilecore::nfc::composed;

use super::super::ColumnReport;
use super::super::builder::Markers;
use super::super::number::trim;
use super::super::relation::{Cells, Texts};

/// The longest text of a cell.
const CELL_MAX: usize = 1 << 20;

/// Whole numbers up to here are exact.
const EXACT_MAX: u64 = 1 << 53;

/// Whether a column of this type can be loaded.
pub(super) fn is_plain(kind: &DataType) -> bool {
    kind.is_integer()
        || matches!(
            kind,
            DataType::Null
                | DataType::Boolean
                | DataType::Float32
                | DataType::Float64
                | DataType::Decimal32(..)
                | DataType::Decimal64(..)
                | DataType::Decimal128(..)
                | DataType::Utf8View
                | DataType::Date32
                | DataType::Timestamp(..)
        )
}

/// A row of the batch, and what is the matter with its cell.
pub(super) type CellFault = (usize, String);

/// The cells of an array, counted in `report`.
pub(super) fn cells(
    array: &ArrayRef,
    is_pinned: bool,
    markers: &Markers,
    report: &mut ColumnReport,
) -> Result<Cells, CellFault> {
    let nulls = array.logical_null_count() as u64;
    report.missing += nulls;
    macro_rules! whole {
        ($($kind:ident => $type:ty),*) => {
            match array.data_type() {
                $(DataType::$kind => Some(whole::<$type>(array.as_primitive(), is_pinned)),)*
                _ => None,
            }
        };
    }
    if let Some(cells) = whole!(
        Int8 => Int8Type, Int16 => Int16Type, Int32 => Int32Type, Int64 => Int64Type,
        UInt8 => UInt8Type, UInt16 => UInt16Type, UInt32 => UInt32Type, UInt64 => UInt64Type
    ) {
        return cells;
    }
    match array.data_type() {
        DataType::Null => Ok(Cells::numbers(vec![f64::NAN; array.len()])),
        DataType::Boolean => {
            let value = |value: Option<bool>| value.map_or(f64::NAN, f64::from);
            Ok(Cells::numbers(
                array.as_boolean().iter().map(value).collect(),
            ))
        }
        DataType::Float32 => real(array.as_primitive::<Float32Type>(), is_pinned),
        DataType::Float64 => real(array.as_primitive::<Float64Type>(), is_pinned),
        DataType::Decimal32(_, scale) => decimal::<Decimal32Type>(array, *scale, is_pinned),
        DataType::Decimal64(_, scale) => decimal::<Decimal64Type>(array, *scale, is_pinned),
        DataType::Decimal128(_, scale) => decimal::<Decimal128Type>(array, *scale, is_pinned),
        DataType::Date32 => {
            let days = array.as_primitive::<Date32Type>().iter();
            Ok(texts(days.map(|days| days.map(|days| date(days.into())))))
        }
        DataType::Timestamp(unit, _) => Ok(timestamps(array, *unit)),
        DataType::Utf8View => text(array, is_pinned, markers, report),
        other => Err((0, format!("its type {other} is neither number nor text"))),
    }
}

fn whole<T>(array: &PrimitiveArray<T>, is_pinned: bool) -> Result<Cells, CellFault>
where
    T: ArrowPrimitiveType,
    T::Native: Display + TryInto<i64>,
{
    if is_pinned {
        return Ok(texts(
            array.iter().map(|value| value.map(|v| v.to_string())),
        ));
    }
    let number = |(row, value): (usize, Option<T::Native>)| {
        let Some(value) = value else {
            return Ok(f64::NAN);
        };
        match value.try_into() {
            #[expect(clippy::cast_precision_loss, reason = "at most 2^53")]
            Ok(whole) if whole.unsigned_abs() <= EXACT_MAX => Ok(whole as f64),
            _ => Err((row, too_long(&value))),
        }
    };
    let values: Result<_, CellFault> = array.iter().enumerate().map(number).collect();
    Ok(Cells::numbers(values?))
}

/// What to do with an integer that `f64` does not hold.
pub(in crate::tables) fn too_long(value: &dyn Display) -> String {
    format!("{value} has more digits than a number keeps: list the column in `text`")
}

fn real<T>(array: &PrimitiveArray<T>, is_pinned: bool) -> Result<Cells, CellFault>
where
    T: ArrowPrimitiveType,
    T::Native: Display + Into<f64>,
{
    if is_pinned {
        return Ok(texts(
            array.iter().map(|value| value.map(|v| v.to_string())),
        ));
    }
    let number = |(row, value): (usize, Option<T::Native>)| {
        let value = value.map_or(f64::NAN, Into::into);
        if value.is_infinite() {
            return Err((row, format!("{value} is no number to count with")));
        }
        // Zero has no sign.
        Ok(value + 0.0)
    };
    let values: Result<_, CellFault> = array.iter().enumerate().map(number).collect();
    Ok(Cells::numbers(values?))
}

fn decimal<T: DecimalType>(
    array: &ArrayRef,
    scale: i8,
    is_pinned: bool,
) -> Result<Cells, CellFault> {
    let array = array.as_primitive::<T>();
    let written = |value: T::Native| T::format_decimal(value, T::MAX_PRECISION, scale);
    if is_pinned {
        return Ok(texts(array.iter().map(|value| value.map(written))));
    }
    // The nearest number to the decimal, as a text file would give it.
    let number = |(row, value): (usize, Option<T::Native>)| {
        let Some(text) = value.map(written) else {
            return Ok(f64::NAN);
        };
        let whole = text.trim_start_matches('-').split('.').next();
        let is_exact = whole.and_then(|whole| whole.parse().ok()) <= Some(EXACT_MAX);
        match text.parse() {
            Ok(number) if is_exact => Ok(number),
            _ => Err((row, too_long(&text))),
        }
    };
    let values: Result<_, CellFault> = array.iter().enumerate().map(number).collect();
    Ok(Cells::numbers(values?))
}

fn text(
    array: &ArrayRef,
    is_pinned: bool,
    markers: &Markers,
    report: &mut ColumnReport,
) -> Result<Cells, CellFault> {
    let mut texts = Texts::default();
    for (row, text) in array.as_string_view().iter().enumerate() {
        let text = text.unwrap_or_default();
        if text.len() > CELL_MAX {
            return Err((row, format!("a text of {} bytes is too long", text.len())));
        }
        if text.contains('\0') {
            return Err((row, "the text holds a NUL character".into()));
        }
        if !is_pinned && markers.is_declared(text) {
            report.secret += 1;
            texts.push("");
        } else if trim(text).is_empty() {
            texts.push("");
        } else {
            texts.push(&composed(text));
        }
    }
    Ok(Cells::Text(texts))
}

fn texts(values: impl Iterator<Item = Option<String>>) -> Cells {
    let mut texts = Texts::default();
    for value in values {
        texts.push(value.as_deref().unwrap_or_default());
    }
    Cells::Text(texts)
}

fn timestamps(array: &ArrayRef, unit: TimeUnit) -> Cells {
    let (values, per_second): (Vec<Option<i64>>, i64) = match unit {
        TimeUnit::Second => (
            array.as_primitive::<TimestampSecondType>().iter().collect(),
            1,
        ),
        TimeUnit::Millisecond => (
            array
                .as_primitive::<TimestampMillisecondType>()
                .iter()
                .collect(),
            1_000,
        ),
        TimeUnit::Microsecond => (
            array
                .as_primitive::<TimestampMicrosecondType>()
                .iter()
                .collect(),
            1_000_000,
        ),
        TimeUnit::Nanosecond => (
            array
                .as_primitive::<TimestampNanosecondType>()
                .iter()
                .collect(),
            1_000_000_000,
        ),
    };
    let written = |value: i64| {
        let seconds = value.div_euclid(per_second);
        let (day, second) = (seconds.div_euclid(86_400), seconds.rem_euclid(86_400));
        let (hour, minute) = (second / 3_600, second / 60 % 60);
        format!("{}T{hour:02}:{minute:02}:{:02}", date(day), second % 60)
    };
    texts(values.into_iter().map(|value| value.map(written)))
}

/// Days since 1970-01-01 as a date of the Gregorian calendar (Hinnant, `civil_from_days`).
fn date(days: i64) -> String {
    let days = days + 719_468;
    let era = days.div_euclid(146_097);
    let day_of_era = days.rem_euclid(146_097);
    let year_of_era =
        (day_of_era - day_of_era / 1_460 + day_of_era / 36_524 - day_of_era / 146_096) / 365;
    let day_of_year = day_of_era - (365 * year_of_era + year_of_era / 4 - year_of_era / 100);
    let from_march = (5 * day_of_year + 2) / 153;
    let day = day_of_year - (153 * from_march + 2) / 5 + 1;
    let month = if from_march < 10 {
        from_march + 3
    } else {
        from_march - 9
    };
    let year = year_of_era + era * 400 + i64::from(month <= 2);
    format!("{year:04}-{month:02}-{day:02}")
}
