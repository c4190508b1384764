"""What the library offers to its readers, found by looking."""

import importlib
import inspect

import hedgelib


def names():
    """Every function and class of the public modules, by module and name."""
    found = {}
    for name in hedgelib.__all__:
        module = importlib.import_module(f"hedgelib.{name}")
        offered = getattr(module, "__all__", None) or [
            member for member, part in vars(module).items() if inspect.getmodule(part) is module
        ]
        for member in offered:
            part = getattr(module, member)
            if not member.startswith("_") and (inspect.isclass(part) or inspect.isfunction(part)):
                found[f"{name}.{member}"] = part
    return found


def methods(part):
    """The public methods of a class that take arguments."""
    for name, method in inspect.getmembers_static(part, inspect.isfunction):
        ours = method.__module__.startswith("hedgelib")
        if ours and not name.startswith("_") and len(inspect.signature(method).parameters) > 1:
            yield method
