//! What the public may see, as the server's keys file says under `[public]`.

use std::fs;
use std::path::Path;

use anyhow::Context as _;
use serde::Deserialize;

/// See the module; without a file everything is public.
#[derive(Debug, Clone, Default, Deserialize)]
pub struct Policy {
    layers: Option<Vec<String>>,
    #[serde(default)]
    hidden: Vec<String>,
}

/// Of a keys file the part that is no secret; the server checks the rest.
#[derive(Deserialize)]
struct KeysFile {
    #[serde(default)]
    public: Policy,
}

impl Policy {
    /// # Errors
    /// When the file cannot be read, or is no keys file.
    pub fn read(path: &Path) -> anyhow::Result<Self> {
        let named = || path.display().to_string();
        let text = fs::read_to_string(path).with_context(named)?;
        // What is wrong with the file must not show what it says.
        let read = toml::from_str::<KeysFile>(&text).map(|file| file.public);
        read.map_err(|_| anyhow::anyhow!("its `[public]` is not valid: see `tileserver keys`"))
            .with_context(named)
    }

    pub(super) fn shows_layer(&self, name: &str) -> bool {
        let listed = |layers: &Vec<String>| layers.iter().any(|l| l == "*" || l == name);
        self.layers.as_ref().is_none_or(listed)
    }

    pub(super) fn shows_indicator(&self, name: &str) -> bool {
        !self.hidden.iter().any(|hidden| hidden == name)
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    fn policy(text: &str) -> Policy {
        toml::from_str::<KeysFile>(text).unwrap().public
    }

    #[test]
    fn what_is_not_forbidden_is_public() {
        let open = policy("secret = \"00\"\n[[key]]\nname = \"a\"\n");
        assert!(open.shows_layer("a") && open.shows_indicator("income"));
        let narrow = policy("[public]\nlayers = [\"a\"]\nhidden = [\"income\"]\n");
        assert!(narrow.shows_layer("a") && !narrow.shows_layer("b"));
        assert!(narrow.shows_indicator("votes") && !narrow.shows_indicator("income"));
        assert!(policy("[public]\nlayers = [\"*\"]\n").shows_layer("b"));
        assert!(!policy("[public]\nlayers = []\n").shows_layer("a"));
    }
}
