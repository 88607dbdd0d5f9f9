//! The driver of Rust's test runs inside the sandbox: builds with cargo, runs each test in a process of its own, and reports.
//!
//! As a compiler wrapper (cargo's `RUSTC_WORKSPACE_WRAPPER`) the same program hands the compiler on what a run asks for.

mod build;
mod coverage;
mod json;
mod manifest;
mod mutants;
mod process;
mod schemata;
mod suite;
mod testing;

use std::fs::{self, File};
use std::io::Write;
use std::path::PathBuf;

/// Lines of a report, written one by one so that what is known is not lost when time is up.
pub struct Journal {
    file: File,
}

impl Journal {
    fn new(name: &str) -> Journal {
        let folder = PathBuf::from(std::env::var("QV_OUT").unwrap_or_else(|_| "/tmp".to_string()));
        let _ = fs::create_dir_all(&folder);
        Journal { file: File::create(folder.join(name)).expect("the report can be written") }
    }

    /// For what nobody needs to know.
    pub fn unheard() -> Journal {
        Journal { file: File::create("/dev/null").expect("there is a null device") }
    }

    pub fn record(&mut self, kind: &str, fields: &[(&str, String)]) {
        let mut line = format!("{{\"kind\": {}", json::quoted(kind));
        for (name, value) in fields {
            line.push_str(&format!(", \"{name}\": {value}"));
        }
        line.push_str("}\n");
        let _ = self.file.write_all(line.as_bytes());
    }

    pub fn line(&mut self, line: &str) {
        let _ = self.file.write_all(line.as_bytes());
        let _ = self.file.write_all(b"\n");
    }
}

fn main() {
    let arguments: Vec<String> = std::env::args().collect();
    if std::env::var_os("QV_RUSTC_FLAGS").is_some() {
        build::wrap(&arguments[1..]);
    }
    if arguments[1] == process::MONITOR {
        process::monitor(&arguments[2..]);
    }
    let text = fs::read_to_string(&arguments[1]).expect("the request can be read");
    let request = json::parse(&text).expect("the request is JSON");
    process::become_subreaper();
    match request.get("task").text() {
        "mutants" => mutants::run(&request, &mut Journal::new("mutants.jsonl")),
        "observe" => suite::run(&request, &mut Journal::new("observations.jsonl")),
        _ => suite::run(&request, &mut Journal::new("suite.jsonl")),
    }
}
