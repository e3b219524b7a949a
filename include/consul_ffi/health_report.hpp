/// A program's own health.

#ifndef CONSUL_FFI_HEALTH_REPORT_HPP
#define CONSUL_FFI_HEALTH_REPORT_HPP

#include "call.hpp"
#include "version.hpp"

CONSUL_FFI_NAMESPACE_BEGIN

/// What a program's `/health` sends.
struct health_document {
    /// 200 passing, 429 warning, 503 critical, as an HTTP check of Consul understands them.
    int http_status = 0;
    /// JSON.
    std::string body;
};

/// How the parts of a program are. Move-only. `client.health_report()` makes one that also tells
/// how the client's services, locks and sessions are getting on.
class health_report {
public:
    using handle_type = consul_health_report;

    /// Empty: every call gives `err_handle`.
    health_report() noexcept = default;
    /// Takes the handle over.
    explicit health_report(consul_health_report *handle) noexcept : handle_(handle) {}

    /// Makes a report without parts, of a program without a client.
    static result<health_report> create() {
        if (const auto fits = check_library(); !fits) {
            return fits.error();
        }
        const consul_client *none = nullptr;
        return detail::fetch<health_report>(consul_health_report_new, none);
    }

    /// Sets how a part is: `passing`, `warning` or `critical`, by a name of 1 to 256 bytes; adds it
    /// when it is new. `note` is for people. It counts as critical when it is not set again for
    /// more than `max_age`; 0 for ever.
    result<void> set(const c_text &name, const c_text &status, const c_text &note = nullptr,
                     std::chrono::milliseconds max_age = {}) const {
        return detail::invoke(consul_health_report_set, c_value(), name, status, note, max_age);
    }

    /// Forgets a part. `not_found` when there was none of this name.
    result<void> remove(const c_text &name) const {
        return detail::invoke(consul_health_report_remove, c_value(), name);
    }

    /// What the program's `/health` sends now. Asks nobody.
    result<health_document> document() const {
        std::int32_t http_status = 0;
        result<std::string> body =
            detail::fetch_text(consul_health_report_document, c_value(), &http_status);
        if (!body) {
            return body.error();
        }
        return health_document{http_status, std::move(*body)};
    }

    /// The handle as C has it. Borrowed.
    const consul_health_report *c_value() const noexcept { return handle_.get(); }

private:
    detail::owned<consul_health_report> handle_;
};

CONSUL_FFI_NAMESPACE_END

#endif
