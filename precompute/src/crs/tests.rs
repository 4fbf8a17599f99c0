use proptest::prelude::*;

use super::*;

/// Degrees of a coordinate, or the message.
fn check(crs: &str, (x, y): (f64, f64), (lon, lat): (f64, f64), tolerance: f64) {
    let crs = Crs::parse(crs).unwrap_or_else(|e| panic!("{crs}: {e}"));
    let mut coords = [Coord { x, y }];
    assert!(crs.to_degrees(&mut coords), "{}", crs.name());
    let off = (coords[0].x - lon).hypot(coords[0].y - lat);
    assert!(off <= tolerance, "{}: {coords:?}", crs.name());
}

#[test]
fn known_points() {
    // Of pyproj 3 (PROJ 9) without grids: the same parameters, so the same place.
    for (code, x, y, lon, lat) in [
        (
            2154,
            652_469.02,
            6_862_035.26,
            2.352_199_963,
            48.856_600_005,
        ),
        (
            26915,
            480_000.0,
            4_980_000.0,
            -93.253_639_452,
            44.973_158_998,
        ),
        (
            3035,
            4_000_000.0,
            3_000_000.0,
            5.517_796_212,
            50.024_118_759,
        ),
        (
            2264,
            1_450_000.0,
            550_000.0,
            -80.842_283_387,
            35.247_203_879,
        ),
        (27572, 600_000.0, 2_428_000.0, 2.336_505_663, 48.850_346_593),
        (
            2056,
            2_600_000.0,
            1_200_000.0,
            7.438_632_421,
            46.951_082_772,
        ),
        (
            2193,
            1_750_000.0,
            5_920_000.0,
            174.682_566_926,
            -36.854_022_263,
        ),
        (
            3978,
            1_200_000.0,
            -100_000.0,
            -79.273_678_743,
            46.769_666_608,
        ),
        (3395, 261_600.0, 6_200_000.0, 2.349_992_783, 48.747_592_890),
        (32633, 500_000.0, 5_000_000.0, 15.0, 45.153_477_183),
        (3857, 261_600.803, 6_249_955.279, 2.35, 48.853),
    ] {
        check(&format!("EPSG:{code}"), (x, y), (lon, lat), 2e-8);
    }
    // Other parameters of the same datum: within 5 m, or 12 m for Krovak's.
    for (code, x, y, lon, lat) in [
        (27700, 325_000.0, 673_000.0, -3.202_386_182, 55.944_167_047),
        (28992, 121_000.0, 487_000.0, 4.887_970_765, 52.369_826_210),
        (31370, 150_000.0, 170_000.0, 4.368_752_141, 50.840_411_283),
        (
            5514,
            -740_000.0,
            -1_040_000.0,
            14.454_431_599,
            50.117_740_603,
        ),
    ] {
        check(&format!("EPSG:{code}"), (x, y), (lon, lat), 1.2e-4);
    }
}

#[test]
fn grads_and_other_meridians() {
    // Of pyproj 3, by the same shifts.
    let paris = |x: f64, lon: f64, lat: f64| check("EPSG:4807", (x, 54.0), (lon, lat), 2e-8);
    paris(0.0, 2.336_509_246, 48.599_932_239);
    paris(1.0, 3.236_545_603, 48.599_937_723);
    check(
        "EPSG:4806",
        (0.0, 42.0),
        (12.452_144_618, 42.000_644_357),
        2e-8,
    );
    // Their proj strings do not tell the unit, their WKT does.
    for code in 2_000..=32_767_u16 {
        let is_in_grads = crs_definitions::from_code(code)
            .is_some_and(|def| def.wkt.starts_with("GEOGCS") && def.wkt.contains("\"grad\""));
        assert_eq!(GRADS.contains(&code.into()), is_in_grads, "EPSG:{code}");
    }
}

#[test]
fn poles_are_points_on_maps_around_them() {
    let poles = |crs: &str| Crs::parse(crs).unwrap().poles().len();
    assert!(poles("EPSG:3031") >= 1 && poles("EPSG:3413") >= 1);
    assert!(poles("EPSG:2154") >= 1);
    assert_eq!(
        [poles("EPSG:3857"), poles("EPSG:4326"), poles("EPSG:3395")],
        [0; 3]
    );
}

#[test]
fn spellings_of_a_code() {
    for text in [
        "EPSG:2154",
        "epsg:2154",
        " 2154 ",
        "urn:ogc:def:crs:EPSG::2154",
        "urn:ogc:def:crs:EPSG:6.9:2154",
        "http://www.opengis.net/def/crs/EPSG/0/2154",
        "http://www.opengis.net/gml/srs/epsg.xml#2154",
        "+init=epsg:2154",
    ] {
        assert_eq!(Crs::parse(text).unwrap().name(), "EPSG:2154", "{text}");
    }
    for text in [
        "urn:ogc:def:crs:OGC:1.3:CRS84",
        "OGC:CRS84",
        "EPSG:4326",
        "WGS84",
        "EPSG:4258",
        "EPSG:4269",
    ] {
        assert!(Crs::parse(text).unwrap().is_degrees(), "{text}");
    }
    for text in [
        "3857",
        "EPSG:900913",
        "ESRI:102100",
        crs_definitions::EPSG_3857.proj4,
        crs_definitions::EPSG_3857.wkt,
    ] {
        assert!(Crs::parse(text).unwrap().is_web_mercator(), "{text}");
    }
}

#[test]
fn refusals_say_why() {
    for (text, expected) in [
        ("", "is no CRS"),
        ("Lambert 93", "is no CRS"),
        ("EPSG:99999", "not known here"),
        ("EPSG:1234567890123", "is no CRS"),
        ("EPSG:4267", "needs a shift grid"),
        ("EPSG:27200", "needs a shift grid"),
        ("+proj=longlat +nadgrids=/etc/passwd", "needs a shift grid"),
        ("EPSG:2000", "lies to WGS 84 is not known"),
        ("+proj=nonsense +datum=WGS84", "not a projection known here"),
        ("+proj=geocent +datum=WGS84", "no way back"),
        ("PROJCS[\"x\"", "damaged"),
        ("PROJCS[\"x\"]", "no geographic CRS"),
        ("LOCAL_CS[\"x\"]", "not a CRS of maps"),
        ("VERT_CS[\"x\",UNIT[\"m\",1]]", "not a CRS of maps"),
    ] {
        let message = Crs::parse(text).map(|crs| format!("{crs:?}")).unwrap_err();
        assert!(message.contains(expected), "{text}: {message}");
    }
    let nested = "A[".repeat(100_000);
    assert!(Crs::parse(&nested[..60_000]).is_err());
    assert!(Crs::parse(&nested).is_err());
}

#[test]
fn esri_prj_without_a_code() {
    let nad83 = "GEOGCS[\"GCS_North_American_1983\",DATUM[\"D_North_American_1983\",\
         SPHEROID[\"GRS_1980\",6378137.0,298.257222101]],PRIMEM[\"Greenwich\",0.0],\
         UNIT[\"Degree\",0.0174532925199433]]";
    assert!(Crs::parse(nad83).unwrap().is_degrees());
    let utm = format!(
        "PROJCS[\"NAD_1983_UTM_Zone_15N\",{nad83},PROJECTION[\"Transverse_Mercator\"],\
         PARAMETER[\"False_Easting\",500000.0],PARAMETER[\"False_Northing\",0.0],\
         PARAMETER[\"Central_Meridian\",-93.0],PARAMETER[\"Scale_Factor\",0.9996],\
         PARAMETER[\"Latitude_Of_Origin\",0.0],UNIT[\"Meter\",1.0]]"
    );
    check(
        &utm,
        (480_000.0, 4_980_000.0),
        (-93.253_639_452, 44.973_158_998),
        2e-8,
    );
    // North Carolina in US feet: as EPSG:2264, whose definition is in feet too.
    let feet = format!(
        "PROJCS[\"NAD_1983_StatePlane_North_Carolina_FIPS_3200_Feet\",{nad83},\
         PROJECTION[\"Lambert_Conformal_Conic\"],PARAMETER[\"False_Easting\",2000000.002616666],\
         PARAMETER[\"False_Northing\",0.0],PARAMETER[\"Central_Meridian\",-79.0],\
         PARAMETER[\"Standard_Parallel_1\",34.33333333333334],\
         PARAMETER[\"Standard_Parallel_2\",36.16666666666666],\
         PARAMETER[\"Latitude_Of_Origin\",33.75],UNIT[\"Foot_US\",0.3048006096012192]]"
    );
    let mut expected = [Coord {
        x: 1_450_000.0,
        y: 550_000.0,
    }];
    assert!(Crs::parse("EPSG:2264").unwrap().to_degrees(&mut expected));
    check(
        &feet,
        (1_450_000.0, 550_000.0),
        (expected[0].x, expected[0].y),
        2e-8,
    );
    let web = "PROJCS[\"WGS_1984_Web_Mercator_Auxiliary_Sphere\",GEOGCS[\"GCS_WGS_1984\",\
         DATUM[\"D_WGS_1984\",SPHEROID[\"WGS_1984\",6378137.0,298.257223563]],\
         PRIMEM[\"Greenwich\",0.0],UNIT[\"Degree\",0.0174532925199433]],\
         PROJECTION[\"Mercator_Auxiliary_Sphere\"],PARAMETER[\"False_Easting\",0.0],\
         PARAMETER[\"False_Northing\",0.0],PARAMETER[\"Central_Meridian\",0.0],\
         PARAMETER[\"Standard_Parallel_1\",0.0],PARAMETER[\"Auxiliary_Sphere_Type\",0.0],UNIT[\"Meter\",1.0]]";
    assert!(Crs::parse(web).unwrap().is_web_mercator());
    let nad27 = nad83.replace("North_American_1983", "North_American_1927");
    assert!(Crs::parse(&nad27).unwrap_err().contains("shift grid"));
    let unknown = nad83
        .replace("North_American_1983", "Somewhere")
        .replace("298.257222101", "294.9");
    assert!(Crs::parse(&unknown).unwrap_err().contains("Somewhere"));
}

/// Every EPSG definition whose WKT, without its codes, we translate, against its proj string.
#[test]
fn wkt_and_proj_strings_agree() {
    let mut compared = 0;
    for code in 2_000..=32_767_u16 {
        let Some(def) = crs_definitions::from_code(code) else {
            continue;
        };
        let Ok(by_code) = Crs::from_proj_string(def.proj4) else {
            continue;
        };
        // PROJ's "clrk80" is another Clarke 1880 than EPSG's.
        if !by_code.is_projected() || by_code.is_web_mercator() || def.proj4.contains("clrk80 ") {
            continue;
        }
        let without_codes: Vec<&str> = def.wkt.split(",AUTHORITY[").collect();
        let mut wkt = without_codes[0].to_owned();
        for part in &without_codes[1..] {
            wkt.push_str(part.split_once(']').map_or("", |(_, rest)| rest));
        }
        if let Some(extension) = wkt.find(",EXTENSION[") {
            wkt.truncate(extension);
            wkt.push(']');
        }
        let Ok(by_wkt) = Crs::parse(&wkt) else {
            continue;
        };
        // A point near the middle of its area: the false origin, a little off.
        let numbers = |key: &str| {
            let (_, rest) = def.proj4.split_once(key)?;
            rest.split_whitespace().next()?.parse::<f64>().ok()
        };
        let south = if def.proj4.contains("+south") {
            1e7
        } else {
            0.0
        };
        let unit = match &by_code.kind {
            Kind::Other(proj) => proj.to_meter(),
            _ => 1.0,
        };
        let at = Coord {
            x: (numbers("+x_0=").unwrap_or(500_000.0) + 12_345.0) / unit,
            y: (numbers("+y_0=").unwrap_or(south) + 23_456.0) / unit,
        };
        let (mut a, mut b) = ([at], [at]);
        if !by_code.to_degrees(&mut a) {
            continue;
        }
        assert!(by_wkt.to_degrees(&mut b), "EPSG:{code}");
        let off = (a[0].x - b[0].x).hypot(a[0].y - b[0].y);
        assert!(off < 2e-6, "EPSG:{code}: {a:?} {b:?}\n{}\n{wkt}", def.proj4);
        compared += 1;
    }
    assert!(compared > 3_000, "{compared}");
}

proptest! {
    #[test]
    fn any_text_is_answered(text in "[A-Za-z+=\\[\\]\",.0-9 _:-]{0,200}") {
        let _ = Crs::parse(&text);
        let _ = Crs::parse(&format!("+proj={text}"));
        let _ = Crs::parse(&format!("PROJCS[\"a\",GEOGCS[{text}"));
    }
}
