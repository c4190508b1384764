"""The form of lesson 09: a plan to fill in; the widgets of its live `panel` are loaded when it is shown."""

from dataclasses import replace

from hedgelib.planner.sheet import Worksheet, worksheet
from hedgelib.planner.summary import summary
from hedgelib.planner.writing import fragment
from hedgelib.rendering import readouts_html

PAGE_LEVEL = 4  # of the headings of a plan beneath the form


class Form:
    """A plan to fill in: live where a kernel runs, the plan at its start everywhere else.

    Parameters
    ----------
    sheet : Worksheet, optional
        The plan at the start, such as ``planner.load("my-hedge.json")``.
    **start
        What stands in the fields at the start: the arguments of ``Worksheet``, or what shall be another than
        in the plan given.

    Examples
    --------
    >>> print(Form(coins=1, cost=40_000, price=60_000, ratio=0.5).text.splitlines()[-1])
      A fall of 30 % costs: 9,000 USDT instead of 18,000 USDT
    """

    def __init__(self, sheet=None, **start):
        """Check the start."""
        try:
            self.start = Worksheet(**start) if sheet is None else replace(worksheet(sheet), **start)
        except TypeError as error:
            raise ValueError(f"a form starts from the arguments of Worksheet: {error}") from None

    def widget(self):
        """Return the live form."""
        from hedgelib.planner.panel import FormPanel

        return FormPanel(self.start)

    @property
    def text(self):
        """The plan at the start, in lines that are the same in every run."""
        lines = ["Form: plan your hedge (places no order)"]
        return "\n".join(lines + [f"  {name}: {text}" for name, text in summary(self.start).items()])

    def _repr_mimebundle_(self, include=None, exclude=None):
        return {
            **self.widget()._repr_mimebundle_(),
            "text/html": readouts_html(summary(self.start)) + fragment(self.start, PAGE_LEVEL),
            "text/plain": self.text,
        }
