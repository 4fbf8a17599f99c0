//! The keys file: who may see what, and the hashes of their keys.
//!
//! ```toml
//! secret = "…"                          # keys the hashes and signed links; made by `keys add`
//!
//! [public]                              # optional: what the public may see
//! layers = ["*"]
//! hidden = ["income"]                   # indicators as if they did not exist
//!
//! [[key]]
//! name = "campaign app"
//! hash = "…"                            # BLAKE3 of the key, keyed with the secret
//! tenant = "demo"
//! role = "inside"                       # inside | outside
//! layers = ["*"]
//! filter = "departement = '75'"         # every request is narrowed by it
//! expires = 2027-01-01
//!
//! [jwt]                                 # optional: tokens of your own issuer
//! algorithm = "HS256"                   # HS256 | RS256 | ES256 | EdDSA; no other is accepted
//! audience = "maille"
//!   [jwt.keys]
//!   main = "…"                          # by `kid`: a shared secret of 32 bytes or more, or a PEM
//! ```

use std::collections::BTreeMap;
use std::time::{Duration, SystemTime, UNIX_EPOCH};

use blake3::Hash;
use serde::{Deserialize, Serialize};

use super::{Caller, Layers, Refused, Role};

/// What every API key starts with: leaked ones are found by scanners, and no JWT looks so.
pub(super) const PREFIX: &str = "maille_";

/// Random bytes in a key and in the secret.
const KEY_BYTES: usize = 32;

/// A parsed keys file.
#[derive(Debug, Clone, Default, Serialize, Deserialize)]
#[serde(deny_unknown_fields)]
pub struct KeysFile {
    /// 64 hexadecimal digits; empty before the first key.
    #[serde(default)]
    secret: String,
    #[serde(default, skip_serializing_if = "Option::is_none")]
    public: Option<Public>,
    #[serde(default, rename = "key")]
    keys: Vec<Key>,
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub(super) jwt: Option<Jwt>,
}

#[derive(Debug, Clone, Default, PartialEq, Eq, Serialize, Deserialize)]
#[serde(deny_unknown_fields)]
struct Public {
    #[serde(default)]
    layers: Layers,
    #[serde(default)]
    hidden: Vec<String>,
}

#[derive(Debug, Clone, Serialize, Deserialize)]
#[serde(deny_unknown_fields)]
struct Key {
    name: String,
    hash: String,
    tenant: String,
    role: Role,
    #[serde(default)]
    layers: Layers,
    #[serde(default, skip_serializing_if = "Vec::is_empty")]
    hidden: Vec<String>,
    #[serde(default, skip_serializing_if = "Option::is_none")]
    filter: Option<String>,
    #[serde(default, skip_serializing_if = "Option::is_none")]
    expires: Option<toml::value::Datetime>,
}

#[derive(Debug, Clone, Serialize, Deserialize)]
#[serde(deny_unknown_fields)]
pub(super) struct Jwt {
    pub(super) algorithm: String,
    pub(super) audience: String,
    /// By `kid`.
    pub(super) keys: BTreeMap<String, String>,
}

/// What `keys add` is asked for.
#[derive(Debug, Clone)]
pub struct NewKey {
    pub name: String,
    pub tenant: String,
    pub role: Role,
}

/// A file with one more key, and the key itself, which is stored nowhere.
#[derive(Debug)]
pub struct Added {
    pub file: KeysFile,
    pub key: String,
}

/// Why a keys file is refused.
#[derive(Debug, thiserror::Error)]
#[expect(missing_docs, reason = "the message documents the variant")]
pub enum KeysError {
    #[error("the keys file is not valid: {0}")]
    Toml(#[from] toml::de::Error),
    #[error("`secret` must be 64 hexadecimal digits")]
    Secret,
    #[error("key {0:?}: `hash` must be 64 hexadecimal digits")]
    Hash(String),
    #[error("key {0:?}: `tenant` must be lower-case letters, digits, `_` and `-`")]
    Tenant(String),
    #[error("key {0:?}: `expires` must be a date, as 2027-01-01")]
    Expires(String),
    #[error("a key named {0:?} is already there: give another --name")]
    Taken(String),
    #[error("`jwt.algorithm` {0:?} is none of HS256, RS256, ES256, EdDSA")]
    Algorithm(String),
    #[error(
        "`jwt.keys.{0}` does not fit the algorithm: HS256 takes 32 bytes or more, others a PEM"
    )]
    JwtKey(String),
    #[error("the operating system gives no random bytes")]
    Random,
}

impl KeysError {
    /// A word for the log, which is not told what the file says.
    #[must_use]
    pub fn kind(&self) -> &'static str {
        match self {
            Self::Toml(_) => "toml",
            Self::Secret => "secret",
            Self::Hash(_) => "hash",
            Self::Tenant(_) => "tenant",
            Self::Expires(_) => "expires",
            Self::Taken(_) => "name",
            Self::Algorithm(_) | Self::JwtKey(_) => "jwt",
            Self::Random => "random",
        }
    }
}

/// A keys file's text with one key more, comments and all; and the key.
///
/// # Errors
/// When the file is not valid, the name is taken, or there are no random bytes.
pub fn add_key(text: &str, new: NewKey) -> Result<(String, String), KeysError> {
    #[derive(Serialize)]
    struct Block<'a> {
        key: &'a [Key],
    }
    let before = KeysFile::parse(text)?;
    let had_secret = !before.secret.is_empty();
    let Added { file, key } = before.with_key(new)?;
    let last = file.keys.len().saturating_sub(1);
    let block = toml::to_string(&Block {
        key: &file.keys[last..],
    });
    let block = block.map_err(|_| KeysError::Secret)?;
    let mut out = String::new();
    if !had_secret {
        out = format!("secret = \"{}\"\n\n", file.secret);
    }
    out.push_str(text);
    if !out.ends_with('\n') {
        out.push('\n');
    }
    out.push_str(&block);
    KeysFile::parse(&out)?;
    Ok((out, key))
}

impl KeysFile {
    /// Parses and checks a file.
    ///
    /// # Errors
    /// When it is not one: no key of a doubtful file is accepted.
    pub fn parse(text: &str) -> Result<Self, KeysError> {
        let file: Self = toml::from_str(text)?;
        if !file.keys.is_empty() || !file.secret.is_empty() {
            Hash::from_hex(&file.secret).map_err(|_| KeysError::Secret)?;
        }
        for key in &file.keys {
            Hash::from_hex(&key.hash).map_err(|_| KeysError::Hash(key.name.clone()))?;
            if !is_name(&key.tenant) {
                return Err(KeysError::Tenant(key.name.clone()));
            }
            if key.expires.is_some_and(|date| midnight(date).is_none()) {
                return Err(KeysError::Expires(key.name.clone()));
            }
        }
        if let Some(jwt) = &file.jwt {
            super::token::check(jwt)?;
        }
        Ok(file)
    }

    /// Adds a key made of random bytes, and the secret with the first one.
    ///
    /// # Errors
    /// When the name is taken, or there are no random bytes.
    pub fn with_key(mut self, new: NewKey) -> Result<Added, KeysError> {
        if self.keys.iter().any(|key| key.name == new.name) {
            return Err(KeysError::Taken(new.name));
        }
        if !is_name(&new.tenant) {
            return Err(KeysError::Tenant(new.name));
        }
        if self.secret.is_empty() {
            self.secret = random_hex()?;
        }
        let key = format!("{PREFIX}{}", random_hex()?);
        let hash = self.hash(&key).ok_or(KeysError::Secret)?;
        self.keys.push(Key {
            name: new.name,
            hash: hash.to_hex().to_string(),
            tenant: new.tenant,
            role: new.role,
            layers: Layers::default(),
            hidden: Vec::new(),
            filter: None,
            expires: None,
        });
        Ok(Added { file: self, key })
    }

    /// The caller without credentials.
    #[must_use]
    pub fn public(&self) -> Caller {
        let public = self.public.clone().unwrap_or_default();
        Caller {
            layers: public.layers,
            hidden: public.hidden,
            ..Caller::default()
        }
    }

    /// The caller that holds `key`. Every stored hash is compared, each in constant time.
    pub(super) fn caller_of_key(&self, key: &str, now: SystemTime) -> Result<Caller, Refused> {
        let hash = self.hash(key).ok_or(Refused)?;
        let mut found = None;
        for stored in &self.keys {
            // `Hash` compares in constant time.
            if Hash::from_hex(&stored.hash).is_ok_and(|stored| stored == hash) {
                found = Some(stored);
            }
        }
        found.ok_or(Refused)?.caller(now)
    }

    /// The caller whose key has this id.
    pub(super) fn caller_of_id(&self, id: &str, now: SystemTime) -> Result<Caller, Refused> {
        let key = self.keys.iter().find(|key| key.id().as_deref() == Some(id));
        key.ok_or(Refused)?.caller(now)
    }

    /// The id of the key of this name.
    pub(super) fn id_of_name(&self, name: &str) -> Option<String> {
        self.keys.iter().find(|key| key.name == name)?.id()
    }

    fn hash(&self, key: &str) -> Option<Hash> {
        Some(blake3::keyed_hash(&self.secret_bytes()?, key.as_bytes()))
    }

    /// `None` in a file without a secret.
    pub(super) fn secret_bytes(&self) -> Option<[u8; KEY_BYTES]> {
        Hash::from_hex(&self.secret)
            .ok()
            .map(|hash| *hash.as_bytes())
    }
}

impl Key {
    /// What names the key to everybody: a part of its hash, from which nothing else follows.
    fn id(&self) -> Option<String> {
        let hash = Hash::from_hex(&self.hash).ok()?.to_hex();
        Some(hash.as_str()[..16].to_owned())
    }

    fn caller(&self, now: SystemTime) -> Result<Caller, Refused> {
        let alive = self
            .expires
            .is_none_or(|date| midnight(date).is_some_and(|end| now < end));
        if !alive {
            return Err(Refused);
        }
        Ok(Caller {
            who: self.name.clone(),
            tenant: Some(self.tenant.clone()),
            role: self.role,
            layers: self.layers.clone(),
            hidden: self.hidden.clone(),
            filter: self.filter.clone(),
            link: None,
        })
    }
}

/// Lower-case letters, digits, `_` and `-`: what may become part of a path.
pub(super) fn is_name(text: &str) -> bool {
    !text.is_empty()
        && text.len() <= 64
        && text
            .bytes()
            .all(|b| matches!(b, b'a'..=b'z' | b'0'..=b'9' | b'_' | b'-'))
}

/// The start of a date in UTC; `None` for a time or a date out of the calendar.
pub(crate) fn midnight(datetime: toml::value::Datetime) -> Option<SystemTime> {
    let date = datetime.date.filter(|_| datetime.time.is_none())?;
    // Days from 1970-01-01 (Howard Hinnant, "chrono-compatible low-level date algorithms").
    let (y, m, d) = (
        i64::from(date.year),
        i64::from(date.month),
        i64::from(date.day),
    );
    let y = if m <= 2 { y - 1 } else { y };
    let (era, year_of_era) = (y.div_euclid(400), y.rem_euclid(400));
    let day_of_year = (153 * ((m + 9) % 12) + 2) / 5 + d - 1;
    let day_of_era = year_of_era * 365 + year_of_era / 4 - year_of_era / 100 + day_of_year;
    let days = era * 146_097 + day_of_era - 719_468;
    let seconds = u64::try_from(days).ok()?.checked_mul(86_400)?;
    UNIX_EPOCH.checked_add(Duration::from_secs(seconds))
}

fn random_hex() -> Result<String, KeysError> {
    let mut bytes = [0; KEY_BYTES];
    getrandom::fill(&mut bytes).map_err(|_| KeysError::Random)?;
    Ok(Hash::from_bytes(bytes).to_hex().to_string())
}
