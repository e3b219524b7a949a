/// What went wrong: a value, and what is thrown where exceptions are.

#ifndef CONSUL_FFI_ERROR_HPP
#define CONSUL_FFI_ERROR_HPP

#include "constants.hpp"
#include "names.hpp"

#include <cstdio>
#include <cstdlib>
#include <exception>
#include <map>
#include <memory>
#include <mutex>
#include <string>
#include <string_view>
#include <utility>

CONSUL_FFI_NAMESPACE_BEGIN

namespace detail {

/// The name of a status, a colon, and what it means. For ever: what is thrown while the program ends
/// is shown too.
inline const char *described(consul_status status) {
    static auto &lock = *new std::mutex;
    static auto &texts = *new std::map<consul_status, std::string>;
    const std::lock_guard<std::mutex> locked(lock);
    std::string &text = texts[status];
    if (text.empty()) {
        text.append(consul_status_name(status)).append(": ").append(consul_status_message(status));
    }
    return text.c_str();
}

} // namespace detail

/// How a call ended, with the details where it failed. A copy of its own, valid on any thread for
/// as long as it lives. Of an honest answer (not found, conflict, held) it says what was asked for,
/// where the call named it.
class error : public std::exception {
public:
    /// `status::ok`.
    error() noexcept = default;

    /// Without details.
    explicit error(consul::status status) noexcept : status_(status) {}

    /// An error of this side of the C ABI.
    error(consul::status status, std::string_view message)
        : status_(status), details_(details::make(status, message)) {}

    /// What a C function returned, with this thread's last error where it failed.
    static error of(consul_status status) {
        return status < 0 ? of(consul_last_error()) : error(static_cast<consul::status>(status));
    }

    /// A copy of what C keeps; `status::ok` where it keeps nothing.
    static error of(const consul_error *row) {
        error made(row == nullptr ? consul::status::ok : static_cast<consul::status>(row->status));
        if (made.is_error()) {
            made.details_ = details::make(*row);
        }
        return made;
    }

    /// The same; an honest answer says what it is about: a key, an id, a path. Null for nothing.
    error about(const char *subject) && {
        const auto code = static_cast<consul_status>(status_);
        const bool is_answer = code > 0 && status_ != consul::status::pending;
        if (is_answer && !details_ && subject != nullptr && *subject != '\0') {
            const std::string named = subject;
            details_ = details::make(status_, named + ": " + consul_status_message(code));
        }
        return std::move(*this);
    }

    consul::status status() const noexcept { return status_; }

    /// False for `ok` and for honest answers.
    bool is_error() const noexcept { return static_cast<consul_status>(status_) < 0; }

    /// The HTTP status that came with it; 0 where there was none.
    int http_status() const noexcept { return details_ ? details_->http_status : 0; }

    /// The same call may succeed later.
    bool retryable() const noexcept { return details_ && details_->retryable; }

    /// A change was sent and may have been applied, now or within minutes.
    bool outcome_unknown() const noexcept { return details_ && details_->outcome_unknown; }

    /// The address of the Consul agent it concerns; empty where there is none.
    std::string_view endpoint() const & noexcept {
        return details_ ? std::string_view(details_->endpoint) : std::string_view();
    }

    /// One line for people. Holds no secret.
    std::string_view message() const & noexcept {
        return details_ ? std::string_view(details_->text).substr(details_->message_at)
                        : consul_status_message(static_cast<consul_status>(status_));
    }

    /// The status's name, such as `CONSUL_ERR_TIMEOUT`.
    std::string_view name() const noexcept {
        return consul_status_name(static_cast<consul_status>(status_));
    }

    /// The status's name and the message.
    const char *what() const noexcept override {
        return details_ ? details_->text.c_str()
                        : detail::described(static_cast<consul_status>(status_));
    }

    // What they borrow would be gone at the end of the line: name the error first. `what` overrides one
    // that knows no lvalues, beside which only a template may.
    void endpoint() const && = delete;
    void message() const && = delete;
    template <class = void>
    void what() && = delete;

private:
    struct details {
        std::string text; // the name, a colon, the message
        std::size_t message_at = 0;
        std::string endpoint;
        int http_status = 0;
        bool retryable = false;
        bool outcome_unknown = false;

        static std::shared_ptr<details> make(consul::status status, std::string_view message) {
            auto made = std::make_shared<details>();
            made->text = consul_status_name(static_cast<consul_status>(status));
            made->text += ": ";
            made->message_at = made->text.size();
            made->text += message;
            return made;
        }

        static std::shared_ptr<details> make(const consul_error &row) {
            auto made = make(static_cast<consul::status>(row.status),
                             std::string_view(row.message, row.message_len));
            made->endpoint.assign(row.endpoint, row.endpoint_len);
            made->http_status = row.http_status;
            made->retryable = row.retryable;
            made->outcome_unknown = row.outcome_unknown;
            return made;
        }
    };

    consul::status status_ = consul::status::ok;
    // Shared, because copying what is thrown must not throw.
    std::shared_ptr<const details> details_;
};

namespace detail {

/// Throws it; without exceptions, prints it and ends the process.
[[noreturn]] inline void fail(const error &failure) {
#if CONSUL_FFI_EXCEPTIONS
    throw failure;
#else
    std::fprintf(stderr, "consul: %s\n", failure.what());
    std::abort();
#endif
}

} // namespace detail
CONSUL_FFI_NAMESPACE_END

#endif
