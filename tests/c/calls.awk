# calls.awk consul_ffi.h: the header's functions as the table that calls.h describes. It knows the
# plain declarations that our header keeps to, and stops at any other.

function die(text) { print "calls.awk: " text >"/dev/stderr"; failed = 1; exit 1 }

# The type number of a handle, "" for any other type.
function handle(type) { return type in number ? number[type] : "" }

function split_parameter(text,   at) {
    match(text, /[a-z_0-9]+$/)
    name = substr(text, RSTART)
    type = substr(text, 1, RSTART - 1)
    gsub(/ +/, " ", type); gsub(/ ?\* ?/, "*", type); sub(/ $/, "", type)
    gsub(/struct /, "", type)
}

# Sets kind and number_of of the parameter in type and name; `before` is the kind before it.
function classify(before,   plain) {
    number_of = 0
    plain = type; sub(/^const /, "", plain)
    if (plain ~ /^[a-z_0-9]+\*$/ && handle(substr(plain, 1, length(plain) - 1))) {
        kind = "HANDLE"; number_of = handle(substr(plain, 1, length(plain) - 1))
    } else if (plain ~ /^[a-z_0-9]+\*\*$/ && handle(substr(plain, 1, length(plain) - 2))) {
        kind = "OUT_HANDLE"; number_of = handle(substr(plain, 1, length(plain) - 2))
    } else if (type == "const char*") kind = "TEXT"
    else if (type == "const uint8_t*") kind = "BYTES"
    else if (type == "const char*const*") kind = "TEXTS"
    else if (type == "const uint32_t*") kind = "NUMBERS"
    else if (type == "const consul_async*") kind = "ASYNC"
    else if (type == "size_t" && before ~ /^(TEXT|BYTES|TEXTS)$/ && name ~ /(len|count)$/) kind = "LENGTH"
    else if (type ~ /^(size_t|bool|double|u?int(32|64)_t|consul_status)$/) kind = "NUMBER"
    else if (type ~ /^(size_t|bool|u?int(32|64)_t)\*$/ || type ~ /^const (char|uint8_t)\*\*$/) kind = "OUT_VALUE"
    else die(function_name ": what is a " type "?")
}

# Says the comment that the parameter `name` may be NULL? In one breath with its name.
function may_be_null(name,   i, n, clauses) {
    n = split(comment_text, clauses, /[.;] /)
    for (i = 1; i <= n; i++)
        if (index(clauses[i], "`" name "`") && clauses[i] ~ /NULL/ && kind !~ /^OUT/) return 1
    return 0
}

function add_function(text,   open, i, n, parts, returns, list, described, calling, kind_before) {
    open = index(text, "(")
    split_parameter(substr(text, 1, open - 1))
    function_name = name; returns = type
    list = substr(text, open + 1); sub(/\);$/, "", list)
    n = list == "void" ? 0 : split(list, parts, / *, */)
    kind = ""
    for (i = 1; i <= n; i++) {
        split_parameter(parts[i])
        classify(kind)
        described = described (i > 1 ? ", " : "") "{\"" name "\", " kind ", " number_of ", " may_be_null(name) "}"
        calling = calling (i > 1 ? ", " : "") "(" type ")a[" i - 1 "]." (type ~ /\*/ ? "pointer" : "number")
    }
    if (returns == "void") { result = "NOTHING"; prefix = "" }
    # What an event says is no failure of who asks it.
    else if (returns == "consul_status" && function_name != "consul_event_status") { result = "STATUS"; prefix = "r->status = " }
    else if (returns ~ /\*$/) { result = "POINTER"; prefix = "r->pointer = " }
    else { result = "VALUE"; prefix = "r->value = (uint64_t)" }
    print "static void run_" function_name "(const union argument *a, struct result *r)"
    print "{\n    (void)a, (void)r;\n    " prefix function_name "(" calling ");\n}\n"
    table = table "    {\"" function_name "\", " result ", " n ", {" (n ? described : "{0, NUMBER, 0, 0}") "}, run_" function_name "},\n"
}

BEGIN { print "/* Made by calls.awk from consul_ffi.h. */\n\n#include \"calls.h\"\n" }

# Comments; the last one is about what follows it.
!declaration && /^[ \t]*\/\*/ { comment = 1; comment_text = "" }
comment {
    text = $0; sub(/^[ \t]*\/?\*+\/?/, "", text)
    comment_text = comment_text text
    if (/\*\//) { comment = 0; comment_text = comment_text " " }
    next
}

/^#ifdef __cplusplus/ { skipping = 1 }
skipping { if (/^#endif/) skipping = 0; next }

/^#define CONSUL_HANDLE_/ {
    type = "consul_" tolower(substr($2, length("CONSUL_HANDLE_") + 1))
    if ($3 > 0) { number[type] = $3; types[++type_count] = type }
    next
}
/^#/ || /^[ \t]*$/ { next }

# Types: up to the brace or the semicolon that ends them.
/^typedef/ { inside = 1 }
inside { if (/\{/) braces = 1; if (/^\}/ || (!braces && /;$/)) inside = braces = 0; next }

{
    declaration = declaration (declaration ? " " : "") $0
    if (declaration ~ /;$/) {
        gsub(/[ \t]+/, " ", declaration)
        if (declaration !~ /\);$/) die("not a function: " declaration)
        add_function(declaration)
        declaration = ""
    }
}

END {
    if (failed) exit 1
    print "static const struct call calls[] = {\n" table "};"
    print "static const size_t calls_count = sizeof calls / sizeof calls[0];\n"
    print "static const char *const handle_names[] = {\"\""
    for (i = 1; i <= type_count; i++) highest = number[types[i]] > highest ? number[types[i]] : highest
    for (i = 1; i <= type_count; i++) by_number[number[types[i]]] = types[i]
    for (i = 1; i <= highest; i++) print "    , \"" by_number[i] "\""
    print "};\nenum { handle_types = " highest + 1 " };"
}
