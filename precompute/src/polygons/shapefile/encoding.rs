//! In which encoding the texts of a `.dbf` are.

use encoding_rs::{
    BIG5, EUC_KR, Encoding, GBK, IBM866, SHIFT_JIS, UTF_8, WINDOWS_874, WINDOWS_1250, WINDOWS_1251,
    WINDOWS_1252, WINDOWS_1253, WINDOWS_1254, WINDOWS_1255, WINDOWS_1256, WINDOWS_1257,
};

/// The encoding a `.cpg` names, as Esri, GDAL and QGIS write it.
///
/// # Errors
/// When it is none that is read here.
pub(super) fn of_cpg(text: &[u8]) -> Result<&'static Encoding, String> {
    let text = String::from_utf8_lossy(text);
    let label = text.trim_matches(|c: char| c.is_whitespace() || c == '\0' || c == '\u{feff}');
    let plain: String = label
        .chars()
        .filter(char::is_ascii_alphanumeric)
        .map(|c| c.to_ascii_lowercase())
        .collect();
    let page = ["windows", "ansi", "cp", "ibm", "oem"]
        .iter()
        .find_map(|prefix| plain.strip_prefix(prefix))
        .unwrap_or(&plain);
    of_page(page)
        .or_else(|| Encoding::for_label(label.as_bytes()))
        .ok_or_else(|| {
            format!("its .cpg names encoding {label:?}, which is not read: convert it to UTF-8")
        })
}

fn of_page(page: &str) -> Option<&'static Encoding> {
    Some(match page {
        "utf8" | "65001" => UTF_8,
        "1252" | "iso88591" | "88591" | "latin1" | "iso885915" | "885915" => WINDOWS_1252,
        "1250" => WINDOWS_1250,
        "1251" => WINDOWS_1251,
        "1253" => WINDOWS_1253,
        "1254" => WINDOWS_1254,
        "1255" => WINDOWS_1255,
        "1256" => WINDOWS_1256,
        "1257" => WINDOWS_1257,
        "866" => IBM866,
        "874" => WINDOWS_874,
        "932" => SHIFT_JIS,
        "936" => GBK,
        "949" => EUC_KR,
        "950" => BIG5,
        _ => return None,
    })
}

/// The encoding of the language driver byte in the header; none when it says nothing, or one of
/// DOS that is not read here.
pub(super) fn of_language(driver: u8) -> Option<&'static Encoding> {
    of_page(match driver {
        0x03 | 0x57 | 0x58 | 0x59 => "1252",
        0x13 | 0x7b => "932",
        0x26 | 0x65 => "866",
        0x4d | 0x7a => "936",
        0x4e | 0x79 => "949",
        0x4f | 0x78 => "950",
        0x50 | 0x7c => "874",
        0x7d => "1255",
        0x7e => "1256",
        0xc8 => "1250",
        0xc9 => "1251",
        0xca => "1254",
        0xcb => "1253",
        0xcc => "1257",
        _ => return None,
    })
}
