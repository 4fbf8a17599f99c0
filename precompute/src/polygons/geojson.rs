//! GeoJSON (RFC 7946), its `crs` member of 2008, and text sequences of features (RFC 8142, NDJSON).
//!
//! ```text
//! bytes ─▸ Scanner: where each feature begins and ends ─▸ batch of texts ─▸ serde_json, in parallel
//! ```
//! Only a batch of features is in memory at a time, whatever the size of the file.

mod coordinates;
mod feature;
mod scanner;

use serde_json::value::RawValue;

use super::collect::Collector;
use super::{Format, Polygons};
use crate::crs::Crs;
use crate::input_error::{InputError, Place};
use crate::open::OpenedFile;
use scanner::Scanner;

/// Bytes of features parsed at a time.
const BATCH: usize = 8 << 20;

/// Where one feature's text is.
#[derive(Debug, Clone)]
struct Text {
    number: u64,
    /// In the file.
    offset: u64,
    range: std::ops::Range<usize>,
}

/// Reads one file; `given` overrides the CRS it names.
pub(super) fn read(
    file: &OpenedFile,
    format: Format,
    given: Option<&Crs>,
) -> Result<Polygons, InputError> {
    let mut crs = given.cloned();
    loop {
        let mut reading = Reading {
            file,
            format,
            scanner: Scanner::new(file)?,
            collector: None,
            declared: crs.clone(),
            is_given: given.is_some(),
            batch: Vec::new(),
            texts: Vec::new(),
            count: 0,
        };
        match reading.texts() {
            Ok(()) => return reading.finish(),
            Err(Stop::Fault(error)) => return Err(error),
            // The CRS came after features that were read in another: once more from the start.
            Err(Stop::Crs(named)) => crs = Some(named),
        }
    }
}

/// Why reading ends early.
enum Stop {
    Fault(InputError),
    Crs(Crs),
}

impl From<InputError> for Stop {
    fn from(error: InputError) -> Self {
        Self::Fault(error)
    }
}

struct Reading<'a> {
    file: &'a OpenedFile,
    format: Format,
    scanner: Scanner,
    /// From the first feature on, when the CRS is settled.
    collector: Option<Collector>,
    declared: Option<Crs>,
    is_given: bool,
    batch: Vec<u8>,
    texts: Vec<Text>,
    count: u64,
}

impl Reading<'_> {
    fn fault(&self, message: impl Into<String>) -> InputError {
        InputError::new(&*self.file.name, message).at(Place::Byte(self.scanner.offset()))
    }

    /// Every top-level JSON text: one, or many of a sequence.
    fn texts(&mut self) -> Result<(), Stop> {
        let mut texts = 0_u64;
        let mut is_collection = false;
        while let Some(next) = self.scanner.peek_text()? {
            if is_collection || (texts == 1 && self.format == Format::GeoJson && self.count != 1) {
                return Err(self
                    .fault("something follows the end of the GeoJSON text")
                    .into());
            }
            if next != b'{' {
                return Err(self.fault("not GeoJSON: it should start with '{'").into());
            }
            is_collection = self.object()?;
            texts += 1;
        }
        if texts == 0 {
            return Err(self.fault("the file is empty").into());
        }
        Ok(())
    }

    /// One top-level object; true when it is a `FeatureCollection`.
    fn object(&mut self) -> Result<bool, Stop> {
        let start = self.scanner.offset();
        // The object without its features: a Feature whole, or the head of a collection.
        let mut members = vec![b'{'];
        let mut kind = None;
        let mut has_features = false;
        self.scanner.take(b'{')?;
        let mut is_first = true;
        while self.scanner.next_member(&mut is_first)? {
            let key = self.scanner.string()?;
            self.scanner.take(b':')?;
            if key == "features" && kind.as_deref() != Some("Feature") {
                if has_features {
                    return Err(self.fault("member \"features\" comes twice").into());
                }
                has_features = true;
                self.features()?;
                continue;
            }
            let value = self.scanner.value()?;
            if key == "type" {
                kind = serde_json::from_slice::<String>(value).ok();
            }
            if members.len() > 1 {
                members.push(b',');
            }
            members.extend(serde_json::to_vec(&key).unwrap_or_default());
            members.push(b':');
            members.extend_from_slice(value);
            if key == "crs" {
                let value = value.to_vec();
                self.crs_member(&value)?;
            }
        }
        members.push(b'}');
        match kind.as_deref() {
            Some("FeatureCollection") if has_features => Ok(true),
            Some("FeatureCollection") => Err(self
                .fault("the FeatureCollection has no \"features\"")
                .into()),
            Some("Feature") if !has_features => {
                self.push(&members, start)?;
                Ok(false)
            }
            kind => Err(self.fault(wrong_kind(kind)).into()),
        }
    }

    fn features(&mut self) -> Result<(), Stop> {
        self.scanner.take(b'[')?;
        let mut is_first = true;
        while self.scanner.next_element(&mut is_first)? {
            let offset = self.scanner.offset();
            let value = self.scanner.value()?;
            let start = self.batch.len();
            self.batch.extend_from_slice(value);
            self.added(start, offset)?;
        }
        Ok(())
    }

    fn push(&mut self, text: &[u8], offset: u64) -> Result<(), Stop> {
        let start = self.batch.len();
        self.batch.extend_from_slice(text);
        self.added(start, offset)
    }

    fn added(&mut self, start: usize, offset: u64) -> Result<(), Stop> {
        self.count += 1;
        self.texts.push(Text {
            number: self.count,
            offset,
            range: start..self.batch.len(),
        });
        if self.batch.len() >= BATCH {
            self.flush()?;
        }
        Ok(())
    }

    fn flush(&mut self) -> Result<(), InputError> {
        let collector = match &mut self.collector {
            Some(collector) => collector,
            none => {
                let crs = self.declared.clone().unwrap_or_else(Crs::degrees);
                none.insert(Collector::new(&self.file.name, crs, Vec::new())?)
            }
        };
        let (batch, name) = (&self.batch, &*self.file.name);
        collector.add(std::mem::take(&mut self.texts), |text: Text| {
            feature::parse(&batch[text.range.clone()], text.number).map_err(|(message, at)| {
                let byte = text.offset + at as u64;
                InputError::new(name, format!("{message} (byte {byte})"))
                    .at(Place::Feature(text.number))
            })
        })?;
        self.batch.clear();
        Ok(())
    }

    /// `crs` as GeoJSON had it in 2008.
    fn crs_member(&mut self, text: &[u8]) -> Result<(), Stop> {
        if self.is_given || text == b"null" {
            return Ok(());
        }
        let crs = crs_of_member(text).map_err(|message| self.fault(message))?;
        let used = self
            .collector
            .as_ref()
            .map(|collector| collector.crs().name().to_owned());
        match used {
            Some(used) if used != crs.name() => Err(Stop::Crs(crs)),
            _ => {
                self.declared = Some(crs);
                Ok(())
            }
        }
    }

    fn finish(mut self) -> Result<Polygons, InputError> {
        self.flush()?;
        self.collector
            .map_or_else(|| Ok(Polygons::default()), Collector::finish)
    }
}

fn wrong_kind(kind: Option<&str>) -> String {
    let Some(kind) = kind else {
        return "not GeoJSON: it has no \"type\"".to_owned();
    };
    let advice = match kind {
        "Topology" => "TopoJSON is not read: convert it to GeoJSON first",
        "Feature" | "FeatureCollection" => "it should hold either features or a geometry",
        "Polygon" | "MultiPolygon" | "GeometryCollection" | "Point" | "LineString"
        | "MultiPoint" | "MultiLineString" => {
            "a bare geometry has no properties: put it into a Feature"
        }
        _ => "it should be \"FeatureCollection\" or \"Feature\", in this very spelling",
    };
    format!("\"type\" is {kind:?}: {advice}")
}

fn crs_of_member(text: &[u8]) -> Result<Crs, String> {
    #[derive(serde::Deserialize)]
    struct Member<'a> {
        #[serde(borrow, default)]
        properties: Option<Named<'a>>,
    }
    #[derive(serde::Deserialize)]
    struct Named<'a> {
        #[serde(default)]
        name: Option<String>,
        #[serde(borrow, default)]
        code: Option<&'a RawValue>,
    }
    let member: Member = serde_json::from_slice(text)
        .map_err(|e| format!("member \"crs\" is damaged ({e}): name the CRS as crs"))?;
    let named = member.properties.unwrap_or(Named {
        name: None,
        code: None,
    });
    let code = named
        .code
        .map(|code| code.get().trim_matches('"').to_owned());
    let name = named
        .name
        .or(code)
        .ok_or("member \"crs\" names no CRS: name it as crs")?;
    Crs::parse(&name)
}

#[cfg(test)]
mod tests;
