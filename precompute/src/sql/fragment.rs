//! Whether a piece of SQL of the project file can stand inside a query.

use super::token::{Kind, tokens};

/// The longest piece of SQL a project file may hold.
const BYTES_MAX: usize = 64 << 10;

/// The deepest parentheses.
const DEPTH_MAX: usize = 100;

/// Refuses what would change the query around it: unbalanced parentheses, `;`, an open comment.
///
/// # Errors
/// Says what is wrong; whether names exist is for the query to find out.
pub fn check_fragment(sql: &str) -> Result<(), String> {
    if sql.len() > BYTES_MAX {
        return Err(format!("the SQL is longer than {BYTES_MAX} bytes"));
    }
    let tokens = tokens(sql).map_err(|e| format!("not SQL: {e}"))?;
    let mut depth = 0_usize;
    for token in &tokens {
        match token.kind {
            Kind::Open if depth == DEPTH_MAX => {
                return Err(format!(
                    "more than {DEPTH_MAX} parentheses inside each other"
                ));
            }
            Kind::Open => depth += 1,
            Kind::Close if depth == 0 => return Err("a `)` closes nothing".into()),
            Kind::Close => depth -= 1,
            _ if token.is_symbol(";") => {
                return Err("one expression is expected: remove the `;`".into());
            }
            _ => {}
        }
    }
    if depth > 0 {
        return Err(format!("{depth} `(` are not closed"));
    }
    if tokens.iter().all(|token| token.kind == Kind::Blank) {
        return Err("the SQL is empty".into());
    }
    let ends_in_comment = |last: &str| last.starts_with("--") && !last.ends_with('\n');
    if tokens.last().is_some_and(|last| ends_in_comment(last.text)) {
        return Err("the SQL ends in a comment: put it on a line of its own".into());
    }
    Ok(())
}

#[cfg(test)]
mod tests {
    use super::check_fragment;

    #[test]
    fn only_what_stands_alone_is_accepted() {
        for sql in [
            "sum(a)",
            "(select 1)",
            "a -- note\n",
            "';)' || \"(\"",
            "/* ( */ 1",
        ] {
            assert_eq!(check_fragment(sql), Ok(()), "{sql}");
        }
        let deep = format!("{}1{}", "(".repeat(101), ")".repeat(101));
        for sql in [
            "",
            " ",
            "-- a\n",
            "a)",
            "(a",
            "a; drop",
            "a -- note",
            "'a",
            &deep,
        ] {
            assert!(check_fragment(sql).is_err(), "{sql}");
        }
    }
}
