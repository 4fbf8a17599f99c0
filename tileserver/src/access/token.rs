//! JSON Web Tokens: claims of an issuer whose key is in the keys file.
//!
//! One algorithm is pinned, keys are chosen by `kid` from a fixed map, `exp` and `aud` must be
//! there, `nbf` holds if it is. What a header says of other algorithms or key addresses is never
//! looked at.

use jsonwebtoken::{Algorithm, DecodingKey, Validation, decode, decode_header};
use serde::Deserialize;

use super::keys::{Jwt, KeysError, KeysFile, is_name};
use super::{Caller, Layers, Refused, Role};

/// A longer token is refused unread.
const TOKEN_BYTES_MAX: usize = 8 * 1024;

/// Fewest bytes of a shared secret: as many as the hash has (RFC 7518 §3.2).
const SECRET_BYTES_MIN: usize = 32;

/// Seconds by which the issuer's clock may differ.
const LEEWAY: u64 = 5;

#[derive(Debug, Deserialize)]
struct Claims {
    tenant: String,
    role: Role,
    #[serde(default)]
    layers: Layers,
    #[serde(default)]
    hidden: Vec<String>,
    #[serde(default)]
    filter: Option<String>,
}

/// Whether a `[jwt]` section can be used.
pub(super) fn check(jwt: &Jwt) -> Result<(), KeysError> {
    let algorithm = algorithm(jwt).ok_or_else(|| KeysError::Algorithm(jwt.algorithm.clone()))?;
    for (kid, key) in &jwt.keys {
        decoding_key(algorithm, key).ok_or_else(|| KeysError::JwtKey(kid.clone()))?;
    }
    Ok(())
}

/// The caller that a token's claims describe.
pub(super) fn caller(keys: &KeysFile, token: &str) -> Result<Caller, Refused> {
    let jwt = keys.jwt.as_ref().ok_or(Refused)?;
    if token.len() > TOKEN_BYTES_MAX {
        return Err(Refused);
    }
    let algorithm = algorithm(jwt).ok_or(Refused)?;
    let header = decode_header(token).map_err(|_| Refused)?;
    // Whoever does not understand what must be understood refuses it (RFC 7515 §4.1.11); nothing is.
    if header.crit.is_some() {
        return Err(Refused);
    }
    let kid = header.kid.ok_or(Refused)?;
    let key = jwt.keys.get(&kid).ok_or(Refused)?;
    let key = decoding_key(algorithm, key).ok_or(Refused)?;
    let mut validation = Validation::new(algorithm);
    validation.set_audience(&[&jwt.audience]);
    validation.set_required_spec_claims(&["exp", "aud"]);
    validation.validate_nbf = true;
    validation.leeway = LEEWAY;
    let claims = decode::<Claims>(token, &key, &validation)
        .map_err(|_| Refused)?
        .claims;
    if !is_name(&claims.tenant) {
        return Err(Refused);
    }
    Ok(Caller {
        who: format!("token of {kid}"),
        tenant: Some(claims.tenant),
        role: claims.role,
        layers: claims.layers,
        hidden: claims.hidden,
        filter: claims.filter,
        link: None,
    })
}

fn algorithm(jwt: &Jwt) -> Option<Algorithm> {
    match jwt.algorithm.as_str() {
        "HS256" => Some(Algorithm::HS256),
        "RS256" => Some(Algorithm::RS256),
        "ES256" => Some(Algorithm::ES256),
        "EdDSA" => Some(Algorithm::EdDSA),
        _ => None,
    }
}

fn decoding_key(algorithm: Algorithm, key: &str) -> Option<DecodingKey> {
    match algorithm {
        Algorithm::HS256 => {
            (key.len() >= SECRET_BYTES_MIN).then(|| DecodingKey::from_secret(key.as_bytes()))
        }
        Algorithm::RS256 => DecodingKey::from_rsa_pem(key.as_bytes()).ok(),
        Algorithm::ES256 => DecodingKey::from_ec_pem(key.as_bytes()).ok(),
        Algorithm::EdDSA => DecodingKey::from_ed_pem(key.as_bytes()).ok(),
        _ => None,
    }
}
