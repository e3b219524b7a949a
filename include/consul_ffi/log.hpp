/// The log: what happens to clients, sessions, locks and services. One serves the process, and it
/// is silent until it is given a level. No record holds a secret.

#ifndef CONSUL_FFI_LOG_HPP
#define CONSUL_FFI_LOG_HPP

#include "answers.hpp"
#include "queue.hpp"

CONSUL_FFI_NAMESPACE_BEGIN

using log_records = list<consul_log_records>;

namespace log {

/// Records what matters as much as this level or more: `error`, `warning`, `info` or `debug`;
/// `nullptr` for silence.
inline result<void> set_level(const c_text &level) {
    return detail::invoke(consul_log_set_level, level);
}

/// Writes the records to the end of this file from now on, a line each, instead of keeping them to
/// be taken; `nullptr` ends that. `err_io` when it cannot be opened.
inline result<void> set_file(const c_text &path) {
    return detail::invoke(consul_log_set_file, path);
}

/// When the log file makes room by being renamed to `FILE.1`, and what is kept. 0 is no bound.
struct rotation {
    /// The size, in bytes, that it does not grow beyond.
    std::uint64_t max_bytes = 0;
    /// How many old files are kept, 1000 at most.
    std::uint32_t max_files = 0;
    /// For how many days; a new file begins each day (UTC) then.
    std::uint32_t max_age_days = 0;
};

/// Has the log file make room, this one or another that is set.
inline result<void> set_rotation(const rotation &bounds) {
    return detail::invoke(consul_log_set_rotation, bounds.max_bytes, bounds.max_files,
                          bounds.max_age_days);
}

/// Takes the oldest records, `most` at most. `no_change` when there is none. The log keeps 1024;
/// what comes when it is full takes the place of the oldest.
inline result<log_records> take(std::size_t most) {
    return detail::fetch<log_records>(consul_log_take, most);
}

/// Has the records arrive in a queue from now on, as events of the type `event_type::log`, whose
/// result is `log_records`, without counting among the calls in flight; in one queue at a time.
/// `queue.cancel` of its tag ends that, too.
inline result<void> set_queue(const consul::queue &queue, std::uint64_t tag = 0) {
    if (queue.c_value() == nullptr) {
        return consul::error(consul::status::err_handle);
    }
    return detail::invoke(consul_log_set_queue, queue.c_value(), tag);
}

/// Keeps them to be taken again.
inline result<void> unset_queue() {
    consul_queue *none = nullptr;
    return detail::invoke(consul_log_set_queue, none, std::uint64_t(0));
}

/// How many records the process has lost: nobody took them in time, or the file could not be
/// written.
inline std::uint64_t dropped() noexcept { return consul_log_dropped(); }

} // namespace log
CONSUL_FFI_NAMESPACE_END

#endif
