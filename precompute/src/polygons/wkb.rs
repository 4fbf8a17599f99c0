//! Well-known binary (OGC 06-103r4, ISO Z and M, `PostGIS` flags) as rings.

use super::collect::RawGeometry;

/// The deepest nesting of collections.
const DEPTH_MAX: u32 = 32;

/// Reads a geometry's polygons, or the reason why it has none.
///
/// # Errors
/// The message, with the byte, when the bytes are no WKB.
pub(super) fn read(bytes: &[u8]) -> Result<Result<RawGeometry, &'static str>, String> {
    let mut cursor = Cursor {
        bytes,
        at: 0,
        raw: RawGeometry::default(),
        has_curves: false,
    };
    cursor
        .geometry(0)
        .map_err(|message| format!("its WKB is damaged at byte {}: {message}", cursor.at))?;
    let raw = cursor.raw;
    Ok(if !raw.rings.polygons.is_empty() && !cursor.has_curves {
        Ok(raw)
    } else if cursor.has_curves {
        Err("curved_geometry")
    } else if raw.has_others {
        Err("not_a_polygon")
    } else {
        Err("empty_geometry")
    })
}

struct Cursor<'a> {
    bytes: &'a [u8],
    at: usize,
    raw: RawGeometry,
    has_curves: bool,
}

#[derive(Clone, Copy)]
struct Layout {
    is_little: bool,
    /// Numbers in a position.
    dimensions: usize,
}

impl<'a> Cursor<'a> {
    fn fixed<const N: usize>(&mut self) -> Result<[u8; N], &'static str> {
        let chunk = self.bytes[self.at..]
            .first_chunk::<N>()
            .ok_or("it is cut off")?;
        self.at += N;
        Ok(*chunk)
    }

    fn word(&mut self, is_little: bool) -> Result<u32, &'static str> {
        let bytes = self.fixed()?;
        Ok(if is_little {
            u32::from_le_bytes(bytes)
        } else {
            u32::from_be_bytes(bytes)
        })
    }

    /// A count of things of at least `size` bytes each, all of which must be there.
    fn count(&mut self, layout: Layout, size: usize) -> Result<usize, &'static str> {
        let count = self.word(layout.is_little)? as usize;
        if count > (self.bytes.len() - self.at) / size {
            return Err("a count is larger than what follows");
        }
        Ok(count)
    }

    fn geometry(&mut self, depth: u32) -> Result<(), &'static str> {
        if depth > DEPTH_MAX {
            return Err("collections are nested too deeply");
        }
        let is_little = match self.fixed::<1>()?[0] {
            0 => false,
            1 => true,
            _ => return Err("the byte order is neither 0 nor 1"),
        };
        let word = self.word(is_little)?;
        let (code, has_flag) = (word & 0x0fff_ffff, |bit: u32| word & bit != 0);
        if has_flag(0x2000_0000) {
            self.fixed::<4>()?;
        }
        let (has_z, has_m) = match code / 1000 {
            0 => (has_flag(0x8000_0000), has_flag(0x4000_0000)),
            1 => (true, false),
            2 => (false, true),
            3 => (true, true),
            _ => return Err("the geometry type is unknown"),
        };
        let layout = Layout {
            is_little,
            dimensions: 2 + usize::from(has_z) + usize::from(has_m),
        };
        match code % 1000 {
            3 | 17 => self.polygon(layout),
            // MultiPolygon, collection, MultiSurface, PolyhedralSurface, TIN.
            6 | 7 | 12 | 15 | 16 => {
                for _ in 0..self.count(layout, 5)? {
                    self.geometry(depth + 1)?;
                }
                Ok(())
            }
            1 => {
                self.raw.has_others = true;
                self.pass(8 * layout.dimensions)
            }
            2 => {
                self.raw.has_others = true;
                let count = self.count(layout, 8 * layout.dimensions)?;
                self.pass(count * 8 * layout.dimensions)
            }
            4 | 5 => {
                self.raw.has_others = true;
                for _ in 0..self.count(layout, 5)? {
                    self.geometry(depth + 1)?;
                }
                Ok(())
            }
            8..=14 => {
                self.has_curves = true;
                // What follows is of no use any more.
                self.at = self.bytes.len();
                Ok(())
            }
            _ => Err("the geometry type is unknown"),
        }
    }

    fn pass(&mut self, count: usize) -> Result<(), &'static str> {
        if count > self.bytes.len() - self.at {
            return Err("it is cut off");
        }
        self.at += count;
        Ok(())
    }

    fn polygon(&mut self, layout: Layout) -> Result<(), &'static str> {
        let size = 8 * layout.dimensions;
        let rings = self.count(layout, 4)?;
        for _ in 0..rings {
            let count = self.count(layout, size)?;
            self.raw.is_flattened |= layout.dimensions > 2 && count > 0;
            for position in self.positions(count, size) {
                let number = |at: usize| {
                    let bytes = position[at..].first_chunk().copied().unwrap_or_default();
                    if layout.is_little {
                        f64::from_le_bytes(bytes)
                    } else {
                        f64::from_be_bytes(bytes)
                    }
                };
                self.raw.rings.push(number(0), number(8));
            }
            self.raw.rings.end_ring();
        }
        if rings > 0 {
            self.raw.rings.end_polygon();
        }
        Ok(())
    }

    /// `count` positions, known to be there.
    fn positions(&mut self, count: usize, size: usize) -> std::slice::ChunksExact<'a, u8> {
        let from = self.at;
        self.at += count * size;
        self.bytes[from..self.at].chunks_exact(size)
    }
}

#[cfg(test)]
mod tests {
    use proptest::prelude::*;

    use super::super::rings::tests::rings;
    use super::*;

    fn bytes(hex: &str) -> Vec<u8> {
        let hex: String = hex.split_whitespace().collect();
        (0..hex.len())
            .step_by(2)
            .map(|i| u8::from_str_radix(&hex[i..i + 2], 16).unwrap())
            .collect()
    }

    /// A polygon of one triangle with `extra` numbers a position.
    fn triangle(code: u32, extra: usize) -> Vec<u8> {
        let mut bytes = vec![1];
        bytes.extend(code.to_le_bytes());
        bytes.extend(1_u32.to_le_bytes());
        bytes.extend(4_u32.to_le_bytes());
        for (x, y) in [(0.0, 0.0), (2.0, 0.0), (2.0, 2.0), (0.0, 0.0_f64)] {
            bytes.extend(f64::to_le_bytes(x));
            bytes.extend(y.to_le_bytes());
            bytes.extend([7; 8].repeat(extra));
        }
        bytes
    }

    fn within(code: u32, parts: &[Vec<u8>]) -> Vec<u8> {
        let mut bytes = vec![1];
        bytes.extend(code.to_le_bytes());
        bytes.extend(u32::try_from(parts.len()).unwrap().to_le_bytes());
        bytes.extend(parts.concat());
        bytes
    }

    #[test]
    fn polygons_of_every_dialect() {
        let expected = rings("0 0,2 0,2 2,0 0");
        for (code, extra) in [
            (3, 0),
            (1003, 1),
            (2003, 1),
            (3003, 2),
            (0x8000_0003, 1),
            (0xc000_0003, 2),
            (17, 0),
        ] {
            let raw = read(&triangle(code, extra)).unwrap().unwrap();
            assert_eq!(
                (raw.rings, raw.is_flattened),
                (expected.clone(), extra > 0),
                "{code}"
            );
        }
        let mut with_srid = triangle(3, 0);
        with_srid[4] = 0x20;
        with_srid.splice(5..5, [0xe6, 0x10, 0, 0]);
        assert_eq!(read(&with_srid).unwrap().unwrap().rings, expected);
        let big = bytes(
            "00 00000003 00000001 00000004 0000000000000000 0000000000000000 4000000000000000
             0000000000000000 4000000000000000 4000000000000000 0000000000000000 0000000000000000",
        );
        assert_eq!(read(&big).unwrap().unwrap().rings, expected);
        let multi = within(6, &[triangle(3, 0), big]);
        assert_eq!(
            read(&multi).unwrap().unwrap().rings,
            rings("0 0,2 0,2 2,0 0&0 0,2 0,2 2,0 0")
        );
        let point = bytes("01 01000000 0000000000000000 0000000000000000");
        let mixed = read(&within(7, &[point.clone(), triangle(3, 0)]))
            .unwrap()
            .unwrap();
        assert!(mixed.has_others && mixed.rings == expected);
        let reason = |bytes: &[u8]| read(bytes).unwrap().unwrap_err();
        assert_eq!(reason(&point), "not_a_polygon");
        assert_eq!(
            reason(&within(4, std::slice::from_ref(&point))),
            "not_a_polygon"
        );
        assert_eq!(reason(&bytes("01 03000000 00000000")), "empty_geometry");
        assert_eq!(reason(&within(7, &[])), "empty_geometry");
        assert_eq!(reason(&within(10, &[within(8, &[])])), "curved_geometry");
    }

    #[test]
    fn damaged() {
        let fails = |bytes: &[u8], expected: &str| {
            let message = read(bytes).map(|_| ()).unwrap_err();
            assert!(message.contains(expected), "{message}");
        };
        let good = triangle(3, 0);
        for end in 0..good.len() {
            assert!(read(&good[..end]).is_err(), "{end}");
        }
        fails(&[2], "byte order");
        fails(&triangle(255, 0), "type is unknown");
        fails(&triangle(4003, 0), "type is unknown");
        let mut many = good.clone();
        many[5..9].copy_from_slice(&u32::MAX.to_le_bytes());
        fails(&many, "larger than what follows");
        let mut long = good;
        long[9..13].copy_from_slice(&u32::MAX.to_le_bytes());
        fails(&long, "larger than what follows");
        let nested = [1, 7, 0, 0, 0, 1, 0, 0, 0].repeat(100_000);
        fails(&nested, "too deeply");
    }

    proptest! {
        #[test]
        fn any_bytes_are_answered(bytes in prop::collection::vec(any::<u8>(), 0..300), at in 0_usize..200, byte: u8) {
            let _ = read(&bytes);
            let mut flipped = within(6, &[triangle(3, 0), triangle(1003, 1)]);
            let at = at % flipped.len();
            flipped[at] = byte;
            let _ = read(&flipped);
        }
    }
}
