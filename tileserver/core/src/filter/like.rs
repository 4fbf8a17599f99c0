//! LIKE: `%` stands for any text, `_` for one character, `\` makes the next character itself.

use super::fold::Fold;

/// A pattern in normal form: `%%` is `%`, and `_` stands before the `%` it touches.
#[derive(Debug, Clone, PartialEq, Eq)]
pub(super) struct Pattern {
    parts: Vec<Part>,
}

#[derive(Debug, Clone, PartialEq, Eq)]
enum Part {
    Literal(String),
    /// So many characters.
    One(usize),
    Any,
}

/// The pattern ends in the middle of an escape.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub(super) struct OpenEscape;

impl Pattern {
    /// Literal parts are folded, wildcards kept.
    pub(super) fn parse(raw: &str, fold: Fold) -> Result<Self, OpenEscape> {
        let mut pattern = Self { parts: Vec::new() };
        let mut literal = String::new();
        let mut chars = raw.chars();
        while let Some(c) = chars.next() {
            match c {
                '%' | '_' => {
                    pattern.push_literal(&mut literal, fold);
                    pattern.push_wildcard(c == '%');
                }
                '\\' => literal.push(chars.next().ok_or(OpenEscape)?),
                _ => literal.push(c),
            }
        }
        pattern.push_literal(&mut literal, fold);
        Ok(pattern)
    }

    fn push_literal(&mut self, literal: &mut String, fold: Fold) {
        let folded = fold.apply(literal);
        literal.clear();
        if folded.is_empty() {
            return;
        }
        match self.parts.last_mut() {
            // Only where folding emptied what stood between.
            Some(Part::Literal(last)) => last.push_str(&folded),
            _ => self.parts.push(Part::Literal(folded)),
        }
    }

    fn push_wildcard(&mut self, any: bool) {
        let after_any = self.parts.last() == Some(&Part::Any);
        match (any, after_any) {
            (true, true) => {}
            (true, false) => self.parts.push(Part::Any),
            (false, true) => {
                self.parts.pop();
                self.push_wildcard(false);
                self.parts.push(Part::Any);
            }
            (false, false) => match self.parts.last_mut() {
                Some(Part::One(count)) => *count += 1,
                _ => self.parts.push(Part::One(1)),
            },
        }
    }

    /// The one text that matches, where there are no wildcards.
    pub(super) fn exact(&self) -> Option<&str> {
        match self.parts.as_slice() {
            [] => Some(""),
            [Part::Literal(text)] => Some(text),
            _ => None,
        }
    }

    /// What every matching text starts with.
    pub(super) fn prefix(&self) -> &str {
        match self.parts.first() {
            Some(Part::Literal(text)) => text,
            _ => "",
        }
    }

    /// As LIKE takes it.
    pub(super) fn raw(&self) -> String {
        let mut raw = String::new();
        for part in &self.parts {
            match part {
                Part::Any => raw.push('%'),
                Part::One(count) => raw.extend(std::iter::repeat_n('_', *count)),
                Part::Literal(text) => {
                    for c in text.chars() {
                        if matches!(c, '%' | '_' | '\\') {
                            raw.push('\\');
                        }
                        raw.push(c);
                    }
                }
            }
        }
        raw
    }

    /// Whether the whole of `text` matches. Each run between two `%` is looked for once, from
    /// where the previous ended: the leftmost place is always good enough.
    pub(super) fn matches(&self, text: &str) -> bool {
        let mut runs = self.parts.split(|part| *part == Part::Any);
        let first = runs.next().unwrap_or_default();
        let Some(mut rest) = after(first, text) else {
            return false;
        };
        let Some(last) = runs.next_back() else {
            return rest.is_empty();
        };
        for run in runs {
            match find(run, rest) {
                Some(after) => rest = after,
                None => return false,
            }
        }
        ends(last, rest)
    }
}

/// What follows `run` at the start of `text`.
fn after<'t>(run: &[Part], text: &'t str) -> Option<&'t str> {
    run.iter().try_fold(text, |rest, part| match part {
        Part::Literal(literal) => rest.strip_prefix(literal.as_str()),
        Part::One(count) => skip(rest, *count),
        Part::Any => Some(rest),
    })
}

fn skip(text: &str, count: usize) -> Option<&str> {
    match text.char_indices().nth(count) {
        Some((at, _)) => Some(&text[at..]),
        None => (text.chars().count() == count).then_some(""),
    }
}

/// What follows the leftmost `run` in `text`.
fn find<'t>(run: &[Part], text: &'t str) -> Option<&'t str> {
    if let [Part::Literal(literal)] = run {
        return text
            .find(literal.as_str())
            .map(|at| &text[at + literal.len()..]);
    }
    let starts = text.char_indices().map(|(at, _)| at).chain([text.len()]);
    starts
        .map(|at| &text[at..])
        .find_map(|rest| after(run, rest))
}

/// Whether `text` ends with `run`.
fn ends(run: &[Part], text: &str) -> bool {
    let rest = run.iter().rev().try_fold(text, |rest, part| match part {
        Part::Literal(literal) => rest.strip_suffix(literal.as_str()),
        Part::One(count) => {
            let (at, _) = rest.char_indices().nth_back(count - 1)?;
            Some(&rest[..at])
        }
        Part::Any => Some(rest),
    });
    rest.is_some()
}

#[cfg(test)]
mod tests {
    use proptest::prelude::*;

    use super::*;

    fn plain(raw: &str) -> Pattern {
        Pattern::parse(raw, Fold::default()).unwrap()
    }

    /// The definition, character by character.
    fn matches_slowly(pattern: &[char], text: &[char]) -> bool {
        match pattern {
            [] => text.is_empty(),
            ['%', rest @ ..] => (0..=text.len()).any(|n| matches_slowly(rest, &text[n..])),
            ['_', rest @ ..] => !text.is_empty() && matches_slowly(rest, &text[1..]),
            ['\\', c, rest @ ..] | [c, rest @ ..] => {
                text.first() == Some(c) && matches_slowly(rest, &text[1..])
            }
        }
    }

    proptest! {
        #[test]
        fn agrees_with_the_definition(raw in "[a%_é]{0,8}(\\\\[%_a\\\\])?[ab%]{0,3}", text in "[aéb%_\\\\]{0,9}") {
            let chars = |s: &str| s.chars().collect::<Vec<_>>();
            let pattern = plain(&raw);
            prop_assert_eq!(pattern.matches(&text), matches_slowly(&chars(&raw), &chars(&text)));
            prop_assert_eq!(plain(&pattern.raw()), pattern);
        }
    }

    #[test]
    fn normal_form() {
        assert_eq!(plain("%%_%a%_"), plain("_%a_%"));
        assert_eq!(plain(r"\%a").exact(), Some("%a"));
        assert_eq!(Pattern::parse(r"a\", Fold::default()), Err(OpenEscape));
    }

    #[test]
    fn many_wildcards_end() {
        let text = "a".repeat(10_000);
        let pattern = plain(&format!("{}b", "%a".repeat(4_000)));
        // A matcher that goes back would not end in a lifetime.
        assert!(!pattern.matches(&text));
    }
}
