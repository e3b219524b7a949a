//! The header's declarations. It knows the small grammar that our header keeps to, not C.

/// A type and the name it is given.
#[derive(Debug)]
pub struct Variable {
    pub ctype: String,
    pub name: String,
}

#[derive(Debug)]
pub struct Function {
    pub name: String,
    pub returns: String,
    pub parameters: Vec<Variable>,
}

#[derive(Debug)]
pub struct Row {
    pub name: String,
    pub fields: Vec<Variable>,
}

#[derive(Debug, Default)]
pub struct Header {
    pub constants: Vec<(String, i128)>,
    /// Types that are a number.
    pub numbers: Vec<Variable>,
    pub handles: Vec<String>,
    pub rows: Vec<Row>,
    pub functions: Vec<Function>,
    /// Functions, rows and fields without a comment.
    pub undocumented: Vec<String>,
    /// All declarations in their order, without comments and macros.
    pub declarations: Vec<String>,
}

const NUMBERS: &[&str] =
    &["bool", "double", "int32_t", "uint32_t", "int64_t", "uint64_t", "size_t", "consul_status"];

/// Reads the header.
pub fn parse(text: &str) -> Header {
    let mut header = Header::default();
    let mut lines = text.lines();
    let mut documented = false;
    while let Some(line) = lines.next() {
        if line.starts_with("/*") {
            documented = line.starts_with("/**");
            let mut end = line;
            while !end.ends_with("*/") {
                end = lines.next().unwrap();
            }
        } else if line == "#ifdef __cplusplus" {
            lines.find(|line| *line == "#endif");
        } else if let Some(constant) = line.strip_prefix("#define ") {
            header.constants.extend(parse_constant(constant));
        } else if !line.starts_with('#') && !line.is_empty() {
            let mut declaration = line.to_owned();
            while !is_complete(&declaration) {
                declaration.push('\n');
                declaration.push_str(lines.next().unwrap());
            }
            header.add(&declaration, documented);
            documented = false;
        }
    }
    header
}

fn parse_constant(text: &str) -> Option<(String, i128)> {
    let (name, value) = text.split_once(' ')?;
    if value.starts_with('"') {
        return None;
    }
    let digits = value.trim_matches(['(', ')']).trim_end_matches(['U', 'L']);
    let value = match digits.strip_prefix("0x") {
        Some(hex) => i128::from_str_radix(hex, 16),
        None => digits.parse(),
    };
    Some((name.to_owned(), value.unwrap_or_else(|_| panic!("not a number: #define {text}"))))
}

fn is_complete(declaration: &str) -> bool {
    let count = |c| declaration.matches(c).count();
    declaration.ends_with(';') && count('{') == count('}')
}

impl Header {
    fn add(&mut self, declaration: &str, documented: bool) {
        let text = without_comments(declaration);
        let name = if let Some(body) = text.strip_prefix("typedef struct ") {
            self.add_struct(body, declaration)
        } else if let Some(body) = text.strip_prefix("typedef ") {
            self.numbers.push(variable(body.trim_end_matches(';')));
            self.numbers.last().unwrap().name.clone()
        } else {
            let (before, after) = text.split_once('(').unwrap();
            let Variable { ctype, name } = variable(before);
            let parameters = after.trim_end_matches(");").split(',').map(str::trim);
            let parameters = parameters.filter(|text| *text != "void").map(variable).collect();
            self.functions.push(Function { name: name.clone(), returns: ctype, parameters });
            name
        };
        if !documented {
            self.undocumented.push(name);
        }
        self.declarations.push(text);
    }

    fn add_struct(&mut self, body: &str, declaration: &str) -> String {
        let name: String = body.split([' ', ';']).next().unwrap().to_owned();
        let Some((_, fields)) = body.split_once('{') else {
            self.handles.push(name.clone());
            return name;
        };
        let fields = fields.split_once('}').unwrap().0;
        let fields = fields.split(';').map(str::trim).filter(|field| !field.is_empty());
        let fields: Vec<Variable> = fields.map(variable).collect();
        if declaration.matches("/**").count() != fields.len() {
            self.undocumented.push(format!("{name}: a field"));
        }
        self.rows.push(Row { name: name.clone(), fields });
        name
    }

    /// The number that a type is, such as `int32_t` for `consul_status`.
    pub fn number<'a>(&'a self, ctype: &'a str) -> &'a str {
        let named = self.numbers.iter().find(|number| number.name == ctype);
        named.map_or(ctype, |number| &number.ctype)
    }

    /// What the rules of the ABI forbid.
    pub fn complaints(&self) -> Vec<String> {
        let mut complaints = Vec::new();
        for (name, _) in &self.constants {
            if !name.starts_with("CONSUL_") {
                complaints.push(format!("constant {name}: its name lacks CONSUL_"));
            }
        }
        for number in &self.numbers {
            if !NUMBERS.contains(&number.ctype.as_str()) {
                complaints.push(format!("type {}: not a number", number.name));
            }
        }
        for row in &self.rows {
            for field in &row.fields {
                self.check(&format!("{}.{}", row.name, field.name), &field.ctype, &mut complaints);
            }
        }
        for function in &self.functions {
            let name = &function.name;
            if !name.starts_with("consul_") {
                complaints.push(format!("function {name}: its name lacks consul_"));
            }
            if function.returns != "void" {
                self.check(name, &function.returns, &mut complaints);
            }
            for parameter in &function.parameters {
                self.check(
                    &format!("{name}: {}", parameter.name),
                    &parameter.ctype,
                    &mut complaints,
                );
            }
        }
        complaints
    }

    /// Numbers go by value; characters, bytes, handles and rows behind pointers.
    fn check(&self, place: &str, ctype: &str, complaints: &mut Vec<String>) {
        let base = ctype.replace("const", "").replace('*', "");
        let base = base.trim();
        let pointer = ctype.contains('*');
        let known = NUMBERS.contains(&base)
            || pointer && matches!(base, "char" | "uint8_t")
            || pointer && self.handles.iter().any(|handle| handle == base)
            || pointer && self.rows.iter().any(|row| row.name == base)
            || place.ends_with("_fd") && ctype == "int";
        if !known {
            complaints.push(format!("{place}: the type {ctype} is not allowed"));
        }
    }
}

/// One line, without comments.
fn without_comments(text: &str) -> String {
    let mut out = String::new();
    let mut rest = text;
    while let Some((before, after)) = rest.split_once("/*") {
        out += before;
        rest = after.split_once("*/").unwrap().1;
    }
    out += rest;
    out.split_whitespace().collect::<Vec<_>>().join(" ")
}

/// `const char *name`: the type and the name after it.
fn variable(text: &str) -> Variable {
    let start = text.rfind([' ', '*']).unwrap_or_else(|| panic!("no declaration: {text}")) + 1;
    Variable { ctype: text[..start].trim().to_owned(), name: text[start..].to_owned() }
}
