use std::time::Instant;
fn cpu() -> f64 {
    let s = std::fs::read_to_string("/proc/self/stat").unwrap();
    let f: Vec<&str> = s.rsplit(')').next().unwrap().split_whitespace().collect();
    (f[11].parse::<f64>().unwrap() + f[12].parse::<f64>().unwrap()) / 100.0
}
fn rss() -> String {
    std::fs::read_to_string("/proc/self/status")
        .unwrap()
        .lines()
        .find(|l| l.starts_with("VmHWM"))
        .unwrap()
        .to_string()
}
fn main() {
    let args: Vec<String> = std::env::args().collect();
    let table = precompute::project::Table {
        name: "t".into(),
        path: args[1].clone().into(),
        format: args.get(3).and_then(|f| {
            (f == "interieur").then_some(precompute::project::TableFormat::Interieur)
        }),
        ..Default::default()
    };
    let select = args.get(2).cloned().unwrap_or("select * from t".into());
    let mentions = precompute::sql::Mentions::of([select.as_str()]);
    let t = Instant::now();
    let (rel, _) = precompute::tables::read(&table, &mentions).unwrap();
    println!(
        "read {:?} cpu {:.2} {} rows {}",
        t.elapsed(),
        cpu(),
        rss(),
        rel[0].rows()
    );
    drop(rel);
    let c0 = cpu();
    let t = Instant::now();
    let mut e = precompute::sql::Engine::new("x", mentions).unwrap();
    e.load_table(&table).unwrap();
    println!("load {:?} cpu {:.2} {}", t.elapsed(), cpu() - c0, rss());
    let c0 = cpu();
    let sel = args
        .get(4)
        .cloned()
        .unwrap_or("select count(*) from t".into());
    println!("{:?}", e.query(&sel, "q").unwrap().rows.len());
    println!("query cpu {:.2} {}", cpu() - c0, rss());
}
