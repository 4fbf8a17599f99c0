//! The query string: named values, read when asked for, so that unknown ones cost nothing.

use std::borrow::Cow;
use std::convert::Infallible;
use std::str::FromStr;

use axum::extract::FromRequestParts;
use axum::http::request::Parts;

use super::HttpError;

/// A request's query string, still encoded.
#[derive(Debug, Clone, Default)]
pub struct Query(String);

impl Query {
    /// From the text after `?`.
    #[must_use]
    pub fn new(encoded: &str) -> Self {
        Self(encoded.to_owned())
    }

    /// The value of a parameter; an empty one is as good as absent.
    ///
    /// # Errors
    /// A parameter that is given twice, or that is not UTF-8 in percent-encoding.
    pub fn get(&self, name: &'static str) -> Result<Option<Cow<'_, str>>, HttpError> {
        let mut found = None;
        for pair in self.0.split('&') {
            let (key, value) = pair.split_once('=').unwrap_or((pair, ""));
            if !is_named(key, name) {
                continue;
            }
            if found.is_some() {
                return Err(HttpError::parameter(name, "given more than once"));
            }
            let value = decode(value, true)
                .ok_or_else(|| HttpError::parameter(name, "not UTF-8 in percent-encoding"))?;
            found = Some(value);
        }
        Ok(found.filter(|value| !value.is_empty()))
    }

    /// The value of a parameter, parsed; `expected` completes "give …".
    ///
    /// # Errors
    /// As [`Self::get`], and a value that does not parse.
    pub fn parse<T: FromStr>(
        &self,
        name: &'static str,
        expected: &str,
    ) -> Result<Option<T>, HttpError> {
        match self.get(name)? {
            None => Ok(None),
            Some(text) => text
                .parse()
                .map(Some)
                .map_err(|_| HttpError::parameter(name, format!("give {expected}"))),
        }
    }

    /// A finite number.
    ///
    /// # Errors
    /// As [`Self::parse`].
    pub fn number(&self, name: &'static str) -> Result<Option<f64>, HttpError> {
        match self.parse::<f64>(name, "a number")? {
            Some(number) if !number.is_finite() => {
                Err(HttpError::parameter(name, "give a finite number"))
            }
            number => Ok(number),
        }
    }

    /// The items of a comma-separated list, in order and each once.
    ///
    /// # Errors
    /// As [`Self::get`].
    pub fn list(&self, name: &'static str) -> Result<Option<Vec<String>>, HttpError> {
        Ok(self.get(name)?.map(|text| {
            let mut items: Vec<String> = Vec::new();
            for item in text.split(',').map(str::trim) {
                if !item.is_empty() && !items.iter().any(|known| known == item) {
                    items.push(item.to_owned());
                }
            }
            items
        }))
    }

    /// Finite numbers, comma-separated.
    ///
    /// # Errors
    /// As [`Self::get`], and one that is no number.
    pub fn list_of_numbers(&self, name: &'static str) -> Result<Option<Vec<f64>>, HttpError> {
        let Some(text) = self.get(name)? else {
            return Ok(None);
        };
        let number = |item: &str| item.trim().parse().ok().filter(|n: &f64| n.is_finite());
        let numbers: Option<Vec<f64>> = text.split(',').map(number).collect();
        numbers
            .ok_or_else(|| HttpError::parameter(name, "give finite numbers between commas"))
            .map(Some)
    }

    /// The query with one parameter set or replaced, encoded.
    #[must_use]
    pub fn with(&self, name: &str, value: &str) -> String {
        let mut pairs: Vec<&str> = self
            .0
            .split('&')
            .filter(|pair| !pair.is_empty())
            .filter(|pair| !is_named(pair.split('=').next().unwrap_or(pair), name))
            .collect();
        let new = format!("{name}={value}");
        pairs.push(&new);
        pairs.join("&")
    }
}

impl<S: Sync> FromRequestParts<S> for Query {
    type Rejection = Infallible;

    async fn from_request_parts(parts: &mut Parts, _: &S) -> Result<Self, Infallible> {
        Ok(Self::new(parts.uri.query().unwrap_or_default()))
    }
}

fn is_named(key: &str, name: &str) -> bool {
    key == name || (key.contains('%') && decode(key, true).as_deref() == Some(name))
}

/// Percent-decodes; `None` for a broken escape or bytes that are not UTF-8. In a query a plus is
/// a space.
pub(super) fn decode(text: &str, in_query: bool) -> Option<Cow<'_, str>> {
    let escaped = |b: u8| b == b'%' || (in_query && b == b'+');
    if !text.bytes().any(escaped) {
        return Some(Cow::Borrowed(text));
    }
    let mut decoded = Vec::with_capacity(text.len());
    let mut bytes = text.bytes();
    while let Some(byte) = bytes.next() {
        decoded.push(match byte {
            b'%' => hex(bytes.next()?)? << 4 | hex(bytes.next()?)?,
            b'+' if in_query => b' ',
            other => other,
        });
    }
    String::from_utf8(decoded).ok().map(Cow::Owned)
}

fn hex(digit: u8) -> Option<u8> {
    char::from(digit)
        .to_digit(16)
        .and_then(|value| u8::try_from(value).ok())
}

#[cfg(test)]
mod tests {
    use super::*;

    fn get(query: &str) -> Result<Option<String>, HttpError> {
        Query::new(query)
            .get("filter")
            .map(|value| value.map(Cow::into_owned))
    }

    #[test]
    fn values() {
        let text = |query| get(query).unwrap();
        assert_eq!(text(""), None);
        assert_eq!(text("filter"), None);
        assert_eq!(text("filter="), None);
        assert_eq!(text("filters=1&xfilter=2&FILTER=3"), None);
        assert_eq!(text("a=1&filter=x+%2B%3d&b=2").unwrap(), "x +=");
        assert_eq!(text("%66ilter=x=1").unwrap(), "x=1");
        assert_eq!(text("filter=%C3%A9&%=1&%zz").unwrap(), "é");
    }

    #[test]
    fn faults() {
        for query in [
            "filter=a&filter=a",
            "filter=a&%66ilter=b",
            "filter=%",
            "filter=%G1",
            "filter=%4",
            "filter=%FF",
            "filter=%c0%ae",
        ] {
            assert!(get(query).is_err(), "{query}");
        }
    }

    #[test]
    fn lists_and_numbers() {
        let query = Query::new("p=b,a%2C,b,+c&n=1.5&bad=1x&inf=inf");
        assert_eq!(query.list("p").unwrap().unwrap(), ["b", "a", "c"]);
        assert_eq!(query.number("n").unwrap(), Some(1.5));
        assert!(query.number("bad").is_err());
        assert!(query.number("inf").is_err());
    }
}
