"""A part of the page about a plan."""

from typing import NamedTuple


class Section(NamedTuple):
    """One part of the page: title, sentences, a table (names of the columns first), and a list."""

    title: str
    text: str = ""
    table: tuple = ()
    items: tuple = ()
