//! Where a Consul agent listens, or that it is one in memory.

use crate::error::{Error, Result};
use std::fmt;
use std::net::Ipv6Addr;
use std::path::PathBuf;

const ALLOWED: &str = "allowed are host:port, http://host:port, https://host:port, unix:///path, /path, \
     embedded: and embedded:NAME";

/// What the address of an agent in memory begins with.
const EMBEDDED: &str = "embedded:";

/// The most addresses of one client.
const MAX_ADDRESSES: usize = 16;

/// The longest path that fits a socket address (unix(7)), its end marker not counted.
const MAX_SOCKET_PATH: usize = 107;

/// What a client's address leads to.
#[derive(Clone, Debug, PartialEq, Eq)]
pub enum Location {
    /// A Consul agent that listens somewhere.
    Http(Address),
    /// An agent in this process's memory, by the name that clients share it by; without a name it is
    /// one client's own.
    Embedded(String),
}

impl Location {
    /// Reads what [`Address::parse`] reads, `embedded:` and `embedded:name`.
    pub fn parse(text: &str) -> Result<Location> {
        let Some(name) = text.strip_prefix(EMBEDDED) else {
            return Address::parse(text).map(Location::Http);
        };
        let is_name = |c: char| c.is_ascii_alphanumeric() || matches!(c, '-' | '.' | '_');
        if !name.chars().all(is_name) {
            return Err(refuse(format_args!(
                "{name:?} cannot name an embedded agent; a name may hold letters, digits, '-', '.' \
                 and '_'"
            )));
        }
        Ok(Location::Embedded(name.to_owned()))
    }

    /// Reads one of these, or several addresses with commas between them.
    pub fn parse_list(text: &str) -> Result<Vec<Location>> {
        if text.starts_with(EMBEDDED) {
            return Ok(vec![Location::parse(text)?]);
        }
        Ok(Address::parse_list(text)?.into_iter().map(Location::Http).collect())
    }

    /// The same place, spoken to with TLS where it is not in this process.
    pub fn with_tls(self) -> Location {
        match self {
            Location::Http(address) => Location::Http(address.with_tls()),
            embedded => embedded,
        }
    }

    /// True when TLS is spoken.
    pub fn is_tls(&self) -> bool {
        matches!(self, Location::Http(address) if address.is_tls())
    }
}

/// The address of a Consul agent: a TCP port or a unix socket, with or without TLS.
///
/// Without a port it is Consul's usual one: 8500, with TLS 8501.
#[derive(Clone, Debug, PartialEq, Eq, Hash)]
pub struct Address {
    place: Place,
    tls: bool,
    prefix: String,
}

/// What a connection goes to.
#[derive(Clone, Debug, PartialEq, Eq, Hash)]
pub enum Place {
    /// A TCP port.
    Tcp {
        /// A name or an IP address, an IPv6 address without its brackets.
        host: String,
        /// The port, when it was given.
        port: Option<u16>,
    },
    /// A unix socket.
    Unix(PathBuf),
}

impl Address {
    /// Reads `host`, `host:port`, `http://host:port/prefix`, `https://…`, `unix:///path` or
    /// `/path`. An IPv6 address stands in brackets: `[::1]:8500`.
    pub fn parse(text: &str) -> Result<Address> {
        if text.starts_with('/') {
            return Address::unix(text);
        }
        let Some((scheme, rest)) = text.split_once("://") else {
            return Address::tcp(text, false);
        };
        match scheme.to_ascii_lowercase().as_str() {
            "http" => Address::tcp(rest, false),
            "https" => Address::tcp(rest, true),
            "unix" => Address::unix(rest),
            _ => Err(refuse(format_args!("unknown scheme {scheme:?}"))),
        }
    }

    /// Reads one or more addresses with commas between them, each of another place.
    pub fn parse_list(text: &str) -> Result<Vec<Address>> {
        let mut addresses: Vec<Address> = Vec::new();
        for part in text.split(',') {
            let address = Address::parse(part.trim())?;
            if addresses.iter().any(|known| known.canonical() == address.canonical()) {
                return Err(refuse(format_args!("{address} is named twice")));
            }
            addresses.push(address);
        }
        match addresses.len() {
            ..=MAX_ADDRESSES => Ok(addresses),
            many => Err(refuse(format_args!("{many} are too many, {MAX_ADDRESSES} may be named"))),
        }
    }

    fn unix(path: &str) -> Result<Address> {
        if !path.starts_with('/') {
            return Err(refuse("the path of a unix socket must be absolute, as in unix:///path"));
        }
        if path.contains('\0') {
            return Err(refuse("the path of a unix socket must not hold a NUL"));
        }
        if path.len() > MAX_SOCKET_PATH {
            return Err(refuse(format_args!(
                "the path of a unix socket has {} bytes, at most {MAX_SOCKET_PATH} are possible",
                path.len()
            )));
        }
        Ok(Address { place: Place::Unix(path.into()), tls: false, prefix: String::new() })
    }

    fn tcp(rest: &str, tls: bool) -> Result<Address> {
        let (authority, prefix) = match rest.find('/') {
            Some(slash) => rest.split_at(slash),
            None => (rest, ""),
        };
        // Checked first: no other message may repeat a password.
        if authority.contains('@') {
            return Err(refuse(
                "a user name or password does not belong into it; use the setting http_auth",
            ));
        }
        let (host, port) = split_port(authority)?;
        Ok(Address {
            place: Place::Tcp { host: host.to_owned(), port },
            tls,
            prefix: checked_prefix(prefix)?,
        })
    }

    /// The same address, spoken to with TLS.
    pub fn with_tls(mut self) -> Address {
        self.tls = true;
        self
    }

    /// What a connection goes to.
    pub fn place(&self) -> &Place {
        &self.place
    }

    /// True when TLS is spoken.
    pub fn is_tls(&self) -> bool {
        self.tls
    }

    /// What stands before every path of the API, without a slash at its end: `/consul` or nothing.
    pub fn prefix(&self) -> &str {
        &self.prefix
    }

    /// The same place, written in the one way that all its spellings share, without the prefix.
    pub(crate) fn canonical(&self) -> Address {
        let place = match &self.place {
            Place::Tcp { host, .. } => {
                Place::Tcp { host: host.to_ascii_lowercase(), port: Some(self.port()) }
            }
            Place::Unix(path) => Place::Unix(path.clone()),
        };
        Address { place, tls: self.tls, prefix: String::new() }
    }

    /// The port given, or Consul's usual one. 0 for a unix socket.
    pub fn port(&self) -> u16 {
        match (&self.place, self.tls) {
            (Place::Tcp { port: Some(port), .. }, _) => *port,
            (Place::Tcp { .. }, false) => 8500,
            (Place::Tcp { .. }, true) => 8501,
            (Place::Unix(_), _) => 0,
        }
    }

    /// Host and port as a URL has them; `localhost` for a unix socket.
    pub fn authority(&self) -> String {
        match &self.place {
            Place::Unix(_) => "localhost".to_owned(),
            Place::Tcp { host, .. } if host.contains(':') => format!("[{host}]:{}", self.port()),
            Place::Tcp { host, .. } => format!("{host}:{}", self.port()),
        }
    }
}

impl std::str::FromStr for Address {
    type Err = Error;

    fn from_str(text: &str) -> Result<Address> {
        Address::parse(text)
    }
}

impl fmt::Display for Address {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        if let Place::Unix(path) = &self.place {
            return write!(f, "unix://{}", path.display());
        }
        let scheme = if self.tls { "https" } else { "http" };
        write!(f, "{scheme}://{}{}", self.authority(), self.prefix)
    }
}

fn refuse(cause: impl fmt::Display) -> Error {
    Error::config(format!("the address cannot be used: {cause}; {ALLOWED}"))
}

fn split_port(authority: &str) -> Result<(&str, Option<u16>)> {
    if let Some(rest) = authority.strip_prefix('[') {
        let (host, port) = rest
            .split_once(']')
            .ok_or_else(|| refuse(format_args!("{authority:?} lacks the closing bracket")))?;
        if host.parse::<Ipv6Addr>().is_err() {
            return Err(refuse(format_args!("{host:?} is not an IPv6 address")));
        }
        return match port.strip_prefix(':') {
            Some(port) => Ok((host, Some(parsed_port(port)?))),
            None if port.is_empty() => Ok((host, None)),
            None => Err(refuse(format_args!("after the bracket stands {port:?}, not a port"))),
        };
    }
    if authority.parse::<Ipv6Addr>().is_ok() {
        return Err(refuse(format_args!(
            "an IPv6 address stands in brackets, as in [{authority}]:8500"
        )));
    }
    let (host, port) = match authority.split_once(':') {
        Some((host, port)) => (host, Some(parsed_port(port)?)),
        None => (authority, None),
    };
    if host.is_empty() {
        return Err(refuse("the host is missing"));
    }
    let is_host = |c: char| c.is_ascii_alphanumeric() || matches!(c, '-' | '.' | '_');
    if !host.chars().all(is_host) {
        return Err(refuse(format_args!(
            "{host:?} is not a host name; it may hold letters, digits, '-', '.' and '_'"
        )));
    }
    Ok((host, port))
}

fn parsed_port(text: &str) -> Result<u16> {
    let digits = text.bytes().all(|b| b.is_ascii_digit());
    match text.parse() {
        Ok(port) if port > 0 && digits => Ok(port),
        _ => Err(refuse(format_args!("{text:?} is not a port from 1 to 65535"))),
    }
}

fn checked_prefix(prefix: &str) -> Result<String> {
    if prefix.contains(['?', '#']) {
        return Err(refuse("it must not hold a query or a fragment"));
    }
    // What RFC 3986, section 3.3 lets a path hold.
    let is_path = |c: char| c.is_ascii_alphanumeric() || "/-._~%!$&'()*+,;=:@".contains(c);
    if !prefix.chars().all(is_path) {
        return Err(refuse(format_args!("the path {prefix:?} must be percent-encoded")));
    }
    Ok(prefix.trim_end_matches('/').to_owned())
}

#[cfg(test)]
mod tests {
    use super::{Address, Location, Place};
    use crate::error::Status;

    fn shown(text: &str) -> String {
        Address::parse(text).unwrap().to_string()
    }

    fn refused(text: &str) -> String {
        let error = Address::parse(text).unwrap_err();
        assert_eq!(error.status(), Status::Config, "{text}");
        error.message().to_owned()
    }

    #[test]
    fn every_form_is_read() {
        for (text, expected) in [
            ("127.0.0.1:8500", "http://127.0.0.1:8500"),
            ("consul.service.consul", "http://consul.service.consul:8500"),
            ("localhost:80", "http://localhost:80"),
            ("http://a_b-c.example", "http://a_b-c.example:8500"),
            ("https://consul", "https://consul:8501"),
            ("HTTPS://consul:443", "https://consul:443"),
            ("http://consul:1/", "http://consul:1"),
            ("http://consul:1/a/b%20c//", "http://consul:1/a/b%20c"),
            ("consul/prefix", "http://consul:8500/prefix"),
            ("[::1]:8500", "http://[::1]:8500"),
            ("https://[2001:db8::1]", "https://[2001:db8::1]:8501"),
            ("unix:///run/consul.sock", "unix:///run/consul.sock"),
            ("/run/consul.sock", "unix:///run/consul.sock"),
        ] {
            assert_eq!(shown(text), expected, "{text}");
        }
    }

    #[test]
    fn an_agent_in_memory_is_told_from_one_that_listens() {
        let embedded = |name: &str| Ok(Location::Embedded(name.to_owned()));
        assert_eq!(Location::parse("embedded:"), embedded(""));
        assert_eq!(Location::parse("embedded:a-1"), embedded("a-1"));
        let refused = Location::parse("embedded://a").unwrap_err();
        assert!(refused.message().contains("cannot name an embedded agent"), "{refused}");
        assert!(matches!(Location::parse("/run/c.sock"), Ok(Location::Http(_))));
    }

    #[test]
    fn the_parts_are_told_apart() {
        let address = Address::parse("https://[::1]:9/x").unwrap();
        assert_eq!(address.place(), &Place::Tcp { host: "::1".into(), port: Some(9) });
        assert_eq!(address.authority(), "[::1]:9");
        assert_eq!(address.prefix(), "/x");
        assert!(address.is_tls());
        let unix = Address::parse("/run/c.sock").unwrap();
        assert_eq!(unix.place(), &Place::Unix("/run/c.sock".into()));
        assert_eq!(unix.authority(), "localhost");
    }

    #[test]
    fn tls_changes_only_the_usual_port() {
        let with_tls = |text| Address::parse(text).unwrap().with_tls().to_string();
        assert_eq!(with_tls("consul"), "https://consul:8501");
        assert_eq!(with_tls("consul:8500"), "https://consul:8500");
    }

    #[test]
    fn malformed_addresses_name_the_cause_and_what_is_allowed() {
        for (text, cause) in [
            ("", "host is missing"),
            ("http://", "host is missing"),
            (":8500", "host is missing"),
            ("ftp://consul", "unknown scheme \"ftp\""),
            ("consul:0", "not a port"),
            ("consul:65536", "not a port"),
            ("consul:+1", "not a port"),
            ("consul:", "not a port"),
            ("a b:8500", "not a host name"),
            ("::1", "in brackets, as in [::1]:8500"),
            ("[::1", "closing bracket"),
            ("[::1]8500", "not a port"),
            ("[consul]:8500", "not an IPv6 address"),
            ("http://consul/a?b=1", "query"),
            ("http://consul/a b", "percent-encoded"),
            ("unix://run/consul.sock", "absolute"),
        ] {
            let message = refused(text);
            assert!(message.contains(cause), "{text}: {message}");
            assert!(message.contains("allowed are host:port"), "{text}: {message}");
        }
        assert!(refused(&format!("/{}", "x".repeat(107))).contains("at most 107"));
    }

    #[test]
    fn a_list_holds_every_form_and_each_place_once() {
        let list = Address::parse_list("a:1, https://b ,unix:///run/c.sock").unwrap();
        let shown: Vec<_> = list.iter().map(ToString::to_string).collect();
        assert_eq!(shown, ["http://a:1", "https://b:8501", "unix:///run/c.sock"]);
        for (text, cause) in
            [("a,", "host is missing"), ("a:8500,A", "named twice"), ("a,ftp://b", "scheme")]
        {
            let message = Address::parse_list(text).unwrap_err().message().to_owned();
            assert!(message.contains(cause), "{text}: {message}");
        }
        let many: Vec<_> = (1..=17).map(|port| format!("a:{port}")).collect();
        let error = Address::parse_list(&many.join(",")).unwrap_err();
        assert!(error.message().contains("17 are too many"), "{error}");
    }

    #[test]
    fn credentials_are_refused_and_not_repeated() {
        for text in ["http://user:secret@consul:8500", "user:secret@consul", "https://secret@c"] {
            let message = refused(text);
            assert!(message.contains("http_auth"), "{message}");
            assert!(!message.contains("secret"), "{message}");
        }
    }
}
