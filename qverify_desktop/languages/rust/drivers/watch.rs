// Reports what tests see into the file that QV_RECORD names, one JSON document a line. Laid beside generated tests in the sandbox,
// never kept: the assertions below stand before the standard ones and do the same, with a record when they fail.
#![allow(dead_code, unused_macros)]

use std::fmt::Debug;
use std::fs::OpenOptions;
use std::io::Write;

const MOST: usize = 1500;

pub fn quoted(text: &str) -> String {
    let mut out = String::from("\"");
    for character in text.chars() {
        match character {
            '"' => out.push_str("\\\""),
            '\\' => out.push_str("\\\\"),
            c if (c as u32) < 0x20 => out.push_str(&format!("\\u{:04x}", c as u32)),
            c => out.push(c),
        }
    }
    out.push('"');
    out
}

pub fn cut(text: String) -> String {
    if text.chars().count() > MOST {
        text.chars().take(MOST).chain("…".chars()).collect()
    } else {
        text
    }
}

pub fn note(line: &str) {
    if let Ok(path) = std::env::var("QV_RECORD") {
        if let Ok(mut file) = OpenOptions::new().create(true).append(true).open(path) {
            let _ = file.write_all(format!("{}\n", line).as_bytes());
        }
    }
}

pub fn differs(observed: String) {
    note(&format!("{{\"kind\": \"assertion\", \"observed\": {}}}", quoted(&cut(observed))));
}

macro_rules! assert_eq {
    ($left:expr, $right:expr $(,)?) => {
        match (&$left, &$right) {
            (left, right) => {
                if !(*left == *right) {
                    crate::qv_watch::differs(format!("{:?}", left));
                    ::std::panic!("not equal: {:?}, {:?}", left, right);
                }
            }
        }
    };
    ($left:expr, $right:expr, $($words:tt)+) => {
        match (&$left, &$right) {
            (left, right) => {
                if !(*left == *right) {
                    crate::qv_watch::differs(format!("{:?}", left));
                    ::std::panic!($($words)+);
                }
            }
        }
    };
}

macro_rules! assert_ne {
    ($left:expr, $right:expr $(, $($words:tt)*)?) => {
        match (&$left, &$right) {
            (left, right) => {
                if *left == *right {
                    crate::qv_watch::differs(format!("{:?}", left));
                    ::std::panic!("equal: {:?}, {:?}", left, right);
                }
            }
        }
    };
}

macro_rules! assert {
    ($truth:expr $(,)?) => {
        if !$truth {
            crate::qv_watch::differs(::std::string::String::from("false"));
            ::std::panic!("not true: {}", ::std::stringify!($truth));
        }
    };
    ($truth:expr, $($words:tt)+) => {
        if !$truth {
            crate::qv_watch::differs(format!($($words)+));
            ::std::panic!($($words)+);
        }
    };
}

pub struct Seen<'a, T: ?Sized>(pub &'a T);

pub trait Shown {
    fn shown(&self) -> Option<String>;
}

impl<T: Debug + ?Sized> Shown for Seen<'_, T> {
    fn shown(&self) -> Option<String> {
        Some(format!("{:?}", self.0))
    }
}

pub trait Unshown {
    fn shown(&self) -> Option<String>;
}

impl<T: ?Sized> Unshown for &Seen<'_, T> {
    fn shown(&self) -> Option<String> {
        None
    }
}

/// Run one call and note what it gave; with coverage also whether it reached what no call of this test did before.
macro_rules! observe {
    ($number:expr, $inputs:expr, $call:expr) => {{
        #[allow(unused_imports)]
        use crate::qv_watch::{Shown as _, Unshown as _};
        crate::qv_watch::begin();
        let outcome = ::std::panic::catch_unwind(::std::panic::AssertUnwindSafe(|| {
            let value = $call;
            (&crate::qv_watch::Seen(&value)).shown()
        }));
        crate::qv_watch::saw($number, $inputs, outcome.ok());
    }};
}

pub fn saw(number: usize, inputs: &str, outcome: Option<Option<String>>) {
    let fresh = counters::fresh();
    let shown = match &outcome {
        Some(Some(text)) if text.len() <= 4 * MOST => quoted(text),
        Some(_) => "null".to_string(),
        None => "false".to_string(),
    };
    note(&format!(
        "{{\"kind\": \"saw\", \"number\": {}, \"inputs\": {}, \"shown\": {}, \"fresh\": {}}}",
        number, inputs, shown, fresh
    ));
}

pub fn begin() {
    counters::reset();
}

#[cfg(qv_coverage)]
mod counters {
    use std::sync::Mutex;

    static SEEN: Mutex<Vec<bool>> = Mutex::new(Vec::new());

    extern "C" {
        fn __llvm_profile_begin_counters() -> *const u8;
        fn __llvm_profile_end_counters() -> *const u8;
        fn __llvm_profile_reset_counters();
    }

    pub fn reset() {
        unsafe { __llvm_profile_reset_counters() };
    }

    /// How many counters went up that were never up before.
    pub fn fresh() -> usize {
        let now: Vec<bool> = unsafe {
            let begin = __llvm_profile_begin_counters() as *const u64;
            let count = (__llvm_profile_end_counters() as usize - begin as usize) / 8;
            (0..count).map(|at| std::ptr::read_volatile(begin.add(at)) != 0).collect()
        };
        let mut seen = SEEN.lock().unwrap_or_else(|poisoned| poisoned.into_inner());
        seen.resize(now.len(), false);
        let mut count = 0;
        for (old, new) in seen.iter_mut().zip(now) {
            if new && !*old {
                *old = true;
                count += 1;
            }
        }
        count
    }
}

#[cfg(not(qv_coverage))]
mod counters {
    pub fn reset() {}

    pub fn fresh() -> usize {
        0
    }
}

#[used]
#[link_section = ".init_array"]
static START: extern "C" fn() = start;

/// Before `main`: libtest calls the hook that it finds after its own.
extern "C" fn start() {
    std::panic::set_hook(Box::new(|panic| {
        let words = match panic.payload().downcast_ref::<&str>() {
            Some(text) => text.to_string(),
            None => panic.payload().downcast_ref::<String>().cloned().unwrap_or_default(),
        };
        let (file, line) = panic.location().map_or((String::new(), 0), |at| (at.file().to_string(), at.line()));
        let frames = if file.starts_with('/') { traced() } else { vec![format!("{}:{}", file, line)] };
        let listed: Vec<String> = frames.iter().map(|frame| quoted(frame)).collect();
        let listed = listed.join(", ");
        note(&format!("{{\"kind\": \"panic\", \"message\": {}, \"frames\": [{}]}}", quoted(&cut(words)), listed));
    }));
}

/// Places in the repository on the way to a panic of the standard library, outermost first.
fn traced() -> Vec<String> {
    let text = std::backtrace::Backtrace::force_capture().to_string();
    let places = text.lines().filter_map(|line| line.trim().strip_prefix("at ./"));
    let mut found: Vec<String> = places
        .filter_map(|place| place.rsplit_once(':').map(|(front, _)| front.to_string()))
        .filter(|place| !place.contains("qv_watch.rs"))
        .take(20)
        .collect();
    found.reverse();
    found
}
