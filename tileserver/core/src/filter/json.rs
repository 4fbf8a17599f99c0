//! cql2-json to the tree of [`super::ast`].
//!
//! Values are kept as slices of the text ([`RawValue`]) and opened one level at a time, so every
//! part knows its byte, nothing recurses before its depth is counted, and a member given twice is
//! seen.

use std::fmt;

use serde::de::{Deserialize, Deserializer, MapAccess, Visitor};
use serde_json::value::RawValue;

use super::ast::{Comparison, Node, NodeKind, Operator, Relation};
use super::date;
use super::error::{Cause, FilterError, excerpt};
use super::fold::Fold;
use super::limits::Budget;
use super::shape::{Position, Shape};

/// Reads a whole filter.
pub(super) fn parse(text: &str) -> Result<Node, FilterError> {
    let budget = Budget::of(text)?;
    let root: &RawValue = serde_json::from_str(text).map_err(|error| invalid(&error, text, 0))?;
    Reader { text, budget }.expression(root)
}

struct Reader<'a> {
    text: &'a str,
    budget: Budget,
}

type Parsed = Result<Node, FilterError>;

impl<'a> Reader<'a> {
    fn at(&self, value: &RawValue) -> usize {
        value.get().as_ptr().addr() - self.text.as_ptr().addr()
    }

    fn open<T: Deserialize<'a>>(&self, value: &'a RawValue) -> Result<T, FilterError> {
        serde_json::from_str(value.get())
            .map_err(|error| invalid(&error, value.get(), self.at(value)))
    }

    fn expression(&mut self, value: &'a RawValue) -> Parsed {
        let at = self.at(value);
        match value.get().as_bytes().first() {
            Some(b'{') => {
                self.budget.enter(at)?;
                let node = self.object(value)?;
                self.budget.leave();
                Ok(node)
            }
            Some(b'"') => {
                self.budget.literal(at)?;
                Ok(NodeKind::Text(self.open(value)?).at(at))
            }
            Some(b't' | b'f') => {
                self.budget.literal(at)?;
                Ok(NodeKind::Boolean(self.open(value)?).at(at))
            }
            Some(b'n') => Err(Cause::Null.at(at)),
            Some(b'[') => Err(self.unexpected("a value or an object", value)),
            _ => {
                self.budget.literal(at)?;
                Ok(NodeKind::Number(self.number(value)?).at(at))
            }
        }
    }

    fn number(&self, value: &'a RawValue) -> Result<f64, FilterError> {
        let parsed = value.get().parse().ok().filter(|n: &f64| n.is_finite());
        parsed.ok_or_else(|| Cause::Number(excerpt(value.get())).at(self.at(value)))
    }

    fn object(&mut self, value: &'a RawValue) -> Parsed {
        let at = self.at(value);
        let Members(members) = self.open(value)?;
        for (i, (name, _)) in members.iter().enumerate() {
            if members[..i].iter().any(|(earlier, _)| earlier == name) {
                return Err(Cause::Duplicate(excerpt(name)).at(at));
            }
        }
        let known = members
            .iter()
            .map(|(n, v)| (n.as_str(), *v))
            .collect::<Vec<_>>();
        match known.as_slice() {
            [("op", op), ("args", args)] | [("args", args), ("op", op)] => {
                self.operation(op, args, at)
            }
            [("property", name)] => {
                self.budget.node(at)?;
                Ok(NodeKind::Property(self.open(name)?).at(at))
            }
            [("date" | "timestamp", instant)] => {
                self.budget.literal(at)?;
                date::checked(self.open(instant)?, self.at(instant)).map(|n| Node { at, ..n })
            }
            [("bbox", bounds)] => self.bbox(bounds, at),
            _ if known.iter().any(|(name, _)| *name == "type") => self.geometry(&known, at),
            _ => Err(self.unexpected(
                "`op` and `args`, `property`, `date`, `bbox` or a geometry",
                value,
            )),
        }
    }

    fn operation(&mut self, op: &'a RawValue, args: &'a RawValue, at: usize) -> Parsed {
        self.budget.node(at)?;
        let op_at = self.at(op);
        let op: String = self.open(op)?;
        let args: Vec<&RawValue> = self.open(args)?;
        if let Some(comparison) = Comparison::parse(&op) {
            let [left, right] = self.operands(&op, &args, at)?;
            return Ok(NodeKind::Compare(comparison, left, right).at(at));
        }
        if op == "-" && args.len() == 1 {
            let [inner] = self.operands(&op, &args, at)?;
            return Ok(NodeKind::Negative(inner).at(at));
        }
        if let Some(operator) = Operator::parse(&op) {
            let [left, right] = self.operands(&op, &args, at)?;
            return Ok(NodeKind::Arithmetic(operator, left, right).at(at));
        }
        if let Some(relation) = Relation::parse(&op) {
            let [left, right] = self.operands(&op, &args, at)?;
            return Ok(NodeKind::Spatial(relation, Box::new([*left, *right])).at(at));
        }
        let kind = match op.to_ascii_lowercase().as_str() {
            "and" => NodeKind::And(self.members(&op, &args, at)?),
            "or" => NodeKind::Or(self.members(&op, &args, at)?),
            "not" => {
                let [inner] = self.operands(&op, &args, at)?;
                NodeKind::Not(inner)
            }
            "isnull" => {
                let [inner] = self.operands(&op, &args, at)?;
                NodeKind::IsNull(inner)
            }
            "like" => {
                let [value, pattern] = self.operands(&op, &args, at)?;
                NodeKind::Like(value, pattern)
            }
            "between" => {
                let [value, low, high] = self.operands(&op, &args, at)?;
                NodeKind::Between(Box::new([*value, *low, *high]))
            }
            "in" => self.membership(&op, &args, at)?,
            "casei" | "accenti" => {
                let [inner] = self.operands(&op, &args, at)?;
                let case = op.eq_ignore_ascii_case("casei");
                let fold = Fold {
                    case,
                    accents: !case,
                };
                NodeKind::Fold(fold, inner)
            }
            _ => return Err(Cause::UnknownOperator(excerpt(&op)).at(op_at)),
        };
        Ok(kind.at(at))
    }

    fn operands<const N: usize>(
        &mut self,
        op: &str,
        args: &[&'a RawValue],
        at: usize,
    ) -> Result<[Box<Node>; N], FilterError> {
        const COUNTS: [&str; 4] = ["0", "1", "2", "3"];
        let operands = args
            .iter()
            .take(N + 1)
            .map(|value| self.expression(value).map(Box::new))
            .collect::<Result<Vec<_>, _>>()?;
        operands.try_into().map_err(|_| {
            Cause::Arguments {
                op: excerpt(op),
                expected: COUNTS[N],
                found: args.len(),
            }
            .at(at)
        })
    }

    fn members(
        &mut self,
        op: &str,
        args: &[&'a RawValue],
        at: usize,
    ) -> Result<Vec<Node>, FilterError> {
        if args.is_empty() {
            return Err(Cause::Arguments {
                op: excerpt(op),
                expected: "2 or more",
                found: 0,
            }
            .at(at));
        }
        args.iter().map(|value| self.expression(value)).collect()
    }

    fn membership(
        &mut self,
        op: &str,
        args: &[&'a RawValue],
        at: usize,
    ) -> Result<NodeKind, FilterError> {
        let &[value, list] = args else {
            return Err(Cause::Arguments {
                op: excerpt(op),
                expected: "2",
                found: args.len(),
            }
            .at(at));
        };
        let value = self.expression(value)?;
        let members: Vec<&RawValue> = self.open(list)?;
        if members.is_empty() {
            return Err(self.unexpected("a list that is not empty", list));
        }
        let members = members
            .into_iter()
            .map(|member| self.expression(member))
            .collect::<Result<_, _>>()?;
        Ok(NodeKind::In(Box::new(value), members))
    }

    fn bbox(&mut self, bounds: &'a RawValue, at: usize) -> Parsed {
        let numbers: Vec<f64> = self.open(bounds)?;
        for _ in &numbers {
            self.budget.literal(at)?;
        }
        let shape = match numbers.as_slice() {
            &[west, south, east, north] | &[west, south, _, east, north, _] => {
                Shape::bbox([west, south, east, north])
            }
            _ => Err("a box has four numbers: west, south, east, north"),
        };
        let shape = shape.map_err(|reason| Cause::Geometry(reason).at(at))?;
        Ok(NodeKind::Geometry(shape).at(at))
    }

    /// A GeoJSON geometry; foreign members are left out.
    fn geometry(&mut self, members: &[(&str, &'a RawValue)], at: usize) -> Parsed {
        let invalid = |reason| Cause::Geometry(reason).at(at);
        let member = |name| {
            let found = members.iter().find(|(n, _)| *n == name);
            found.map(|(_, value)| *value)
        };
        let kind: String = match member("type") {
            Some(value) => self.open(value)?,
            None => String::new(),
        };
        let coordinates = member("coordinates").ok_or(invalid("it has no `coordinates`"))?;
        let shape = match kind.as_str() {
            "Point" => {
                let position = self.open(coordinates)?;
                Shape::points(self.positions(vec![position], at)?)
            }
            "MultiPoint" => Shape::points(self.positions(self.open(coordinates)?, at)?),
            "LineString" => Shape::lines(vec![self.positions(self.open(coordinates)?, at)?]),
            "MultiLineString" => Shape::lines(self.rings(self.open(coordinates)?, at)?),
            "Polygon" => Shape::polygons(vec![self.rings(self.open(coordinates)?, at)?]),
            "MultiPolygon" => {
                let polygons: Vec<Vec<Vec<Vec<f64>>>> = self.open(coordinates)?;
                let polygons = polygons.into_iter().map(|rings| self.rings(rings, at));
                Shape::polygons(polygons.collect::<Result<_, _>>()?)
            }
            "GeometryCollection" => return Err(invalid("collections are not supported")),
            _ => return Err(invalid("its type is not one of GeoJSON's")),
        };
        Ok(NodeKind::Geometry(shape.map_err(invalid)?).at(at))
    }

    fn rings(
        &mut self,
        rings: Vec<Vec<Vec<f64>>>,
        at: usize,
    ) -> Result<Vec<Vec<Position>>, FilterError> {
        rings
            .into_iter()
            .map(|ring| self.positions(ring, at))
            .collect()
    }

    fn positions(
        &mut self,
        positions: Vec<Vec<f64>>,
        at: usize,
    ) -> Result<Vec<Position>, FilterError> {
        positions
            .into_iter()
            .map(|position| {
                self.budget.vertex(at)?;
                match position.as_slice() {
                    &[lon, lat] | &[lon, lat, _] => Ok([lon, lat]),
                    _ => Err(Cause::Geometry("a position has two or three numbers").at(at)),
                }
            })
            .collect()
    }

    fn unexpected(&self, expected: &'static str, value: &RawValue) -> FilterError {
        let found = format!("`{}`", excerpt(value.get()));
        Cause::Unexpected { expected, found }.at(self.at(value))
    }
}

/// The members of an object in the order written, those given twice included.
struct Members<'a>(Vec<(String, &'a RawValue)>);

impl<'de> Deserialize<'de> for Members<'de> {
    fn deserialize<D: Deserializer<'de>>(deserializer: D) -> Result<Self, D::Error> {
        struct Collect;
        impl<'de> Visitor<'de> for Collect {
            type Value = Members<'de>;

            fn expecting(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
                f.write_str("an object")
            }

            fn visit_map<A: MapAccess<'de>>(self, mut map: A) -> Result<Self::Value, A::Error> {
                let mut members = Vec::new();
                while let Some(member) = map.next_entry()? {
                    members.push(member);
                }
                Ok(Members(members))
            }
        }
        deserializer.deserialize_map(Collect)
    }
}

/// The error of a JSON reader over `text`, which starts at byte `at` of the filter.
fn invalid(error: &serde_json::Error, text: &str, at: usize) -> FilterError {
    let before: usize = text
        .split_inclusive('\n')
        .take(error.line().saturating_sub(1))
        .map(str::len)
        .sum();
    let offset = (before + error.column().saturating_sub(1)).min(text.len());
    // The reader's own line and column speak of the part; the position says it better.
    let message = error.to_string();
    let message = message.split(" at line ").next().unwrap_or_default();
    Cause::Json(message.to_owned()).at(at + offset)
}
