//! The names that SQL mentions: columns nobody mentions need not be loaded.

use std::collections::HashSet;

use super::token::{Kind, Token, solid_tokens};

/// Every name that occurs in some SQL; more than are columns, never fewer.
#[derive(Debug, Clone, Default)]
pub struct Mentions {
    /// In lower case.
    names: HashSet<String>,
    /// Columns that are summed, as `names`.
    summed: HashSet<String>,
    /// `select *`, or text that is no SQL: everything may be meant.
    everything: bool,
}

impl Mentions {
    /// Of all pieces together.
    pub fn of<'a>(pieces: impl IntoIterator<Item = &'a str>) -> Self {
        let mut mentions = Self::default();
        for sql in pieces {
            match solid_tokens(sql) {
                Ok(tokens) => mentions.add(&tokens),
                Err(_) => mentions.everything = true,
            }
        }
        mentions
    }

    /// With columns that indicators are the plain sums of.
    #[must_use]
    pub fn and_sums(mut self, columns: impl IntoIterator<Item = String>) -> Self {
        let columns = columns.into_iter().map(|column| column.to_lowercase());
        self.summed.extend(columns);
        self
    }

    /// Every column there is.
    #[must_use]
    pub fn everything() -> Self {
        Self {
            everything: true,
            ..Self::default()
        }
    }

    /// Whether a column of this name may be meant.
    #[must_use]
    pub fn contains(&self, column: &str) -> bool {
        let column = column.to_lowercase();
        self.everything || self.names.contains(&column) || self.summed.contains(&column)
    }

    /// Whether a column of this name is summed and meant in no other way.
    #[must_use]
    pub fn is_only_summed(&self, column: &str) -> bool {
        let column = column.to_lowercase();
        !self.everything && self.summed.contains(&column) && !self.names.contains(&column)
    }

    fn add(&mut self, tokens: &[Token<'_>]) {
        for (i, token) in tokens.iter().enumerate() {
            let before = i.checked_sub(1).map(|i| &tokens[i]);
            self.everything |= is_all_columns(token, before) || token.is_word("natural");
            if let Some(name) = token.name() {
                self.names.insert(name.to_lowercase());
            }
        }
    }
}

/// `*` is a product, the `(*)` of a count, or all columns.
fn is_all_columns(token: &Token<'_>, before: Option<&Token<'_>>) -> bool {
    let Some(before) = before else { return false };
    let opens_a_list = before.kind == Kind::Symbol && matches!(before.text, "," | ".")
        || ["select", "distinct", "all"]
            .iter()
            .any(|word| before.is_word(word));
    token.is_symbol("*") && opens_a_list
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn names_are_found_whatever_their_quotes_and_case() {
        let mentions = Mentions::of(["sum(Votants) / \"Nb Inscrits\"", "[a] || `É`"]);
        for name in ["votants", "VOTANTS", "nb inscrits", "A", "é"] {
            assert!(mentions.contains(name), "{name}");
        }
        assert!(!mentions.contains("exprimes"));
        assert!(!Mentions::of(["'a'"]).contains("a"));
    }

    #[test]
    fn a_star_is_everything_unless_it_multiplies_or_counts() {
        for sql in [
            "(select * from t)",
            "select t.* from t",
            "select a, * from t",
            "t natural join u",
        ] {
            assert!(Mentions::of([sql]).contains("b"), "{sql}");
        }
        for sql in ["a * 2", "count(*)", "sum(a) * sum(c)", "2 * (a * c)"] {
            assert!(!Mentions::of([sql]).contains("b"), "{sql}");
        }
    }
}
