/// Settings: those of a client, and those of single calls.

#ifndef CONSUL_FFI_OPTIONS_HPP
#define CONSUL_FFI_OPTIONS_HPP

#include "setters.hpp"

#include <string>

CONSUL_FFI_NAMESPACE_BEGIN

/// The settings that a client is made from, by name and string: docs/settings.md lists them.
///
///     consul::config config;
///     config.set("address", "http://10.0.0.1:8500").set("timeout_ms", "2000");
class config : public detail::config_setters<config> {
public:
    /// The defaults and what the environment sets, which is read here, once, on this thread.
    config() { create(consul_config_new); }

    /// The defaults alone.
    static config without_environment() { return config(consul_config_new_without_environment); }

    /// The value in force. Secrets are not given out: one that is set reads `<hidden>`.
    result<std::string> get(const c_text &name) const {
        return detail::fetch_text(consul_config_get, *this, name);
    }

    /// Every setting with its value, a line each, secrets hidden.
    result<std::string> dump() const { return detail::fetch_text(consul_config_dump, *this); }

private:
    explicit config(consul_status (*function)(consul_config **)) { create(function); }
};

/// The settings of single calls; what is not set is as the client has it. One may serve any number
/// of calls and threads at once, as long as nobody changes it meanwhile.
///
///     consul::options options;
///     options.index(index).wait(std::chrono::seconds(30));
class options : public detail::options_setters<options> {
public:
    /// They change nothing, and cost nothing.
    options() noexcept {}

private:
    friend class detail::builder<options, consul_options>;

    /// The handle is made when something is set for the first time.
    void prepare() {
        if (c_value() == nullptr) {
            create(consul_options_new);
        }
    }
};

CONSUL_FFI_NAMESPACE_END

#endif
