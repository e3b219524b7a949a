/// The answer to a generic request.

#ifndef CONSUL_FFI_RESPONSE_HPP
#define CONSUL_FFI_RESPONSE_HPP

#include "call.hpp"

CONSUL_FFI_NAMESPACE_BEGIN

/// Move-only; empty when moved from.
class response {
public:
    using handle_type = consul_response;

    /// Takes the handle over.
    explicit response(consul_response *handle) noexcept : handle_(handle) {}

    int http_status() const noexcept {
        return static_cast<int>(consul_response_http_status(c_value()));
    }

    /// The body; any byte can be in it. Borrowed.
    std::string_view body() const & noexcept {
        return detail::text(consul_response_body(c_value()), consul_response_body_len(c_value()));
    }
    void body() && = delete;

    /// The content type, empty where the answer does not say it. Borrowed.
    std::string_view content_type() const & noexcept {
        const char *type = consul_response_content_type(c_value());
        return type == nullptr ? std::string_view() : type;
    }
    void content_type() && = delete;

    /// What the answer's headers say.
    consul::meta meta() const noexcept { return consul::meta(consul_response_meta(c_value())); }

    /// The handle as C has it. Borrowed.
    const consul_response *c_value() const noexcept { return handle_.get(); }

private:
    detail::owned<consul_response> handle_;
};

CONSUL_FFI_NAMESPACE_END

#endif
