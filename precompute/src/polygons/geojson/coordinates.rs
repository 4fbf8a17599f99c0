//! `coordinates` of polygons: arrays of numbers, most of a GeoJSON file.
//!
//! `serde_json` has checked the text to be JSON; this only follows the brackets.

use super::super::rings::Rings;

/// Reads coordinates whose positions are `depth` arrays deep: 3 in a Polygon, 4 in a
/// `MultiPolygon`. Returns whether there were more than two numbers in a position.
///
/// # Errors
/// The message and the byte it is about.
pub(super) fn read(
    text: &str,
    depth: u32,
    rings: &mut Rings,
) -> Result<bool, (&'static str, usize)> {
    let bytes = text.as_bytes();
    let mut level = 0;
    let mut position = [0.0; 2];
    let mut count = 0;
    let mut is_flattened = false;
    let mut at = 0;
    while let Some(byte) = bytes.get(at) {
        match byte {
            b'[' => {
                level += 1;
                count = 0;
                if level > depth {
                    return Err(("coordinates are nested too deeply for their type", at));
                }
            }
            b']' => {
                match depth - level {
                    0 if count < 2 => return Err(("a position has fewer than two numbers", at)),
                    0 => {
                        is_flattened |= count > 2;
                        rings.push(position[0], position[1]);
                    }
                    1 => rings.end_ring(),
                    2 => rings.end_polygon(),
                    _ => {}
                }
                level -= 1;
            }
            b'-' | b'0'..=b'9' => {
                if level != depth {
                    return Err(("coordinates are not nested as their type wants", at));
                }
                let (number, length) = number(&bytes[at..]);
                if let Some(place) = position.get_mut(count) {
                    *place = number;
                }
                count += 1;
                at += length;
                continue;
            }
            b',' | b' ' | b'\t' | b'\n' | b'\r' => {}
            _ => return Err(("coordinates are not numbers", at)),
        }
        at += 1;
    }
    Ok(is_flattened)
}

/// The number that `bytes` begin with, correctly rounded, and its length.
fn number(bytes: &[u8]) -> (f64, usize) {
    // Up to 15 digits and 10²² are exact as doubles, so one division rounds correctly.
    const EXACT_MAX: u64 = 1 << 53;
    let is_negative = bytes.first() == Some(&b'-');
    let mut at = usize::from(is_negative);
    let mut digits = 0_u64;
    let mut decimals = 0;
    let mut in_fraction = false;
    while let Some(byte) = bytes.get(at) {
        match byte {
            b'0'..=b'9' if digits <= EXACT_MAX / 10 => {
                digits = digits * 10 + u64::from(byte - b'0');
                decimals += usize::from(in_fraction);
            }
            b'.' if !in_fraction => in_fraction = true,
            b'0'..=b'9' | b'e' | b'E' | b'+' | b'-' | b'.' => return slow_number(bytes),
            _ => break,
        }
        at += 1;
    }
    let Some(power) = POWERS.get(decimals).filter(|_| digits <= EXACT_MAX) else {
        return slow_number(bytes);
    };
    #[expect(clippy::cast_precision_loss, reason = "no more than 53 bits")]
    let magnitude = digits as f64 / power;
    (if is_negative { -magnitude } else { magnitude }, at)
}

fn slow_number(bytes: &[u8]) -> (f64, usize) {
    let length = bytes
        .iter()
        .position(|b| !matches!(b, b'0'..=b'9' | b'e' | b'E' | b'+' | b'-' | b'.'))
        .unwrap_or(bytes.len());
    let text = std::str::from_utf8(&bytes[..length]).unwrap_or_default();
    // JSON has no number that is not one of ours; NaN is refused later all the same.
    (text.parse().unwrap_or(f64::NAN), length)
}

const POWERS: [f64; 23] = [
    1e0, 1e1, 1e2, 1e3, 1e4, 1e5, 1e6, 1e7, 1e8, 1e9, 1e10, 1e11, 1e12, 1e13, 1e14, 1e15, 1e16,
    1e17, 1e18, 1e19, 1e20, 1e21, 1e22,
];

#[cfg(test)]
mod tests {
    use proptest::prelude::*;

    use super::*;

    #[test]
    fn numbers_are_those_of_the_standard_library() {
        for text in [
            "0",
            "-0",
            "1",
            "-1.5",
            "2.350123456789012",
            "48.85312345678901",
            "1e5",
            "1E-5",
            "1.5e+3",
            "123456789012345678901234567890",
            "0.000000000000000000000000001",
            "9007199254740993",
            "9007199254740992",
            "179.99999999999997",
            "1e400",
            "-1e-400",
            "0.30000000000000004",
        ] {
            let (parsed, length) = number(format!("{text},").as_bytes());
            assert_eq!(
                parsed.to_bits(),
                text.parse::<f64>().unwrap().to_bits(),
                "{text}"
            );
            assert_eq!(length, text.len());
        }
    }

    proptest! {
        #[test]
        fn any_double_comes_back(n in any::<f64>().prop_filter("finite", |n| n.is_finite()), decimals in 0_usize..20) {
            for text in [format!("{n:?}"), format!("{n:e}"), format!("{:.decimals$}", n % 1e6)] {
                let (parsed, length) = number(text.as_bytes());
                prop_assert_eq!(parsed.to_bits(), text.parse::<f64>().unwrap().to_bits(), "{}", text);
                prop_assert_eq!(length, text.len());
            }
        }
    }
}
