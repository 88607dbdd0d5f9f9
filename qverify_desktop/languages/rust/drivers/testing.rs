//! One test in one process: what libtest's events and the test's own records say of it.

use crate::build::Program;
use crate::json::{self, Json};
use crate::process;
use std::fs;
use std::path::{Path, PathBuf};
use std::process::Command;
use std::time::Duration;

const STARTING: Duration = Duration::from_secs(20);

/// A test: `id` is how the application knows it, `name` how its program does.
#[derive(Clone)]
pub struct Test {
    pub id: String,
    pub name: String,
    pub program: Program,
}

pub struct Outcome {
    pub status: &'static str,
    pub message: String,
    pub raised: String,
    pub observed: String,
    pub in_test: bool,
    pub frames: Vec<String>,
    pub killed: bool,
    pub took: Duration,
    pub records: String,
}

/// Names of the tests in a program.
pub fn listed(program: &Program) -> Vec<String> {
    let end = process::run(command(program).args(["--list", "--format", "terse"]), STARTING);
    end.output.lines().filter_map(|line| line.strip_suffix(": test").map(str::to_string)).collect()
}

/// A test program, ready for arguments. `RUSTC_BOOTSTRAP` lets a stable toolchain's libtest write JSON.
pub fn command(program: &Program) -> Command {
    let mut command = process::watched(&program.path);
    command.current_dir(&program.folder).env("CARGO_MANIFEST_DIR", &program.folder).env("RUSTC_BOOTSTRAP", "1");
    command.env("LLVM_PROFILE_FILE", "/dev/null").env_remove("QV_OUT").env("RUST_BACKTRACE", "0");
    command
}

/// Arguments for JSON events, one test after the other.
pub const EVENTS: [&str; 5] = ["--test-threads=1", "-Z", "unstable-options", "--format", "json"];

/// Run one test. `profile` is where coverage is written, `record` where the test reports what it sees.
pub fn run(test: &Test, limit: Duration, profile: Option<&Path>, record: &PathBuf) -> Outcome {
    let _ = fs::remove_file(record);
    let mut command = command(&test.program);
    command.args(["--exact", &test.name]).args(EVENTS).env("QV_RECORD", record);
    if let Some(profile) = profile {
        command.env("LLVM_PROFILE_FILE", profile);
    }
    let end = process::run(&mut command, limit);
    let records = fs::read_to_string(record).unwrap_or_default();
    let mut outcome = Outcome {
        status: "error",
        message: String::new(),
        raised: String::new(),
        observed: String::new(),
        in_test: false,
        frames: Vec::new(),
        killed: false,
        took: end.took,
        records,
    };
    let event = events(&end.output).into_iter().rfind(|event| event.get("name").text() == test.name);
    match event.as_ref().map(|event| event.get("event").text()) {
        _ if end.expired => {
            outcome.killed = true;
            outcome.message = format!("It did not end within {} seconds.", limit.as_secs());
        }
        Some("ok") if end.success() => outcome.status = "passed",
        Some("ignored") => outcome.status = "skipped",
        Some("failed") => failed(&mut outcome, event.as_ref().unwrap_or(&Json::Null)),
        _ => {
            outcome.killed = true;
            outcome.message = end.words();
        }
    }
    outcome
}

/// libtest's events that end a test.
pub fn events(output: &str) -> Vec<Json> {
    let all = output.lines().filter_map(json::parse).filter(|event| event.get("type").text() == "test");
    all.collect()
}

/// Whether a failure is the operating system's: a file, a host or a right that is not there.
fn of_the_system(message: &str) -> bool {
    ["Os { code: ", "kind: NotFound", "failed to lookup address", "(os error "].iter().any(|mark| message.contains(mark))
}

fn failed(outcome: &mut Outcome, event: &Json) {
    outcome.status = "failed";
    let mut seen = None;
    for record in outcome.records.lines().filter_map(json::parse) {
        match record.get("kind").text() {
            "assertion" => seen = Some(record.get("observed").text().to_string()),
            "panic" => {
                outcome.message = record.get("message").text().to_string();
                outcome.frames = record.get("frames").texts();
                outcome.raised = "panic".to_string();
            }
            _ => {}
        }
    }
    outcome.in_test = outcome.frames.iter().all(|frame| frame.contains("tests/qv_all/"));
    for frame in &mut outcome.frames {
        *frame = frame.replace("tests/qv_all/", "tests/");
    }
    if let Some(observed) = seen.filter(|_| outcome.in_test) {
        outcome.observed = observed;
        outcome.raised = "assertion".to_string();
    } else if outcome.raised.is_empty() {
        // No panic at all: an error that the test handed on, or a panic that was promised and did not come.
        let words = if event.get("message").text().is_empty() { event.get("stdout") } else { event.get("message") };
        outcome.message = json::cut(words.text().trim(), 1500);
        let missed = event.get("message").text().contains("did not panic");
        outcome.observed = if missed { "no panic".to_string() } else { outcome.message.clone() };
        outcome.raised = if missed { "assertion" } else { "error" }.to_string();
        outcome.in_test = true;
    } else {
        outcome.observed = format!("panics: {}", outcome.message);
    }
    if outcome.raised != "assertion" && of_the_system(&outcome.message) {
        outcome.raised = "io::Error".to_string();
    }
}
