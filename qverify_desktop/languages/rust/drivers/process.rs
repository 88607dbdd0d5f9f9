//! A process that may hang, flood, fork or kill: run it to its end or its limit, and leave nothing of it behind.

use std::fs;
use std::io::Read;
use std::os::unix::process::{CommandExt, ExitStatusExt};
use std::path::Path;
use std::process::{Command, ExitStatus, Stdio};
use std::thread;
use std::time::{Duration, Instant};

/// Bytes of output that are kept.
const KEPT: usize = 1 << 20;
const SIGKILL: i32 = 9;

/// First argument of this program where it is a test's parent, so that code which kills its parent hits nobody else.
pub const MONITOR: &str = "--monitor";

extern "C" {
    fn raise(signal: i32) -> i32;
    fn kill(pid: i32, signal: i32) -> i32;
    fn prctl(option: i32, a: u64, b: u64, c: u64, d: u64) -> i32;
    fn waitpid(pid: i32, status: *mut i32, options: i32) -> i32;
}

pub struct End {
    pub status: Option<ExitStatus>,
    pub expired: bool,
    pub output: String,
    pub took: Duration,
}

impl End {
    pub fn success(&self) -> bool {
        self.status.is_some_and(|status| status.success())
    }

    /// Why a process ended that did not say so itself.
    pub fn words(&self) -> String {
        match self.status.and_then(|status| status.signal()) {
            Some(9) => "The test's process was killed, as happens when it uses too much memory.".to_string(),
            Some(signal) => format!("The test ended its process (signal {signal})."),
            None => "The test ended its process before it had come to its own end.".to_string(),
        }
    }
}

/// A command that runs `program` below a monitor.
pub fn watched(program: &Path) -> Command {
    let mut command = Command::new(std::env::current_exe().unwrap_or_default());
    command.arg(MONITOR).arg(program);
    command
}

/// Run a program and end as it does.
pub fn monitor(line: &[String]) -> ! {
    let status = Command::new(&line[0]).args(&line[1..]).status();
    if let Some(signal) = status.as_ref().ok().and_then(|status| status.signal()) {
        unsafe { raise(signal) };
    }
    std::process::exit(status.ok().and_then(|status| status.code()).unwrap_or(70))
}

/// Make orphans of our descendants our children, so that they can be found and ended (prctl(2), Linux 3.4).
pub fn become_subreaper() {
    unsafe {
        prctl(36, 1, 0, 0, 0);
    }
}

/// Run to the end or for at most `limit`; standard output is kept, standard error is dropped.
pub fn run(command: &mut Command, limit: Duration) -> End {
    let began = Instant::now();
    command.stdin(Stdio::null()).stdout(Stdio::piped()).stderr(Stdio::null()).process_group(0);
    let mut child = match command.spawn() {
        Ok(child) => child,
        Err(error) => {
            return End { status: None, expired: false, output: error.to_string(), took: began.elapsed() };
        }
    };
    let group = child.id() as i32;
    let reading = child.stdout.take().map(|pipe| thread::spawn(move || kept(pipe)));
    let mut expired = false;
    let mut pause = Duration::from_micros(500);
    let status = loop {
        match child.try_wait() {
            Ok(Some(status)) => break Some(status),
            Ok(None) if began.elapsed() < limit => {
                thread::sleep(pause);
                pause = (pause * 2).min(Duration::from_millis(20));
            }
            _ => {
                expired = true;
                unsafe { kill(-group, SIGKILL) };
                break child.wait().ok();
            }
        }
    };
    let took = began.elapsed();
    unsafe { kill(-group, SIGKILL) };
    end_descendants();
    let output = reading.and_then(|thread| thread.join().ok()).unwrap_or_default();
    End { status, expired, output, took }
}

fn kept(mut pipe: impl Read) -> String {
    let mut found = Vec::new();
    let mut buffer = [0; 1 << 16];
    while let Ok(count) = pipe.read(&mut buffer) {
        if count == 0 {
            break;
        }
        let room = KEPT.saturating_sub(found.len());
        found.extend_from_slice(&buffer[..count.min(room)]);
    }
    String::from_utf8_lossy(&found).into_owned()
}

/// Kill every process below this one and wait for it, also those that moved to a group of their own.
fn end_descendants() {
    for _ in 0..50 {
        let mut status = 0;
        let left = loop {
            match unsafe { waitpid(-1, &mut status, 1) } {
                0 => break true,
                -1 => break false,
                _ => {}
            }
        };
        if !left {
            return;
        }
        for process in descendants() {
            unsafe { kill(process, SIGKILL) };
        }
        thread::sleep(Duration::from_millis(5));
    }
}

fn descendants() -> Vec<i32> {
    let mut parents = Vec::new();
    for entry in fs::read_dir("/proc").into_iter().flatten().flatten() {
        let Ok(process) = entry.file_name().to_string_lossy().parse::<i32>() else { continue };
        let stat = fs::read_to_string(entry.path().join("stat")).unwrap_or_default();
        let parent = stat.rsplit(')').next().and_then(|rest| rest.split_whitespace().nth(1)?.parse::<i32>().ok());
        parents.push((process, parent.unwrap_or(0)));
    }
    let mut found = vec![std::process::id() as i32];
    let mut next = 0;
    while next < found.len() {
        let above = found[next];
        let below = parents.iter().filter(|(process, parent)| *parent == above && !found.contains(process));
        let below: Vec<i32> = below.map(|(process, _)| *process).collect();
        found.extend(below);
        next += 1;
    }
    found.split_off(1)
}
