use sample::next_high_water;
use std::fs;
use std::net::{SocketAddr, TcpStream};
use std::os::unix::fs::MetadataExt;
use std::time::{Duration, SystemTime};

#[test]
fn the_next_high_water_is_12_hours_25_minutes_later() {
    let next = next_high_water(SystemTime::UNIX_EPOCH);
    assert_eq!(next.duration_since(SystemTime::UNIX_EPOCH).unwrap().as_secs(), 44_700);
}

#[test]
fn nobody_special_nothing_writable_outside_no_network() {
    assert_eq!(fs::metadata("/proc/self").unwrap().uid(), 10001);
    assert!(fs::write("/usr/local/planted", "x").is_err());
    let outside: SocketAddr = "192.0.2.1:80".parse().unwrap();
    assert!(TcpStream::connect_timeout(&outside, Duration::from_secs(1)).is_err());
}
