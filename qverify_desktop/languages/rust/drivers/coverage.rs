//! Coverage of one run: LLVM's counters, exported as lcov and read into lines and branches.

use crate::process;
use std::collections::BTreeMap;
use std::fs;
use std::path::Path;
use std::process::Command;
use std::time::Duration;

const PATIENCE: Duration = Duration::from_secs(60);

/// Lines and branches of a file with whether they were reached. A branch is its line and its number on that line.
#[derive(Default, Clone)]
pub struct FileCoverage {
    pub lines: BTreeMap<usize, bool>,
    pub branches: BTreeMap<(usize, usize), bool>,
}

impl FileCoverage {
    pub fn add(&mut self, other: &FileCoverage) {
        for (line, reached) in &other.lines {
            *self.lines.entry(*line).or_default() |= reached;
        }
        for (branch, reached) in &other.branches {
            *self.branches.entry(*branch).or_default() |= reached;
        }
    }
}

pub type Coverage = BTreeMap<String, FileCoverage>;

/// What `program` reached when it wrote `profile`, for files below `root`, by their path below it. Lines of test modules are
/// left out.
pub fn read(program: &Path, profile: &Path, root: &Path, asides: &mut Asides) -> Coverage {
    let merged = profile.with_extension("profdata");
    let mut merge = Command::new("llvm-profdata");
    merge.args(["merge", "-sparse", "-o"]).arg(&merged).arg(profile);
    let mut export = Command::new("llvm-cov");
    export.args(["export", "--format=lcov", "--instr-profile"]).arg(&merged).arg(program);
    export.arg("--sources").arg(root);
    let mut found = Coverage::new();
    if process::run(&mut merge, PATIENCE).success() {
        let export = process::run(&mut export, PATIENCE);
        found = parsed(&export.output, root, asides);
    }
    let _ = fs::remove_file(profile);
    let _ = fs::remove_file(merged);
    found
}

fn parsed(lcov: &str, root: &Path, asides: &mut Asides) -> Coverage {
    let mut found = Coverage::new();
    let mut file = String::new();
    let mut on_line = BTreeMap::<usize, usize>::new();
    for record in lcov.lines() {
        let (kind, rest) = record.split_once(':').unwrap_or((record, ""));
        let numbers: Vec<&str> = rest.split(',').collect();
        let line: usize = numbers[0].parse().unwrap_or(0);
        match kind {
            "SF" => {
                file = Path::new(rest).strip_prefix(root).map(|p| p.to_string_lossy().into_owned()).unwrap_or_default();
                on_line.clear();
            }
            "DA" if !file.is_empty() && line > 0 && !asides.holds(root, &file, line) => {
                let reached = numbers.get(1).is_some_and(|count| *count != "0");
                *found.entry(file.clone()).or_default().lines.entry(line).or_default() |= reached;
            }
            "BRDA" if !file.is_empty() && line > 0 && !asides.holds(root, &file, line) => {
                let number = on_line.entry(line).or_default();
                *number += 1;
                let reached = numbers.last().is_some_and(|count| !["0", "-"].contains(count));
                *found.entry(file.clone()).or_default().branches.entry((line, *number)).or_default() |= reached;
            }
            _ => {}
        }
    }
    found
}

/// Line ranges of the test modules inside of source files.
#[derive(Default)]
pub struct Asides {
    known: BTreeMap<String, Vec<(usize, usize)>>,
}

impl Asides {
    fn holds(&mut self, root: &Path, file: &str, line: usize) -> bool {
        let ranges = self.known.entry(file.to_string()).or_insert_with(|| ranges(&root.join(file)));
        ranges.iter().any(|(first, last)| (*first..=*last).contains(&line))
    }
}

/// A module behind `#[cfg(test)]` ends at the first bracket that stands as far left as its attribute.
fn ranges(path: &Path) -> Vec<(usize, usize)> {
    let text = String::from_utf8_lossy(&fs::read(path).unwrap_or_default()).into_owned();
    let lines: Vec<&str> = text.lines().collect();
    let mut found = Vec::new();
    let mut at = 0;
    while at < lines.len() {
        let bare = lines[at].trim_start();
        let opens = lines[at..].iter().take(4).any(|line| line.contains("mod ") && line.trim_end().ends_with('{'));
        if bare.starts_with("#[cfg(test)]") && opens {
            let closer = format!("{}}}", &lines[at][..lines[at].len() - bare.len()]);
            let end = lines[at..].iter().position(|line| line.trim_end() == closer).map_or(lines.len(), |n| at + n + 1);
            found.push((at + 1, end));
            at = end;
        } else {
            at += 1;
        }
    }
    found
}
