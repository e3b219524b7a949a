/// Transactions: operations that are applied together or not at all.

#ifndef CONSUL_FFI_TXN_HPP
#define CONSUL_FFI_TXN_HPP

#include "answers.hpp"
#include "options.hpp"

CONSUL_FFI_NAMESPACE_BEGIN
namespace detail {

/// The errors of a transaction, borrowed.
class txn_errors : public range<txn_errors> {
public:
    using value_type = txn_error;

    txn_errors() noexcept = default;
    explicit txn_errors(const consul_txn_result *handle) noexcept : handle_(handle) {}

    std::size_t size() const noexcept { return consul_txn_result_error_count(handle_); }
    txn_error operator[](std::size_t index) const noexcept {
        return txn_error(consul_txn_result_error_at(handle_, index));
    }

private:
    const consul_txn_result *handle_ = nullptr;
};

} // namespace detail

/// Operations in the order in which they are added.
///
///     consul::txn txn;
///     txn.check_not_exists("app/owner").set("app/owner", "me");
///     auto done = client.commit(txn);
class txn : public detail::txn_setters<txn> {
public:
    txn() { create(consul_txn_new); }
};

/// What a transaction came to: a range of results in the order of the operations, but not one for
/// each: a deletion and a check that a key does not exist give none, a tree gives one for each key.
class txn_result : public list<consul_txn_result> {
public:
    using list::list;

    /// Why it was rolled back; empty when it was applied. Borrowed.
    detail::txn_errors errors() const & noexcept { return detail::txn_errors(c_value()); }
    void errors() && = delete;
};

CONSUL_FFI_NAMESPACE_END

#endif
