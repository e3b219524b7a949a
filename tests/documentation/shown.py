"""shown.py build LANGUAGE LIBRARY FOLDER, shown.py run LANGUAGE FOLDER: what the documentation shows works.

The fenced pieces of C, C++, Lua, Python and shell in the READMEs and docs. A whole program is run by
itself, beside the Consul of the environment. The rest are parts: they stand behind or within what their
pages take for granted, `around.c` and its like, and run too, but for those that go on for ever and those
that only nginx can run, which are compiled. Of shell the syntax is checked.

`build` compiles C and C++ into the folder, against the library in the folder LIBRARY.
"""

from __future__ import annotations

import os
import re
import subprocess
import sys
from pathlib import Path
from typing import NamedTuple

HERE = Path(__file__).resolve().parent
ROOT = HERE.parent.parent
PAGES = [
    ROOT / "README.md",
    ROOT / "README.zh-CN.md",
    ROOT / "python" / "README.md",
    *sorted((ROOT / "docs").glob("*.md")),
]
PATIENCE = 60

#: What a whole program of a language has, and a part has not.
WHOLE = {
    "c": "int main(",
    "cpp": "int main(",
    "lua": 'require("consul_ffi")\n',
    "python": "import ",
}

#: Leaders and observers, who go on for ever.
ENDLESS = re.compile(r"while .*is_leader|for leader in |wait_change\(")
#: Programs like these are in tests/nginx.
NGINX = re.compile(r"\bngx\.|host\.nginx")

COMPILERS = {
    "c": ["cc", "-std=c11", "-x", "c"],
    "cpp": ["g++", "-std=c++17", "-x", "c++"],
}
RUN = {"lua": ["luajit"], "python": [sys.executable, "-W", "error"]}
#: What takes the file of a piece.
CHECK = {
    "lua": ["luajit", str(HERE / "parse.lua")],
    "python": [sys.executable, str(HERE / "parse.py")],
    "sh": ["sh", "-n"],
}
WARNINGS = ["-Wall", "-Wextra", "-pedantic", "-Werror"]


class Piece(NamedTuple):
    """What a page shows in one go."""

    language: str
    page: Path
    #: Where it begins.
    line: int
    text: str

    @property
    def name(self) -> str:
        return f"{self.page}:{self.line}"

    @property
    def is_whole(self) -> bool:
        return WHOLE[self.language] in self.text

    @property
    def can_run(self) -> bool:
        return not ENDLESS.search(self.text) and not NGINX.search(self.text)


class Failed(Exception):
    """A piece does not work."""


def pieces(language: str) -> list[Piece]:
    found = []
    for page in PAGES:
        shown = page.read_text(encoding="utf-8")
        for match in re.finditer(rf"^```{language}\n(.*?)^```", shown, re.MULTILINE | re.DOTALL):
            line = shown.count("\n", 0, match.start(1)) + 1
            found.append(Piece(language, page.relative_to(ROOT), line, match[1]))
    assert found, language
    return found


def run(name: str, command: list[str], **more: object) -> None:
    """Runs a command, which shall end well."""
    done = subprocess.run(
        command,
        stdin=subprocess.DEVNULL,
        stdout=subprocess.PIPE,
        stderr=subprocess.STDOUT,
        timeout=PATIENCE,
        **more,  # type: ignore[call-overload]
    )
    if done.returncode != 0:
        output = done.stdout.decode(errors="replace")
        raise Failed(f"{name}: exit status {done.returncode}\n{output}")


def around(language: str) -> str:
    """What the pages take for granted."""
    suffix = "py" if language == "python" else language
    return (HERE / f"around.{suffix}").read_text(encoding="utf-8")


def parts_program(language: str) -> str:
    """A program of all parts of C or C++, each with a client of its own."""
    parts = [piece for piece in pieces(language) if not piece.is_whole]
    text = around(language)
    for number, part in enumerate(parts):
        text += f'static void part_{number}(void)\n{{\n#line {part.line} "{part.page}"\n{part.text}}}\n'
    text += "int main(void)\n{\n"
    for number, part in enumerate(parts):
        if part.can_run:
            text += f"begin();\npart_{number}();\nend();\n"
    return text + "}\n"


def build(language: str, library: str, folder: Path) -> None:
    linked = ["-Iinclude", f"-L{library}", "-lconsul_ffi", f"-Wl,-rpath,{library}"]

    def compile_(name: str, text: str, program: Path, flags: list[str]) -> None:
        source = program.with_suffix(f".{language}")
        source.write_text(text, encoding="utf-8")
        command = [*COMPILERS[language], *WARNINGS, *flags, str(source), "-x", "none", *linked]
        run(name, [*command, "-o", str(program)], cwd=ROOT)

    folder.mkdir(parents=True, exist_ok=True)
    for number, piece in enumerate(pieces(language)):
        if piece.is_whole:
            compile_(piece.name, piece.text, folder / f"{language}-{number}", [])
    program = folder / f"{language}-parts"
    compile_("the parts", parts_program(language), program, ["-Wno-unused"])


def run_compiled(language: str, folder: Path) -> None:
    for number, piece in enumerate(pieces(language)):
        if piece.is_whole:
            run(piece.name, [str(folder / f"{language}-{number}")])
    run(f"the parts of {language}", [str(folder / f"{language}-parts")])


def run_script(piece: Piece, folder: Path) -> None:
    text = piece.text if piece.is_whole else around(piece.language) + piece.text
    # Shown addresses are the default one, and shown folders are not there.
    text = text.replace("http://127.0.0.1:8500", os.environ["CONSUL_HTTP_ADDR"])
    text = re.sub('"/(backup|var/log/billing)/', f'"{folder}/', text)
    in_memory = {"CONSUL_HTTP_ADDR": "embedded:"} if piece.page.name == "embedded.md" else {}
    run(piece.name, [*RUN[piece.language], written(text, folder)], env={**os.environ, **in_memory})


def check_syntax(piece: Piece, folder: Path) -> None:
    run(piece.name, [*CHECK[piece.language], written(piece.text, folder)])


def written(text: str, folder: Path) -> str:
    """A file with a piece."""
    file = folder / "piece"
    file.write_text(text, encoding="utf-8")
    return str(file)


def run_all(language: str, folder: Path) -> None:
    folder.mkdir(parents=True, exist_ok=True)
    if language in COMPILERS:
        run_compiled(language, folder)
        return
    for piece in pieces(language):
        if language in RUN and piece.can_run:
            run_script(piece, folder)
        else:
            check_syntax(piece, folder)


if __name__ == "__main__":
    verb, language, *folders = sys.argv[1:]
    try:
        if verb == "build":
            build(language, folders[0], Path(folders[1]))
        else:
            run_all(language, Path(folders[0]))
    except Failed as failure:
        sys.exit(str(failure))
