//! Run, for each mutant, the tests named for it. All mutants that can share a build do; each other one gets a build of its own
//! while there is time.

use crate::build::{by_folder, Builder, Error, Program};
use crate::json::{quoted, Json};
use crate::process;
use crate::schemata::{self, Change, Span};
use crate::suite::{self, build_generated, list};
use crate::testing::{self, Test};
use crate::Journal;
use std::collections::{BTreeMap, BTreeSet};
use std::fs;
use std::path::{Path, PathBuf};
use std::time::{Duration, Instant};

/// A mutant may take this many times what its tests took without it, and some seconds.
const PATIENCE: u32 = 10;
const GRACE: Duration = Duration::from_secs(2);
const BASELINE: Duration = Duration::from_secs(60);
const REBUILDS: usize = 10;
const MARGIN: u64 = 5;

pub fn run(request: &Json, journal: &mut Journal) {
    let work = std::env::current_dir().expect("a work folder");
    let deadline = Instant::now() + Duration::from_secs((request.get("deadline_s").number() as u64).saturating_sub(MARGIN));
    let builder = Builder { work: work.clone(), coverage: false, incremental: true };
    let all = schemata::changes(request);
    let folders = request.get("folders").texts();
    let mut bench = Bench {
        builder,
        deadline,
        own: request.get("own").is_true(),
        written: suite::written(request),
        folders,
        originals: BTreeMap::new(),
        tests: BTreeMap::new(),
        took: BTreeMap::new(),
    };
    let fitting = bench.read(all, journal);
    let alone = bench.together(fitting, journal);
    bench.one_by_one(alone, journal);
    journal.record("done", &[]);
}

struct Bench {
    builder: Builder,
    deadline: Instant,
    own: bool,
    written: Vec<suite::Written>,
    folders: Vec<String>,
    originals: BTreeMap<String, String>,
    /// Tests by id, and how long those that pass without a mutant take.
    tests: BTreeMap<String, Test>,
    took: BTreeMap<String, Duration>,
}

impl Bench {
    fn left(&self) -> Duration {
        self.deadline.saturating_duration_since(Instant::now())
    }

    /// Read the files; changes that do not fit theirs are invalid.
    fn read(&mut self, all: Vec<Change>, journal: &mut Journal) -> Vec<Change> {
        let mut fitting = Vec::new();
        for one in all {
            let path = self.builder.work.join(&one.file);
            let text = self.originals.entry(one.file.clone()).or_insert_with(|| fs::read_to_string(path).unwrap_or_default());
            if text.get(one.start..one.end) == Some(one.original.as_str()) {
                fitting.push(one);
            } else {
                answer(&one, "invalid", &[], journal);
            }
        }
        fitting
    }

    /// Weave all changes in, build, run each. Answers those that no build with the others takes.
    fn together(&mut self, mut changes: Vec<Change>, journal: &mut Journal) -> Vec<Change> {
        let mut alone = Vec::new();
        let roots = self.roots(&changes);
        for _ in 0..REBUILDS {
            let mut spans: BTreeMap<String, Vec<Span>> = BTreeMap::new();
            for (file, text) in &self.originals {
                let here: Vec<Change> = changes.iter().filter(|one| one.file == *file).cloned().collect();
                let (mut woven, found) = schemata::woven(text, &here);
                if roots.contains(file) {
                    woven.push_str(schemata::CHOOSER);
                }
                spans.insert(file.clone(), found);
                rewrite(&self.builder.work.join(file), &woven);
            }
            for root in roots.iter().filter(|root| !self.originals.contains_key(*root)) {
                let path = self.builder.work.join(root);
                let text = fs::read_to_string(&path).unwrap_or_default();
                if !text.contains("fn qv_mutant(") {
                    rewrite(&path, &format!("{text}{}", schemata::CHOOSER));
                }
            }
            let errors = self.build();
            if errors.is_empty() || changes.is_empty() {
                break;
            }
            let bad = guilty(&errors, &spans);
            let (out, kept): (Vec<Change>, Vec<Change>) =
                changes.into_iter().partition(|one| bad.is_empty() || bad.contains(&one.number));
            alone.extend(out);
            changes = kept;
        }
        if changes.is_empty() && self.tests.is_empty() {
            self.restore();
            self.build();
        }
        self.baseline(changes.iter().chain(&alone).flat_map(|one| one.tests.iter().cloned()).collect());
        for one in &changes {
            if self.left().is_zero() {
                return Vec::new();
            }
            self.judge(one, one.number, journal);
        }
        alone
    }

    /// Root file of each crate that a change is in.
    fn roots(&self, changes: &[Change]) -> BTreeSet<String> {
        let files: BTreeSet<String> = changes.iter().map(|one| one.file.clone()).collect();
        let mut found = BTreeSet::new();
        for folder in by_folder(&self.folders, files.iter()).into_keys() {
            let joined = |name: &str| if folder.is_empty() { name.to_string() } else { format!("{folder}/{name}") };
            let usual = ["src/lib.rs", "src/main.rs"].map(joined);
            found.extend(usual.into_iter().filter(|path| self.builder.work.join(path).is_file()));
        }
        found
    }

    /// Build everything that tests are asked of. Answers the errors in the project's own files.
    fn build(&mut self) -> Vec<Error> {
        let mut errors = Vec::new();
        self.tests.clear();
        if self.own {
            for folder in self.folders.clone() {
                let built = self.builder.build(&folder, true, self.left());
                errors.extend(built.errors.into_iter().filter(is_of_source));
                for program in built.programs.iter().filter(|one| one.harness && !suite::is_generated(&one.root)) {
                    for name in testing::listed(program) {
                        let id = format!("{}::{}", program.root, name);
                        self.tests.insert(id.clone(), Test { id, name, program: program.clone() });
                    }
                }
            }
        }
        let files: BTreeSet<String> = self.written.iter().map(|one| one.file.clone()).collect();
        for (folder, files) in by_folder(&self.folders, files.iter()) {
            let inside: Vec<suite::Written> = self.written.iter().filter(|one| files.contains(&one.file)).cloned().collect();
            if errors.is_empty() {
                let (tests, found) = self.generated(&folder, &inside);
                errors.extend(found);
                self.tests.extend(tests.into_iter().map(|test| (test.id.clone(), test)));
            }
        }
        errors
    }

    fn generated(&self, folder: &str, inside: &[suite::Written]) -> (Vec<Test>, Vec<Error>) {
        let built = self.builder.build(folder, false, self.left());
        let errors: Vec<Error> = built.errors.into_iter().filter(is_of_source).collect();
        if !errors.is_empty() {
            return (Vec::new(), errors);
        }
        (build_generated(&self.builder, folder, inside, self.deadline, &mut Journal::unheard()), errors)
    }

    /// Only tests that pass without a mutant are asked about one.
    fn baseline(&mut self, wanted: BTreeSet<String>) {
        let record = PathBuf::from("/tmp/qverify/record");
        self.took.clear();
        for id in wanted {
            if let Some(test) = self.tests.get(&id) {
                let outcome = testing::run(test, BASELINE.min(self.left()), None, &record);
                if outcome.status == "passed" {
                    self.took.insert(id, outcome.took);
                }
            }
        }
    }

    /// Run a mutant's tests, those of a program together, and say what became of it.
    fn judge(&self, one: &Change, number: usize, journal: &mut Journal) {
        let known: Vec<&Test> =
            one.tests.iter().filter(|id| self.took.contains_key(*id)).filter_map(|id| self.tests.get(id)).collect();
        if known.is_empty() {
            return answer(one, if one.tests.is_empty() { "not_run" } else { "survived" }, &[], journal);
        }
        let mut programs: BTreeMap<&Path, Vec<&Test>> = BTreeMap::new();
        for test in known {
            programs.entry(&test.program.path).or_default().push(test);
        }
        let mut killers = Vec::new();
        let mut expired = false;
        for tests in programs.into_values() {
            let usual: Duration = tests.iter().filter_map(|test| self.took.get(&test.id)).sum();
            let limit = GRACE + usual * PATIENCE;
            if self.left() < limit {
                return;
            }
            expired |= self.ask(&tests, number, limit, &mut killers);
        }
        killers.sort();
        let status = if expired { "timed_out" } else if killers.is_empty() { "survived" } else { "killed" };
        answer(one, status, &killers, journal);
    }

    /// Answers whether the time was up; tests that fail, and the one that ends the process, are added to `killers`.
    fn ask(&self, tests: &[&Test], number: usize, limit: Duration, killers: &mut Vec<String>) -> bool {
        let program: &Program = &tests[0].program;
        let mut command = testing::command(program);
        command.arg("--exact").args(tests.iter().map(|test| &test.name)).args(testing::EVENTS);
        command.env("QV_MUTANT", number.to_string());
        let end = process::run(&mut command, limit);
        let events = testing::events(&end.output);
        for test in tests {
            let own = events.iter().filter(|event| event.get("name").text() == test.name);
            let last = own.last().map(|event| event.get("event").text().to_string()).unwrap_or_default();
            let ran_into = last == "started" || (last.is_empty() && events.is_empty());
            if last == "failed" || ran_into {
                killers.push(test.id.clone());
            }
        }
        end.expired
    }

    fn one_by_one(&mut self, alone: Vec<Change>, journal: &mut Journal) {
        self.restore();
        for one in alone {
            if self.left() < Duration::from_secs(10) {
                return;
            }
            let text = &self.originals[&one.file];
            let changed = format!("{}{}{}", &text[..one.start], one.replacement, &text[one.end..]);
            rewrite(&self.builder.work.join(&one.file), &changed);
            let errors = self.build();
            if !errors.is_empty() {
                answer(&one, "invalid", &[], journal);
            } else {
                self.judge(&one, 0, journal);
            }
            self.restore();
        }
    }

    fn restore(&self) {
        for (file, text) in &self.originals {
            rewrite(&self.builder.work.join(file), text);
        }
    }
}

/// Numbers of the changes that the errors stand in: of those around an error the innermost.
fn guilty(errors: &[Error], spans: &BTreeMap<String, Vec<Span>>) -> BTreeSet<usize> {
    let mut found = BTreeSet::new();
    for error in errors {
        let Some(here) = spans.get(&error.file) else { continue };
        let around = |span: &&Span| span.start <= error.bytes.0 && error.bytes.1 <= span.end;
        let least = here.iter().filter(around).map(|span| span.end - span.start).min();
        if let Some(least) = least {
            found.extend(here.iter().filter(around).filter(|span| span.end - span.start == least).map(|span| span.number));
        } else {
            let within = |span: &&Span| error.bytes.0 <= span.start && span.end <= error.bytes.1;
            found.extend(here.iter().filter(within).map(|span| span.number));
        }
    }
    found
}

/// Tests that do not compile are no mutant's fault.
fn is_of_source(error: &Error) -> bool {
    !["tests/", "benches/", "examples/"].iter().any(|folder| error.root.contains(folder))
}

fn answer(one: &Change, status: &str, killers: &[String], journal: &mut Journal) {
    let killers: Vec<String> = killers.to_vec();
    journal.record("mutant", &[("mutant", quoted(&one.id)), ("status", quoted(status)), ("killed_by", list(killers.iter()))]);
}

/// Replace a file's content, also where it is write-protected, and never through a link.
fn rewrite(path: &Path, content: &str) {
    let beside = path.with_extension("qverify");
    if fs::write(&beside, content).is_ok() {
        let _ = fs::rename(beside, path);
    }
}
