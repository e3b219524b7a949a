/// What a program puts together step by step. A step that fails is remembered: the following ones
/// do nothing, and the call that takes the thing gives the error, so one look at the end is enough.

#ifndef CONSUL_FFI_BUILDER_HPP
#define CONSUL_FFI_BUILDER_HPP

#include "call.hpp"
#include "version.hpp"

#include <utility>

CONSUL_FFI_NAMESPACE_BEGIN
namespace detail {

/// Move-only. One that was moved from is refused by every call. Change it on one thread at a time.
template <class Self, class Handle>
class builder {
public:
    builder(builder &&other) noexcept : handle_(std::move(other.handle_)), error_(other.leave()) {}
    builder &operator=(builder &&other) noexcept {
        if (this != &other) {
            handle_ = std::move(other.handle_);
            error_ = other.leave();
        }
        return *this;
    }

    /// The first step that failed; `ok` where none did.
    const consul::error &error() const & noexcept { return error_; }
    consul::error error() const && noexcept { return error_; }

    consul::error refused() const { return error_; }
    Handle *c_value() const noexcept { return handle_.get(); }

protected:
    builder() noexcept = default;
    ~builder() = default;

    /// Makes the handle.
    template <class New, class... Arguments>
    void create(New function, const Arguments &...arguments) {
        error_ = check_library().error();
        if (error_.is_error()) {
            return;
        }
        Handle *made = nullptr;
        error_ = invoke(function, arguments..., &made);
        handle_.reset(made);
    }

    template <class Setter, class... Arguments>
    Self &apply(Setter function, const Arguments &...arguments) {
        Self &self = static_cast<Self &>(*this);
        if (!error_.is_error()) {
            self.prepare();
        }
        if (!error_.is_error()) {
            error_ = invoke(function, handle_.get(), arguments...);
        }
        return self;
    }

    /// Before each step.
    void prepare() noexcept {}

private:
    consul::error leave() noexcept {
        return std::exchange(error_, consul::error(consul::status::err_handle));
    }

    owned<Handle> handle_;
    consul::error error_;
};

} // namespace detail
CONSUL_FFI_NAMESPACE_END

#endif
