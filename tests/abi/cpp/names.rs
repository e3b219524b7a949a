//! `include/consul_ffi/names.hpp`: what the scoped enumerations print.

use super::constants::{ENUMERATIONS, short};
use super::{Header, file};
use std::fmt::Write;

const PRINT: &str = "
namespace detail {

inline const char *name_of(status value) noexcept {
    return consul_status_name(static_cast<consul_status>(value));
}
";

const OPERATOR: &str = "
} // namespace detail

/// Prints a constant: a status as C has it, such as `CONSUL_ERR_TIMEOUT`, any other by its word here,
/// such as `watch_changed`, and one that this header does not know by its number. The program includes
/// `<ostream>`.
template <class Traits, class Constant, class = decltype(detail::name_of(std::declval<Constant>()))>
std::basic_ostream<char, Traits> &operator<<(std::basic_ostream<char, Traits> &out, Constant value) {
    if (const char *name = detail::name_of(value)) {
        return out << name;
    }
    return out << static_cast<std::int32_t>(value);
}
";

pub fn render(header: &Header) -> String {
    let mut body = PRINT.to_owned();
    for (enumeration, prefix, _) in ENUMERATIONS {
        write!(
            body,
            "\ninline const char *name_of({enumeration} value) noexcept {{\n    switch (value) {{\n"
        )
        .unwrap();
        for (constant, _) in header.constants.iter().filter(|(name, _)| name.starts_with(prefix)) {
            let short = short(constant, prefix);
            writeln!(body, "    case {enumeration}::{short}: return \"{short}\";").unwrap();
        }
        body += "    }\n    return nullptr;\n}\n";
    }
    body += OPERATOR;
    file(
        "names",
        "What the constants of the library print.",
        &["\"constants.hpp\"", "", "<cstdint>", "<iosfwd>", "<utility>"],
        &body,
    )
    .replace("#include \n", "\n")
}
