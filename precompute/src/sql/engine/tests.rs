use super::*;

/// An engine with `t (code, votes, rate)` and `u (code, label)`.
fn engine() -> Engine {
    let mut engine = Engine::new("maille.toml", Mentions::everything()).unwrap();
    let number = Value::Number;
    let text = |text: &str| Value::Text(text.into());
    let rows = [
        vec![text("01001"), number(3.0), number(0.5)],
        vec![text("01001"), number(4.0), Value::Null],
        vec![text("2A004"), number(19.0), number(2.25)],
    ];
    let columns = ["code", "votes", "rate"].map(str::to_owned);
    engine
        .load_relation("t", &columns, rows.iter().map(Vec::as_slice))
        .unwrap();
    let rows = [
        vec![text("01001"), text("L'Abergement")],
        vec![number(7.0), Value::Null],
    ];
    let columns = ["code", "nom du lieu"].map(str::to_owned);
    engine
        .load_relation("u", &columns, rows.iter().map(Vec::as_slice))
        .unwrap();
    engine
}

fn one(sql: &str) -> Value {
    let rows = engine().query(sql, "test").expect(sql).rows;
    rows.into_iter().flatten().next().unwrap()
}

fn refused(sql: &str, expected: &str) {
    let error = engine()
        .query(sql, "layer x, column y")
        .expect_err(sql)
        .to_string();
    assert!(
        error.starts_with("maille.toml: layer x, column y: "),
        "{error}"
    );
    assert!(error.contains(expected), "{sql}: {error}");
}

#[test]
fn division_is_real_and_by_zero_missing() {
    assert_eq!(one("select 1/2"), Value::Number(0.5));
    assert_eq!(
        one("select sum(votes)/2 from t where votes < 5"),
        Value::Number(3.5)
    );
    assert_eq!(one("select 7/2/2 - 1"), Value::Number(0.75));
    assert_eq!(one("select count(*)/4 from t"), Value::Number(0.75));
    assert_eq!(one("select 1/0"), Value::Null);
    assert_eq!(one("select 0.0/0.0"), Value::Null);
    assert_eq!(one("select sum(votes)/sum(0) from t"), Value::Null);
}

#[test]
fn whole_numbers_print_as_such() {
    assert_eq!(
        one("select cast(max(votes) as varchar) from t"),
        Value::Text("19".into())
    );
    assert_eq!(
        one("select max(votes) || '' from t"),
        Value::Text("19".into())
    );
    assert_eq!(
        one("select lpad(min(votes), 3, '0') from t"),
        Value::Text("003".into())
    );
    assert_eq!(one("select cast(2.25 as int)"), Value::Number(2.0));
}

#[test]
fn missing_is_never_zero() {
    assert_eq!(one("select sum(rate) from t where votes = 4"), Value::Null);
    assert_eq!(one("select sum(rate) from t"), Value::Number(2.75));
    assert_eq!(one("select median(rate) from t"), Value::Number(1.375));
}

#[test]
fn keys_compare_as_text() {
    assert_eq!(
        one("select votes from t where code = '2A004'"),
        Value::Number(19.0)
    );
    assert_eq!(
        one("select count(*) from t where code = '1001'"),
        Value::Number(0.0)
    );
    assert_eq!(
        one("select \"nom du lieu\" from u where code = '01001'"),
        Value::Text("L'Abergement".into())
    );
}

#[test]
fn windows_subqueries_and_json_work() {
    let share = "select sum(v) filter (where code like '2A%') / sum(v) from \
                 (select code, sum(votes) as v from t group by code)";
    assert_eq!(one(share), Value::Number(19.0 / 26.0));
    let rank = "select rank() over (order by votes desc) from t where votes = 4";
    assert_eq!(one(rank), Value::Number(1.0));
    assert_eq!(
        one("select sum(value) from json_each('[1,2]')"),
        Value::Number(3.0)
    );
    let rows = engine()
        .query("select code, votes from t order by votes", "test")
        .unwrap();
    assert_eq!(rows.columns, ["code", "votes"]);
    assert_eq!(rows.rows.len(), 3);
}

#[test]
fn what_is_not_there_is_named_with_what_is_near() {
    refused(
        "select vots from t",
        "no such column: vots; did you mean votes?",
    );
    refused("select \"vots\" from t", "did you mean votes?");
    refused("select nom from u", "did you mean nom du lieu?");
    refused(
        "select votes from u",
        "no such column: votes (it is a column of t)",
    );
    refused("select 1 from tt", "no such table: tt; did you mean t");
    refused(
        "select population from t",
        "no such column: population; there are code, votes",
    );
    refused("select nosuch(votes) from t", "no such function: nosuch");
    refused("select sum( from t", "syntax error");
    refused("select 'a", "not closed");
    refused("", "not a query");
}

#[test]
fn text_is_never_summed_as_zero() {
    refused("select sum(code) from t", "is text");
    refused("select avg(t.\"code\") from t", "is text");
    refused(
        "select sum(case when votes > 3 then code else 0 end) from t",
        "is text",
    );
    refused("select total(\"nom du lieu\") from u", "is text");
    refused("select median(code) from t", "is text");
    assert_eq!(
        one("select sum(cast(code as real)) from t where votes < 5"),
        Value::Number(2002.0)
    );
    assert_eq!(one("select max(code) from t"), Value::Text("2A004".into()));
    let made = "select sum(code) from (select cast(code as real) as code from t where votes < 5)";
    assert_eq!(one(made), Value::Number(2002.0));
    refused("select sum(9000000000000000000) from t", "make them real");
}

#[test]
fn queries_only_read_their_relations() {
    for sql in [
        "attach 'x.db' as x",
        "detach main",
        "pragma table_list",
        "select * from pragma_table_info('t')",
        "select * from sqlite_schema",
        "select count(*) from sqlite_schema",
        "select count(*) from pragma_table_list",
        "select count(*) from pragma_table_info('t')",
        "select * from dbstat",
        "select load_extension('x')",
        "insert into t values (1, 2, 3)",
        "update t set votes = 0",
        "delete from t",
        "drop table t",
        "create table v (a)",
        "create temp view v as select 1",
        "create virtual table f using fts5(a)",
        "vacuum into 'x.db'",
        "reindex",
        "begin",
        "select random()",
        "select writefile('x', 'y')",
        "select sqlite_version()",
        "select current_timestamp",
        "select date('now')",
        "select strftime('%Y')",
        "select datetime()",
        "select 1; select 2",
        "explain select 1; drop table t",
        "with x as (select 1) delete from t",
        "select ?1",
        "select @a",
    ] {
        assert!(engine().query(sql, "test").is_err(), "{sql}");
    }
    assert_eq!(
        one("select date('2022-04-10', '+1 day')"),
        Value::Text("2022-04-11".into())
    );
    assert_eq!(
        one("select strftime('%Y', '2022-04-10')"),
        Value::Text("2022".into())
    );
}

#[test]
fn work_is_bounded() {
    let mut engine = engine();
    engine.budget = Duration::from_millis(50);
    let endless = "with recursive n(i) as (select 1 union all select i + 1 from n) \
                   select count(*) from n";
    let error = engine.query(endless, "test").unwrap_err().to_string();
    assert!(error.contains("runs too long"), "{error}");
    assert_eq!(
        engine.query("select 1", "test").unwrap().rows.len(),
        1,
        "usable afterwards"
    );
    refused("select length(zeroblob(1000000000))", "too big");
    refused("select length(printf('%.*c', 100000000, 'x'))", "too big");
    refused(&format!("select {}1", "1+".repeat(3_000)), "depth");
    refused(
        &format!("select {}1{}", "(".repeat(5_000), ")".repeat(5_000)),
        "",
    );
    refused("select 1e308 * 10", "too large");
    refused("select x'00ff'", "blob");
    refused("select max(votes) * 9e999 from t", "too large");
}

#[test]
fn relations_are_told_apart() {
    let mut engine = engine();
    let none = || std::iter::empty::<&[Value]>();
    let columns = |names: [&str; 2]| names.map(str::to_owned);
    assert!(
        engine
            .load_relation("t", &columns(["a", "b"]), none())
            .is_err()
    );
    let twins = engine.load_relation("v", &columns(["ID", "id"]), none());
    assert!(twins.unwrap_err().to_string().contains("\"ID\" and \"id\""));
    engine
        .load_relation("w", &columns(["a\"b", "c]"]), none())
        .unwrap();
    assert_eq!(engine.relation_columns("w").unwrap(), ["a\"b", "c]"]);
    engine.drop_relation("w").unwrap();
    assert_eq!(engine.relation_columns("w"), None);
    assert!(engine.query("select * from w", "test").is_err());
    engine
        .load_relation("n", &[], [&[] as &[Value]; 4].into_iter())
        .unwrap();
    let count = engine.query("select count(*) from n", "test").unwrap();
    assert_eq!(count.rows, [[Value::Number(4.0)]]);
}

#[test]
fn an_index_changes_no_answer() {
    let mut engine = engine();
    let sql = "select (select max(code) from t x where x.code = t.code) from t";
    let before = engine.query(sql, "test").unwrap();
    engine.index("t", "code").unwrap();
    assert_eq!(engine.query(sql, "test").unwrap(), before);
    assert!(engine.index("t", "nothing").is_err());
    assert!(engine.index("nothing", "code").is_err());
    engine.drop_relation("t").unwrap();
}
