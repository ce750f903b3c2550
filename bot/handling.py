"""Giving a function what it needs, by the names of its parameters."""

from __future__ import annotations

import inspect
from collections.abc import Callable, Mapping
from functools import partial
from typing import Any


def bind(function: Callable[..., Any], needs: Mapping[str, Any]) -> Callable[..., Any]:
    """The function with its keyword-only parameters filled from ``needs``.

    Raises ``LookupError`` naming the function and the parameter when something it needs does not exist.
    """
    wanted = [
        name
        for name, parameter in inspect.signature(function).parameters.items()
        if parameter.kind is inspect.Parameter.KEYWORD_ONLY
    ]
    missing = [name for name in wanted if name not in needs]
    if missing:
        raise LookupError(f"{function.__module__}.{function.__qualname__} needs {missing[0]}, which nobody provides")
    return partial(function, **{name: needs[name] for name in wanted})
