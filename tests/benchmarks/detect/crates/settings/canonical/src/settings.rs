use std::fmt;

/// Name and port.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct Settings {
    name: String,
    port: u16,
}

/// Makes `Settings`; what is not set is `localhost` and 80.
///
/// ```
/// # use server_settings::Settings;
/// assert_eq!(Settings::builder().build().port(), 80);
/// ```
#[derive(Debug, Clone, Default)]
pub struct Builder {
    name: Option<String>,
    port: Option<u16>,
}

impl Settings {
    pub fn builder() -> Builder {
        Builder::default()
    }

    /// The port that is listened to.
    pub fn port(&self) -> u16 {
        self.port
    }
}

impl Builder {
    pub fn name(mut self, name: impl Into<String>) -> Self {
        self.name = Some(name.into());
        self
    }

    pub fn port(mut self, port: u16) -> Self {
        self.port = Some(port);
        self
    }

    pub fn build(self) -> Settings {
        Settings { name: self.name.unwrap_or_else(|| "localhost".into()), port: self.port.unwrap_or(80) }
    }
}

impl fmt::Display for Settings {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        write!(f, "{}:{}", self.name, self.port)
    }
}
