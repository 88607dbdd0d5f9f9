//! Settings of a server.
//!
//! # Quick start
//!
//! ```
//! use server_settings::prelude::*;
//!
//! let settings = Settings::builder().port(8080).name("harbour").build();
//! assert_eq!(settings.port(), 8080);
//! assert_eq!(settings.to_string(), "harbour:8080");
//! ```

pub mod parse;
mod settings;

pub use settings::{Builder, Settings};

/// What most programs need.
pub mod prelude {
    pub use crate::parse::lines;
    pub use crate::{Builder, Settings};
}
