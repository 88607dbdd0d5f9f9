//! Run tests and report each, with coverage; or run observing tests and hand on what they saw.

use crate::build::{by_folder, Builder, Built, Error, Program};
use crate::coverage::{self, Asides, Coverage, FileCoverage};
use crate::json::{self, quoted, Json};
use crate::manifest;
use crate::testing::{self, Outcome, Test};
use crate::Journal;
use std::collections::{BTreeMap, BTreeSet};
use std::fs;
use std::path::{Path, PathBuf};
use std::time::{Duration, Instant};

/// Times that generated tests are built again without those that do not compile: the compiler stops at each of its phases.
const REBUILDS: usize = 10;
/// Seconds kept for the end of the report.
const MARGIN: u64 = 6;

/// A generated test: its file in the sandbox, its name, its first and last line. `id` is how the application knows it.
#[derive(Clone)]
pub struct Written {
    pub id: String,
    pub file: String,
    pub name: String,
    pub lines: (usize, usize),
}

pub fn written(request: &Json) -> Vec<Written> {
    let read = |one: &Json| Written {
        id: one.get("id").text().to_string(),
        file: one.get("file").text().to_string(),
        name: one.get("name").text().to_string(),
        lines: (one.get("first").number(), one.get("last").number()),
    };
    request.get("generated").list().iter().map(read).collect()
}

pub fn run(request: &Json, journal: &mut Journal) {
    let began = Instant::now();
    let work = std::env::current_dir().expect("a work folder");
    let deadline = began + Duration::from_secs((request.get("deadline_s").number() as u64).saturating_sub(MARGIN));
    journal.record("expected", &[("tests", list(request.get("expected").texts().iter()))]);
    let builder = Builder { work: work.clone(), coverage: request.get("coverage").is_true(), incremental: false };
    let mut bench = Bench { builder, deadline, asides: Asides::default(), sources: request.get("sources").texts() };
    let mut tests = Vec::new();
    if request.get("own").is_true() {
        tests.extend(bench.own(request, journal));
    }
    let mut generated = bench.generated(request, journal);
    shuffle(&mut generated, request.get("seed").number() as u64);
    tests.extend(generated);
    let only: BTreeSet<String> = request.get("only").texts().into_iter().collect();
    tests.retain(|test| only.is_empty() || only.contains(&test.id));
    let observing = request.get("task").text() == "observe";
    bench.run(&tests, request, journal, observing);
    journal.record("done", &[("seconds", began.elapsed().as_secs().to_string())]);
}

struct Bench {
    builder: Builder,
    deadline: Instant,
    asides: Asides,
    sources: Vec<String>,
}

impl Bench {
    fn left(&self) -> Duration {
        self.deadline.saturating_duration_since(Instant::now())
    }

    /// The project's own tests, of all that compiles.
    fn own(&mut self, request: &Json, journal: &mut Journal) -> Vec<Test> {
        let mut tests = Vec::new();
        let mut known = BTreeSet::new();
        for folder in request.get("folders").texts() {
            let built = self.builder.build(&folder, true, self.left());
            complain(&built, &folder, journal);
            for program in built.programs.iter().filter(|one| !is_generated(&one.root)) {
                if known.insert(program.path.clone()) {
                    self.unreached(program, journal);
                    if program.harness {
                        tests.extend(testing::listed(program).into_iter().map(|name| Test {
                            id: format!("{}::{}", program.root, name),
                            name,
                            program: program.clone(),
                        }));
                    }
                }
            }
        }
        tests
    }

    fn generated(&mut self, request: &Json, journal: &mut Journal) -> Vec<Test> {
        let all = written(request);
        let files: BTreeSet<String> = all.iter().map(|one| one.file.clone()).collect();
        let mut tests = Vec::new();
        for (folder, files) in by_folder(&request.get("folders").texts(), files.iter()) {
            let inside: Vec<Written> = all.iter().filter(|one| files.contains(&one.file)).cloned().collect();
            tests.extend(build_generated(&self.builder, &folder, &inside, self.deadline, journal));
        }
        for program in tests.iter().map(|test| test.program.clone()).take(1).collect::<Vec<_>>() {
            self.unreached(&program, journal);
        }
        tests
    }

    /// Lines and branches that there are, from a run of no test.
    fn unreached(&mut self, program: &Program, journal: &mut Journal) {
        if self.builder.coverage && program.harness {
            let nothing = Test { id: String::new(), name: "no::such::test".to_string(), program: program.clone() };
            let profile = self.builder.work.join(".qverify/nothing.profraw");
            testing::run(&nothing, Duration::from_secs(20), Some(&profile), &profile.with_extension("txt"));
            let found = coverage::read(&program.path, &profile, &self.builder.work, &mut self.asides);
            self.cover(found, journal);
        }
    }

    fn cover(&self, found: Coverage, journal: &mut Journal) {
        for (file, coverage) in found.iter().filter(|(file, _)| self.sources.contains(file)) {
            journal.record("coverage", &covered(file, coverage));
        }
    }

    fn run(&mut self, tests: &[Test], request: &Json, journal: &mut Journal, observing: bool) {
        let patience = Duration::from_secs(request.get("test_s").number() as u64);
        let profile = self.builder.work.join(".qverify/run.profraw");
        let record = PathBuf::from("/tmp/qverify/record");
        let mut total = Coverage::new();
        for test in tests {
            if self.left().is_zero() {
                break;
            }
            let measured = self.builder.coverage && !observing;
            let outcome = testing::run(test, patience.min(self.left()), measured.then_some(profile.as_path()), &record);
            if observing {
                hand_on(test, &outcome, journal);
                continue;
            }
            report(test, &outcome, journal);
            if measured {
                let found = coverage::read(&test.program.path, &profile, &self.builder.work, &mut self.asides);
                let found: Coverage = found.into_iter().filter(|(file, _)| self.sources.contains(file)).collect();
                journal.record("footprint", &footprint(test, &found));
                for (file, coverage) in found {
                    total.entry(file).or_default().add(&coverage);
                }
            }
        }
        self.cover(total, journal);
    }
}

/// Build the generated tests of a package; those that do not compile are reported and left out.
pub fn build_generated(
    builder: &Builder,
    folder: &str,
    all: &[Written],
    deadline: Instant,
    journal: &mut Journal,
) -> Vec<Test> {
    let mut left = all.to_vec();
    manifest::declare(&builder.work.join(folder).join("Cargo.toml"));
    for _ in 0..REBUILDS {
        let limit = deadline.saturating_duration_since(Instant::now());
        let built = builder.build(folder, false, limit);
        if let Some(program) = built.programs.iter().find(|one| is_generated(&one.root)) {
            return left.iter().map(|one| test_of(one, program)).collect();
        }
        let bad = blamed(&built.errors, &left);
        if bad.is_empty() {
            let words = if built.problem.is_empty() { told(&built.errors) } else { built.problem.clone() };
            refuse_all(&left, &format!("The package could not be built. {words}"), journal);
            return Vec::new();
        }
        for (test, words) in &bad {
            journal.record("collect_error", &[("file", quoted(test)), ("message", quoted(&json::cut(words, 3000)))]);
        }
        left = without(&builder.work, left, &bad);
        if left.is_empty() {
            return Vec::new();
        }
    }
    refuse_all(&left, "The package could not be built in so many attempts.", journal);
    Vec::new()
}

fn test_of(one: &Written, program: &Program) -> Test {
    let module = Path::new(&one.file).file_stem().map(|stem| stem.to_string_lossy().into_owned()).unwrap_or_default();
    Test { id: one.id.clone(), name: format!("{module}::{}", one.name), program: program.clone() }
}

/// Which tests the errors stand in. An error outside of any test is all of its file's.
fn blamed(errors: &[Error], left: &[Written]) -> BTreeMap<String, String> {
    let mut found = BTreeMap::new();
    for error in errors {
        let inside: Vec<&Written> = left.iter().filter(|one| one.file == error.file).collect();
        let hit: Vec<&&Written> =
            inside.iter().filter(|one| one.lines.0 <= error.lines.0 && error.lines.0 <= one.lines.1).collect();
        let blamed = if hit.is_empty() { inside } else { hit.into_iter().copied().collect() };
        for test in blamed {
            let words = found.entry(test.id.clone()).or_insert_with(String::new);
            if words.len() < 2000 && !words.contains(&error.text) {
                words.push_str(&error.text);
                words.push('\n');
            }
        }
    }
    found
}

/// Empty the lines of these tests, so that the others keep their lines.
fn without(work: &Path, left: Vec<Written>, bad: &BTreeMap<String, String>) -> Vec<Written> {
    let (gone, kept): (Vec<Written>, Vec<Written>) = left.into_iter().partition(|one| bad.contains_key(&one.id));
    for file in gone.iter().map(|one| &one.file).collect::<BTreeSet<_>>() {
        let path = work.join(file);
        let text = fs::read_to_string(&path).unwrap_or_default();
        let alone = !kept.iter().any(|one| one.file == *file);
        let out = |number: usize| {
            alone || gone.iter().any(|one| one.file == *file && (one.lines.0..=one.lines.1).contains(&number))
        };
        let lines: Vec<&str> =
            text.lines().enumerate().map(|(index, line)| if out(index + 1) { "" } else { line }).collect();
        let _ = fs::write(&path, lines.join("\n"));
    }
    kept
}

pub fn is_generated(root: &str) -> bool {
    root.ends_with("tests/qv_all/main.rs")
}

fn told(errors: &[Error]) -> String {
    errors.iter().take(3).map(|error| format!("{}:{}: {}", error.file, error.lines.0, error.text)).collect::<Vec<_>>().join("\n")
}

fn refuse_all(left: &[Written], words: &str, journal: &mut Journal) {
    for one in left {
        journal.record("collect_error", &[("file", quoted(&one.id)), ("message", quoted(&json::cut(words, 3000)))]);
    }
}

/// What of the project itself does not compile.
fn complain(built: &Built, folder: &str, journal: &mut Journal) {
    if !built.problem.is_empty() {
        let words = json::cut(&built.problem, 3000);
        journal.record("session_error", &[("session", quoted("own")), ("message", quoted(&words))]);
    }
    let mut by_root: BTreeMap<&str, Vec<&Error>> = BTreeMap::new();
    for error in built.errors.iter().filter(|error| !is_generated(&error.root)) {
        by_root.entry(&error.root).or_default().push(error);
    }
    for (root, errors) in by_root {
        let file = if root.is_empty() { folder } else { root };
        let errors: Vec<Error> = errors.into_iter().cloned().collect();
        journal.record("collect_error", &[("file", quoted(file)), ("message", quoted(&json::cut(&told(&errors), 3000)))]);
    }
}

fn report(test: &Test, outcome: &Outcome, journal: &mut Journal) {
    if outcome.killed {
        journal.record("killed", &[("test", quoted(&test.id)), ("message", quoted(&outcome.message))]);
        return;
    }
    journal.record(
        "test",
        &[
            ("test", quoted(&test.id)),
            ("status", quoted(outcome.status)),
            ("duration_ms", outcome.took.as_millis().to_string()),
            ("message", quoted(&json::cut(&outcome.message, 3000))),
            ("raised", quoted(&outcome.raised)),
            ("observed", quoted(&json::cut(&outcome.observed, 3000))),
            ("in_test", outcome.in_test.to_string()),
            ("frames", list(outcome.frames.iter())),
        ],
    );
}

/// What an observing test saw, each record with the test's id.
fn hand_on(test: &Test, outcome: &Outcome, journal: &mut Journal) {
    for line in outcome.records.lines().filter(|line| line.starts_with("{\"kind\": \"saw\"")).take(400) {
        journal.line(&format!("{{\"test\": {}, {}", quoted(&test.id), &line[1..]));
    }
}

fn covered(file: &str, found: &FileCoverage) -> Vec<(&'static str, String)> {
    vec![
        ("file", quoted(file)),
        ("lines", numbers(found.lines.keys())),
        ("covered", numbers(found.lines.iter().filter(|(_, reached)| **reached).map(|(line, _)| line))),
        ("branches", pairs(found.branches.keys())),
        ("covered_branches", pairs(found.branches.iter().filter(|(_, reached)| **reached).map(|(branch, _)| branch))),
    ]
}

fn footprint(test: &Test, found: &Coverage) -> Vec<(&'static str, String)> {
    let lines = found.iter().map(|(file, one)| {
        format!("{}: {}", quoted(file), numbers(one.lines.iter().filter(|(_, reached)| **reached).map(|(line, _)| line)))
    });
    let branches = found.iter().map(|(file, one)| {
        format!("{}: {}", quoted(file), pairs(one.branches.iter().filter(|(_, reached)| **reached).map(|(b, _)| b)))
    });
    let (lines, branches): (Vec<String>, Vec<String>) = (lines.collect(), branches.collect());
    vec![
        ("test", quoted(&test.id)),
        ("lines", format!("{{{}}}", lines.join(", "))),
        ("branches", format!("{{{}}}", branches.join(", "))),
    ]
}

fn numbers<'a>(items: impl Iterator<Item = &'a usize>) -> String {
    format!("[{}]", items.map(usize::to_string).collect::<Vec<_>>().join(", "))
}

fn pairs<'a>(items: impl Iterator<Item = &'a (usize, usize)>) -> String {
    format!("[{}]", items.map(|(a, b)| format!("[{a}, {b}]")).collect::<Vec<_>>().join(", "))
}

pub fn list<'a>(items: impl Iterator<Item = &'a String>) -> String {
    format!("[{}]", items.map(|item| quoted(item)).collect::<Vec<_>>().join(", "))
}

/// Another order for another seed (0 keeps it, 1 turns it round): Fisher and Yates, with xorshift for chance.
fn shuffle(tests: &mut [Test], seed: u64) {
    if seed == 1 {
        return tests.reverse();
    }
    let mut state = seed.wrapping_mul(0x9e37_79b9_7f4a_7c15);
    for at in (1..tests.len()).rev().filter(|_| seed != 0) {
        state ^= state << 13;
        state ^= state >> 7;
        state ^= state << 17;
        tests.swap(at, (state % (at as u64 + 1)) as usize);
    }
}
