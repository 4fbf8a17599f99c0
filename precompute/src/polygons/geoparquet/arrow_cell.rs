//! Arrow arrays, of the types that Parquet has by itself, as values.

use arrow_array::cast::AsArray;
use arrow_array::types::{
    Date32Type, Decimal128Type, Float32Type, Float64Type, Int8Type, Int16Type, Int32Type,
    Int64Type, TimestampMicrosecondType, TimestampMillisecondType, TimestampNanosecondType,
    UInt8Type, UInt16Type, UInt32Type, UInt64Type,
};
use arrow_array::{Array, ArrayRef, ArrowPrimitiveType, PrimitiveArray};
use arrow_schema::{DataType, TimeUnit};

use super::super::cell;
use crate::value::Value;

/// Whether [`values`] knows a type.
pub(super) fn is_readable(kind: &DataType) -> bool {
    matches!(
        kind,
        DataType::Boolean
            | DataType::Int8
            | DataType::Int16
            | DataType::Int32
            | DataType::Int64
            | DataType::UInt8
            | DataType::UInt16
            | DataType::UInt32
            | DataType::UInt64
            | DataType::Float32
            | DataType::Float64
            | DataType::Utf8
            | DataType::Date32
            | DataType::Decimal128(..)
            | DataType::Timestamp(
                TimeUnit::Millisecond | TimeUnit::Microsecond | TimeUnit::Nanosecond,
                _
            )
    )
}

/// An array's values; all missing when its type is not readable.
pub(super) fn values(array: &ArrayRef) -> Vec<Value> {
    match array.data_type() {
        DataType::Boolean => {
            let array = array.as_boolean();
            each(array, |row| cell::boolean(array.value(row)))
        }
        DataType::Utf8 => {
            let array = array.as_string::<i32>();
            each(array, |row| Value::Text(array.value(row).into()))
        }
        DataType::Int8 => primitive::<Int8Type>(array, |n| cell::integer(n.into())),
        DataType::Int16 => primitive::<Int16Type>(array, |n| cell::integer(n.into())),
        DataType::Int32 => primitive::<Int32Type>(array, |n| cell::integer(n.into())),
        DataType::Int64 => primitive::<Int64Type>(array, cell::integer),
        DataType::UInt8 => primitive::<UInt8Type>(array, |n| cell::integer(n.into())),
        DataType::UInt16 => primitive::<UInt16Type>(array, |n| cell::integer(n.into())),
        DataType::UInt32 => primitive::<UInt32Type>(array, |n| cell::integer(n.into())),
        DataType::UInt64 => primitive::<UInt64Type>(array, cell::unsigned),
        DataType::Float32 => primitive::<Float32Type>(array, |n| cell::double(n.into())),
        DataType::Float64 => primitive::<Float64Type>(array, cell::double),
        DataType::Date32 => primitive::<Date32Type>(array, |days| date(days.into())),
        DataType::Decimal128(..) => {
            let decimals: &PrimitiveArray<Decimal128Type> = array.as_primitive();
            each(decimals, |row| cell::number(&decimals.value_as_string(row)))
        }
        DataType::Timestamp(TimeUnit::Millisecond, _) => {
            primitive::<TimestampMillisecondType>(array, |n| moment(n, 1_000))
        }
        DataType::Timestamp(TimeUnit::Microsecond, _) => {
            primitive::<TimestampMicrosecondType>(array, |n| moment(n, 1_000_000))
        }
        DataType::Timestamp(TimeUnit::Nanosecond, _) => {
            primitive::<TimestampNanosecondType>(array, |n| moment(n, 1_000_000_000))
        }
        _ => vec![Value::Null; array.len()],
    }
}

fn each(array: &dyn Array, value: impl Fn(usize) -> Value) -> Vec<Value> {
    (0..array.len())
        .map(|row| {
            if array.is_valid(row) {
                value(row)
            } else {
                Value::Null
            }
        })
        .collect()
}

fn primitive<T: ArrowPrimitiveType>(
    array: &ArrayRef,
    value: impl Fn(T::Native) -> Value,
) -> Vec<Value> {
    let array: &PrimitiveArray<T> = array.as_primitive();
    each(array, |row| value(array.value(row)))
}

/// `2022-04-10` of days since 1970.
fn date(days: i64) -> Value {
    let (year, month, day) = civil(days);
    Value::Text(format!("{year:04}-{month:02}-{day:02}").into())
}

/// `2022-04-10T08:00:00` of fractions of a second since 1970.
fn moment(count: i64, per_second: i64) -> Value {
    let seconds = count.div_euclid(per_second);
    let (year, month, day) = civil(seconds.div_euclid(86_400));
    let second = seconds.rem_euclid(86_400);
    let (hour, minute, second) = (second / 3_600, second / 60 % 60, second % 60);
    Value::Text(format!("{year:04}-{month:02}-{day:02}T{hour:02}:{minute:02}:{second:02}").into())
}

/// Year, month and day of days since 1970, in eras of 400 years from March (Hinnant,
/// "chrono-Compatible Low-Level Date Algorithms").
fn civil(days: i64) -> (i64, i64, i64) {
    let days = days + 719_468;
    let era = days.div_euclid(146_097);
    let of_era = days.rem_euclid(146_097);
    let year = (of_era - of_era / 1_460 + of_era / 36_524 - of_era / 146_096) / 365;
    let of_year = of_era - (365 * year + year / 4 - year / 100);
    let from_march = (5 * of_year + 2) / 153;
    let day = of_year - (153 * from_march + 2) / 5 + 1;
    let month = if from_march < 10 {
        from_march + 3
    } else {
        from_march - 9
    };
    (year + era * 400 + i64::from(month <= 2), month, day)
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn dates_of_the_calendar() {
        for (days, expected) in [
            (0, "1970-01-01"),
            (-1, "1969-12-31"),
            (19_092, "2022-04-10"),
            (11_016, "2000-02-29"),
            (-719_468, "0000-03-01"),
        ] {
            assert_eq!(date(days), Value::Text(expected.into()));
        }
        assert_eq!(moment(-1, 1_000), Value::Text("1969-12-31T23:59:59".into()));
        assert_eq!(
            moment(1_649_577_600_000_000, 1_000_000),
            Value::Text("2022-04-10T08:00:00".into())
        );
    }
}
