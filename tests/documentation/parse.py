"""parse.py FILE: fails where it is no Python, whose `async for` and `await` may stand outside of functions."""

import ast
import sys

with open(sys.argv[1], encoding="utf-8") as file:
    compile(file.read(), sys.argv[1], "exec", ast.PyCF_ALLOW_TOP_LEVEL_AWAIT)
