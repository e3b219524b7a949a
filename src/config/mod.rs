//! The configuration of a client: settings by name and string, from the program, from a token file
//! and from the environment, in this order of precedence.

pub mod address;
mod encryption;
mod options;
mod settings;
mod table;
mod value;

pub use address::{Address, Location, Place};
pub(crate) use encryption::{Encryption, Secret};
pub use options::{Consistency, Options};
pub use settings::Settings;
pub(crate) use settings::token_in;
pub use table::{Id, Kind, Scope, Setting, TABLE};

use crate::error::{Error, Result};

/// Settings by name. Making one reads the environment, once, on the thread that makes it; making
/// a client from it copies it.
#[derive(Clone)]
pub struct Config {
    explicit: [Option<String>; TABLE.len()],
    environment: [Option<String>; TABLE.len()],
}

impl Config {
    /// A configuration with the defaults and what the environment sets.
    pub fn new() -> Config {
        Config::from_environment(|variable| std::env::var(variable).ok())
    }

    /// A configuration with the defaults alone.
    pub fn without_environment() -> Config {
        Config::from_environment(|_| None)
    }

    fn from_environment(read: impl Fn(&str) -> Option<String>) -> Config {
        let mut config = Config {
            explicit: [const { None }; TABLE.len()],
            environment: [const { None }; TABLE.len()],
        };
        for setting in TABLE.iter().filter(|setting| !setting.environment.is_empty()) {
            // As with the official tools, an empty variable is an unset one.
            config.environment[setting.id as usize] =
                read(setting.environment).filter(|value| !value.is_empty());
        }
        config
    }

    /// Sets one setting. An unknown name or a value that is not allowed is an error that says what
    /// is, and changes nothing. An empty value goes back to the default, past the environment.
    pub fn set(&mut self, name: &str, value: &str) -> Result<()> {
        let setting = client_setting(name)?;
        if !value.is_empty() {
            value::check(setting, value).map_err(|error| error.context(name))?;
        }
        self.explicit[setting.id as usize] = Some(value.to_string());
        Ok(())
    }

    /// The value in force as text, the default where nothing set it. Secrets are not given out:
    /// a set one reads `<hidden>`.
    pub fn get(&self, name: &str) -> Result<String> {
        Ok(self.shown(client_setting(name)?))
    }

    /// Every setting with its value, a line each, secrets hidden.
    pub fn dump(&self) -> String {
        let client = TABLE.iter().filter(|setting| setting.scope != Scope::Call);
        client.map(|setting| format!("{} = {}\n", setting.name, self.shown(setting))).collect()
    }

    fn shown(&self, setting: &Setting) -> String {
        let (value, _) = self.effective(setting);
        match setting.kind {
            Kind::Secret if !value.is_empty() => "<hidden>".to_string(),
            _ => value.to_string(),
        }
    }

    /// The value in force and a name for where it comes from, for messages.
    fn effective(&self, setting: &Setting) -> (&str, &'static str) {
        if let Some(value) = &self.explicit[setting.id as usize] {
            let value = if value.is_empty() { setting.default } else { value };
            return (value, setting.name);
        }
        match &self.environment[setting.id as usize] {
            Some(value) => (value, setting.environment),
            None => (setting.default, setting.name),
        }
    }

    /// True when the program itself set it, to nothing included.
    fn is_explicit(&self, id: Id) -> bool {
        self.explicit[id as usize].is_some()
    }
}

impl Default for Config {
    fn default() -> Config {
        Config::new()
    }
}

impl std::fmt::Debug for Config {
    fn fmt(&self, f: &mut std::fmt::Formatter<'_>) -> std::fmt::Result {
        f.write_str(&self.dump())
    }
}

fn client_setting(name: &str) -> Result<&'static Setting> {
    match Setting::named(name) {
        Some(setting) if setting.scope == Scope::Call => Err(Error::config(format!(
            "\"{name}\" is a setting of one call: set it in the call's options"
        ))),
        Some(setting) => Ok(setting),
        None => Err(unknown_setting(name)),
    }
}

fn unknown_setting(name: &str) -> Error {
    let client = TABLE.iter().filter(|setting| setting.scope != Scope::Call);
    let known: Vec<&str> = client.map(|setting| setting.name).collect();
    Error::config(format!("unknown setting \"{name}\"; there are {}", known.join(", ")))
}

#[cfg(test)]
mod tests {
    use super::*;
    use crate::error::Status;

    fn with(variables: &[(&str, &str)]) -> Config {
        Config::from_environment(|name| {
            variables.iter().find(|(n, _)| *n == name).map(|(_, value)| value.to_string())
        })
    }

    #[test]
    fn an_unknown_setting_is_refused_and_the_known_ones_are_named() {
        let error = Config::without_environment().set("adress", "x").unwrap_err();
        assert_eq!(error.status(), Status::Config);
        assert!(error.message().contains("adress") && error.message().contains("tls_ca_file"));
    }

    #[test]
    fn a_setting_of_one_call_is_refused_with_a_hint() {
        let error = Config::without_environment().set("index", "5").unwrap_err();
        assert!(error.message().contains("options"), "{error}");
    }

    #[test]
    fn a_value_out_of_range_names_the_range_and_changes_nothing() {
        let mut config = Config::without_environment();
        let error = config.set("max_connections", "201").unwrap_err();
        assert_eq!(
            error.message(),
            "max_connections: \"201\" is not allowed, it takes a whole number from 1 to 200"
        );
        assert_eq!(config.get("max_connections").unwrap(), "16");
    }

    #[test]
    fn explicit_beats_environment_beats_default() {
        let mut config = with(&[("CONSUL_HTTP_ADDR", "10.0.0.1:8500")]);
        assert_eq!(config.get("address").unwrap(), "10.0.0.1:8500");
        config.set("address", "10.0.0.2:8500").unwrap();
        assert_eq!(config.get("address").unwrap(), "10.0.0.2:8500");
        config.set("address", "").unwrap();
        assert_eq!(config.get("address").unwrap(), "http://127.0.0.1:8500");
    }

    #[test]
    fn secrets_are_never_shown() {
        let mut config = with(&[("CONSUL_HTTP_AUTH", "user:hunter2")]);
        config.set("token", "s3cr3t").unwrap();
        let shown = format!("{}{config:?}{}", config.dump(), config.get("token").unwrap());
        assert!(!shown.contains("s3cr3t") && !shown.contains("hunter2"), "{shown}");
        assert!(config.dump().contains("token = <hidden>"));
    }
}
