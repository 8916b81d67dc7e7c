//! Lists: cleaned and compared in a page against another library that does the same, and a large account packed at the
//! pace that a server's limits allow.

use std::fs;
use std::time::Instant;

use end_to_end::{Browser, Kind, Options, Servers, repository};
use packed_trunk::job::budget::is_page;
use packed_trunk::job::pack::part::Part;
use packed_trunk::job::pack::{Pack, Scope};
use packed_trunk::job::save::{Next, Save};
use serde_json::json;
use stand_in::Side;

use crate::Measure;
use crate::messages::common::NativeParser;
use crate::messages::common::moving::Teller;

const ROWS: usize = 20_000;
const FOLLOWERS: usize = 200_000;
/// Odd, so that there is a middle one.
const ROUNDS: usize = 9;

/// What people write: capitals, leading signs, spaces, doubles; a tenth of them is there already.
fn follows() -> (String, String) {
    let head = "Account address,Show boosts,Notify on new posts,Languages\n";
    let (mut want, mut have) = (head.to_owned(), head.to_owned());
    for n in 0..ROWS {
        let (user, server) = (n * 7 % ROWS, n % 613);
        let row = match n % 10 {
            0 => format!("@Person_{user}@Server{server}.Example,true,false,\n"),
            1 => format!("person_{user}@server{server}.example,false,true,\"de, fr\"\n"),
            2 => format!(" person_{user}@server{server}.example ,true,false,\n"),
            3 => format!("person_{}@server{}.example,true,false,\n", (n - 1) * 7 % ROWS, (n - 1) % 613),
            _ => format!("person_{user}@server{server}.example,true,false,\n"),
        };
        want.push_str(&row);
        if n % 10 == 4 {
            have.push_str(&row);
        }
    }
    (want, have)
}

/// The same in JavaScript, with PapaParse for reading and writing: handles compared in lower case and punycode, settings
/// and languages kept where they can be read, each row that is left out with its line and the reason.
const THE_OTHER: &str = "
    const flag = cell => {
        const word = (cell ?? '').trim().toLowerCase();
        return word === 'true' || word === '1' ? true : word === 'false' || word === '0' ? false : null;
    };
    const host = domain => {
        const text = domain.replace(/\\.$/, '').toLowerCase();
        if (/^[a-z0-9.:_-]+$/.test(text)) return text;
        try { return new URL(`https://${text}`).host; } catch { return null; }
    };
    const read = (row, home) => {
        let name = row[0].trim();
        if (name.startsWith('@')) name = name.slice(1);
        const [user, domain = home, more] = name.split('@');
        const server = more === undefined && /^[A-Za-z0-9_.-]+$/.test(user) ? host(domain) : null;
        if (!server) return null;
        const languages = (row[3] ?? '').split(',').map(one => one.trim()).filter(one => /^[a-z]{2,3}(-[A-Za-z]+)?$/.test(one));
        return {
            key: `${user.toLowerCase()}@${server}`, name: `${user}@${server}`,
            boosts: flag(row[1]), notify: flag(row[2]), languages: languages.join(', '),
        };
    };
    const same = (one, other) =>
        one.boosts === other.boosts && one.notify === other.notify && one.languages === other.languages;
    const clean = (follows, have, home) => {
        const there = new Map();
        for (const row of Papa.parse(have, { skipEmptyLines: true }).data.slice(1)) {
            const own = read(row, home);
            if (own) there.set(own.key, own);
        }
        const rows = Papa.parse(follows, { skipEmptyLines: true }).data;
        const head = rows.shift();
        const seen = new Map(), kept = [], out = [];
        rows.forEach((row, at) => {
            const own = read(row, home);
            if (!own) return void out.push({ line: at + 2, why: 'unreadable', row });
            const first = seen.get(own.key);
            if (first) return void out.push({ line: at + 2, why: 'doubled', differs: !same(own, first), row });
            seen.set(own.key, own);
            const known = there.get(own.key);
            if (known) return void out.push({ line: at + 2, why: 'there', differs: !same(own, known), row });
            kept.push([own.name, own.boosts ?? '', own.notify ?? '', own.languages]);
        });
        const text = Papa.unparse([head, ...kept], { newline: '\\n' });
        return [text.length, kept.length];
    };";

/// In a page, as it runs there: the strings go in and out each time.
pub fn cleaning(kind: Kind) -> Vec<Measure> {
    let folder = repository().join("target/measure");
    let text = |path: &str| {
        fs::read_to_string(repository().join(path)).unwrap_or_else(|error| panic!("{path}: {error}"))
    };
    let glue = text("target/measure/measure.js");
    let papa = text("node_modules/papaparse/papaparse.min.js");
    let module = fs::read(folder.join("measure_bg.wasm")).expect("the module was built by ./build.sh bench");
    let servers = Servers::start();
    let browser = Browser::start(kind, &Options::default());
    // A page of any kind: what is measured has nothing to do with it.
    browser.open(&servers.on_old("/about"));
    let (want, have) = follows();
    let script = format!(
        "const [bytes, want, have, rounds, done] = arguments;
         {glue}
         const holder = {{}};
         (function () {{ const module = undefined, exports = undefined, define = undefined; {papa} }}).call(holder);
         const {{ Papa }} = holder;
         {THE_OTHER}
         return (async () => {{
             await globalThis.packedTrunkGlue({{ module_or_path: Uint8Array.from(bytes) }});
             const ours = [], theirs = [];
             let results;
             for (let round = 0; round < rounds; round++) {{
                 const start = performance.now();
                 const own = globalThis.packedTrunkGlue.measure_lists(want, have, 'old.example');
                 const between = performance.now();
                 const other = clean(want, have, 'old.example');
                 theirs.push(performance.now() - between);
                 ours.push(between - start);
                 results = [Array.from(own), other];
             }}
             return {{ ours, theirs, results }};
         }})();"
    );
    let found = browser.run(&script, &[json!(module), json!(want), json!(have), json!(ROUNDS)]);
    let times = |name: &str| {
        let mut times: Vec<f64> =
            found[name].as_array().into_iter().flatten().filter_map(|one| one.as_f64()).collect();
        times.sort_by(f64::total_cmp);
        times
    };
    let (ours, theirs) = (times("ours"), times("theirs"));
    assert_eq!(ours.len(), ROUNDS, "{found}");
    // Both must have come to the same rows, or the comparison says nothing.
    let rows = |at: usize| found["results"][at][1].as_u64().unwrap_or_default();
    let failed = (rows(0) != rows(1)).then(|| format!("ours keeps {} rows, the other {}", rows(0), rows(1)));
    let (own, other) = (ours[ROUNDS / 2], theirs[ROUNDS / 2]);
    let measure = |name, value, unit, bound, how: String| Measure {
        browser: Some(kind),
        value,
        unit,
        bound: Some(bound),
        failed: failed.clone(),
        ..Measure::new(name, how)
    };
    vec![
        measure(
            "lists_20000_ms",
            own,
            "ms",
            60.0,
            format!(
                "{} {}: {ROWS} follows read, cleaned, compared with {} and written, in wasm; median of {ROUNDS}, slowest {:.1} ms",
                kind.name(),
                browser.version(),
                ROWS / 10,
                ours[ROUNDS - 1]
            ),
        ),
        measure(
            "lists_vs_papaparse",
            own / other,
            "ratio",
            0.5,
            format!(
                "our time by the other's in the same page and run; PapaParse and plain JavaScript take {other:.1} ms"
            ),
        ),
    ]
}

/// Two hundred thousand followers, at the pace of the rate limit; the clock is the stand-in's.
pub fn followers() -> Vec<Measure> {
    let control = stand_in::indoors(stand_in::Options::default());
    control.followers(Side::Old, "petra", FOLLOWERS);
    let teller = Teller::new(&control, Side::Old, "petra");
    let started = Instant::now();
    let (begun, from) = (teller.now(), teller.asked.borrow().len());
    let (job, _) = Pack::begin(teller.owner(), Scope::Everything, teller.now());
    let mut save = Save::new(job);
    // Of pages that were stored nothing is needed any more: the records are dropped, as a database would take them.
    let (mut calls, mut pages, mut refused) = (0_u64, 0_u64, 0_u64);
    loop {
        match save.next(teller.now()) {
            Next::Ask(task, request) => {
                let reply = teller.ask(&request);
                if request.accept == packed_trunk::server::request::Accept::Api {
                    calls += 1;
                    pages += u64::from(is_page(&request.path));
                }
                refused += u64::from(reply.as_ref().is_ok_and(|answer| answer.status == 429));
                save.answer(&task, &request, &reply, &NativeParser, teller.now());
            }
            Next::Fetch(url) => {
                save.fetched(
                    &url,
                    packed_trunk::message::record::File::Missing(
                        packed_trunk::message::record::Missing::Gone,
                    ),
                );
            }
            Next::Wait { until, .. } => teller.wait(until.since(teller.now()).max(1)),
            Next::Stop(why) => panic!("stopped: {why:?}"),
            Next::Through => break,
        }
    }
    let packed = save.work.part(Part::Followers).map_or(0, |part| part.rows);
    let taken = teller.now().since(begun);
    // The windows begin at multiples of their length; 300 pages in each quarter, and 300 calls in each five minutes.
    let least = |count: u64, window: i64| {
        let end = begun.0.div_euclid(window) * window + window;
        let windows = i64::try_from(count.div_ceil(300)).unwrap_or(i64::MAX) - 1;
        if windows == 0 { 0 } else { end - begun.0 + (windows - 1) * window }
    };
    let allowed = least(pages, 15 * 60_000).max(least(calls, 5 * 60_000)).max(1);
    #[allow(clippy::cast_precision_loss)]
    let ratio = taken as f64 / allowed as f64;
    let asked = teller.asked.borrow().len() - from;
    let wrong = (packed != FOLLOWERS as u64 + 13).then(|| format!("{packed} followers were packed"));
    vec![
        Measure {
            value: ratio,
            unit: "ratio",
            bound: Some(1.05),
            failed: wrong,
            ..Measure::new(
                "followers_time_over_limit",
                format!(
                    "{FOLLOWERS} followers and everything else of that account: {asked} requests, {pages} of them pages, in {} simulated minutes; the limit allows {} ({:.0} s of real time)",
                    taken / 60_000,
                    allowed / 60_000,
                    started.elapsed().as_secs_f64()
                ),
            )
        },
        Measure {
            #[allow(clippy::cast_precision_loss)]
            value: refused as f64,
            unit: "times",
            bound: Some(0.0),
            ..Measure::new(
                "followers_limit_hit",
                "how often the server refused a request of it for its limit",
            )
        },
    ]
}
