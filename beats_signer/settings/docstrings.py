"""Read what a declaration says of its fields: the text below each of them."""

import ast
import inspect
import textwrap
from functools import cache
from itertools import pairwise

__all__ = ["read_docstrings"]


@cache
def read_docstrings(kind: type) -> dict[str, str]:
    """Return the text of each field of a class that has one, as one line.

    Python does not keep these texts, so they are read from the source.
    """
    (declared,) = ast.parse(textwrap.dedent(inspect.getsource(kind))).body
    assert isinstance(declared, ast.ClassDef)
    found = {}
    for field, below in pairwise(declared.body):
        match field, below:
            case (
                ast.AnnAssign(target=ast.Name(id=name)),
                ast.Expr(value=ast.Constant(value=str(text))),
            ):
                found[name] = " ".join(text.split())
    return found
