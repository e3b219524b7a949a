/// What all calls about a handle share, and how they become asynchronous.

#ifndef CONSUL_FFI_CALLS_HPP
#define CONSUL_FFI_CALLS_HPP

#include "options.hpp"
#include "queue.hpp"

#include <optional>

CONSUL_FFI_NAMESPACE_BEGIN
namespace detail {

/// Calls about a handle, which is borrowed: once it is gone, they give `err_handle`. They block, or
/// end in a queue.
template <class Handle>
class calls {
public:
    using handle_type = Handle;

    explicit calls(Handle *handle, const std::optional<consul_async> &async = {}) noexcept
        : handle_(handle), async_(async) {}

protected:
    template <class T, class Function, class... Arguments>
    result<T> get(Function function, const Arguments &...arguments) const {
        return fetch<T>(function, handle_, arguments..., async());
    }

    template <class Function, class... Arguments>
    result<std::string> get_text(Function function, const Arguments &...arguments) const {
        return fetch_text(function, handle_, arguments..., async());
    }

    template <class Function, class... Arguments>
    result<void> run(Function function, const Arguments &...arguments) const {
        return invoke(function, handle_, arguments..., async());
    }

    Handle *handle_;
    std::optional<consul_async> async_;

private:
    const consul_async *async() const noexcept { return async_ ? &*async_ : nullptr; }
};

/// Owns the handle that its calls, which block, are about. Move-only.
template <class Calls>
class owner : public Calls {
public:
    using handle_type = typename Calls::handle_type;

    owner() noexcept : owner(nullptr) {}
    explicit owner(handle_type *handle) noexcept : Calls(handle) {}
    owner(owner &&other) noexcept : Calls(other.detach()) {}
    owner &operator=(owner &&other) noexcept {
        const owned<handle_type> before(std::exchange(this->handle_, other.detach()));
        return *this;
    }
    ~owner() { free_handle()(this->handle_); }

    /// The same calls, asynchronous: each gives `pending`, and its end arrives in the queue under
    /// this tag, with the status and the result of the blocking call. What cannot be started gives
    /// its error at once, and nothing arrives.
    Calls on(const consul::queue &queue, std::uint64_t tag = 0) const noexcept {
        return Calls(this->handle_, consul_async{queue.c_value(), tag});
    }

private:
    handle_type *detach() noexcept { return std::exchange(this->handle_, nullptr); }
};

} // namespace detail
CONSUL_FFI_NAMESPACE_END

#endif
