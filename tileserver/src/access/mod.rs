//! Who is asking: API keys, tokens and signed links, to what their caller may see.
//!
//! ```text
//! Authorization: Bearer … ─▸ api key │ JWT ─┐
//! ?sig=… ───────────────────▸ signed link ──┴▸ Caller ─▸ what a handler may show
//! ```
//!
//! A caller without credentials is the public. Wrong credentials are an error, never the public:
//! who sends a revoked key must learn that it is revoked.

mod keys;
mod link;
mod token;

use std::time::SystemTime;

pub(crate) use keys::midnight;
pub use keys::{Added, KeysError, KeysFile, NewKey, add_key};
pub use link::{Link, LinkError, sign_link};

/// What a caller may see.
#[derive(Debug, Clone, PartialEq, Eq, Default)]
pub struct Caller {
    /// The name of the key, or of what signed the token; empty for the public.
    pub who: String,
    /// The organisation; `None` for the public.
    pub tenant: Option<String>,
    pub role: Role,
    pub layers: Layers,
    /// Indicators that are as if they did not exist.
    pub hidden: Vec<String>,
    /// CQL2 that every request is narrowed by.
    pub filter: Option<String>,
    /// The signed link that the request came by.
    pub link: Option<Link>,
}

/// Which tier of contacts a caller sees.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Default, serde::Serialize, serde::Deserialize)]
#[serde(rename_all = "lowercase")]
pub enum Role {
    /// Staff of the organisation that holds the contacts.
    Inside,
    /// Everybody else.
    #[default]
    Outside,
}

/// Layers by name; `*` stands for all.
#[derive(Debug, Clone, PartialEq, Eq, serde::Serialize, serde::Deserialize)]
#[serde(transparent)]
pub struct Layers(Vec<String>);

impl Default for Layers {
    fn default() -> Self {
        Self(vec!["*".into()])
    }
}

impl Layers {
    #[must_use]
    pub fn contain(&self, layer: &str) -> bool {
        self.0.iter().any(|name| name == "*" || name == layer)
    }
}

impl Caller {
    /// The public of a server without a policy.
    #[must_use]
    pub fn public_of_everything() -> Self {
        Self::default()
    }

    /// Whether the caller may see the contacts of `tenant` as they are.
    #[must_use]
    pub fn is_inside(&self, tenant: &str) -> bool {
        self.role == Role::Inside && self.tenant.as_deref() == Some(tenant)
    }

    /// What sets this caller's answers apart from others', as part of cache keys and `ETag`s. Links
    /// on behalf of one key see alike.
    #[must_use]
    pub fn scope(&self) -> String {
        let Self {
            who: _,
            tenant,
            role,
            layers,
            hidden,
            filter,
            link: _,
        } = self;
        // Debug quotes and escapes every part, so no two callers print alike.
        format!("{tenant:?} {role:?} {layers:?} {hidden:?} {filter:?}")
    }
}

/// Why credentials are refused. The caller is told no more than that.
#[derive(Debug, Clone, Copy, PartialEq, Eq, thiserror::Error)]
#[error("credentials are not valid")]
pub struct Refused;

/// Credentials as they came with a request.
#[derive(Debug, Clone, Copy)]
pub struct Credentials<'a> {
    /// Every `Authorization` header.
    pub authorization: &'a [&'a str],
    /// The `sig` parameter.
    pub sig: Option<&'a str>,
    /// The path asked for.
    pub path: &'a str,
}

/// Who is asking.
///
/// # Errors
/// When there are credentials and they are not valid, or more than one.
pub fn authenticate(
    keys: &KeysFile,
    credentials: Credentials<'_>,
    now: SystemTime,
) -> Result<Caller, Refused> {
    match (credentials.authorization, credentials.sig) {
        ([], None) => Ok(keys.public()),
        ([], Some(sig)) => link::caller(keys, sig, credentials.path, now),
        ([header], None) => {
            let (scheme, secret) = header.split_once(' ').ok_or(Refused)?;
            if !scheme.eq_ignore_ascii_case("bearer") {
                return Err(Refused);
            }
            if secret.starts_with(keys::PREFIX) {
                keys.caller_of_key(secret, now)
            } else {
                token::caller(keys, secret)
            }
        }
        _ => Err(Refused),
    }
}

#[cfg(test)]
mod tests;
