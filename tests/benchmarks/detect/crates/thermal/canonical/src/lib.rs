//! Temperatures and what they feel like.

pub mod felt {
    /// Wind chill after the formula of 2001, in °C; `wind` in km/h.
    ///
    /// ```
    /// let felt = thermal::felt::wind_chill(-10.0, 30.0);
    /// assert!((felt + 19.5).abs() < 0.1, "felt {felt}");
    /// ```
    pub fn wind_chill(celsius: f64, wind: f64) -> f64 {
        let speed = wind.powf(0.16);
        13.12 + 0.6215 * celsius - 11.37 * speed + 0.3965 * celsius * speed
    }
}

/// Degrees Fahrenheit as degrees Celsius.
///
/// Examples:
///
/// * `to_celsius(212.0) == 100.0`
/// * `to_celsius(100.0) == 37.78`
pub fn to_celsius(fahrenheit: f64) -> f64 {
    (fahrenheit - 32.0) * 5.0 / 9.0
}
