"""What a page asks its reader: a form for each exercise, and for each *Predict* that is put to the vote.

A form carries its exercise as `hedgelib.exercise` computed it; ``static/verdict.js`` judges by that.
"""

import ast
import html
import json
import re
from dataclasses import asdict

from hedgelib.exercise import Exercise, exercises

from .execute import BuildError

CHECKED = re.compile(r"""\bcheck\(\s*["']([\w-]+)["']""")
OPTION = re.compile(r"\s*(\w)\)")
NUMBER = """\
<p><label for="answer-{name}">{label}</label>
<input id="answer-{name}" name="answer" autocomplete="off" autocapitalize="off" spellcheck="false" \
aria-describedby="verdict-{name}"> <button>Check</button></p>"""
LETTERS = "<fieldset><legend>Your answer</legend></fieldset>\n<p><button>Check</button></p>"
FORM = """\
<form class="exercise" id="exercise-{name}-form" data-exercise="{name}" data-total="{total}" novalidate>
{asked}
<output id="verdict-{name}"></output>
<script type="application/json">{data}</script>
</form>
"""
UNANSWERED = (
    '<noscript><p class="needs-kernel">Without JavaScript, answer it in the '
    '<a href="notebooks/{notebook}.ipynb" download>notebook file</a>, which tells right from wrong, and why.'
    "</p></noscript>"
)
SEALED = (  # in the edition for students
    '<p class="needs-kernel">Answer it in the '
    '<a href="notebooks/{notebook}.ipynb" download>notebook file</a>, which tells right from wrong.</p>'
)
NOT_ON_A_PAGE = {"calls", "prompt", "vary"}  # what judges no typed answer
VOTE = """\
<form class="vote" data-vote="{lesson}"><fieldset><legend>Your prediction</legend></fieldset>
<p><button>Lock it in</button> <output></output></p></form>"""


def asked(source):
    """Return the names of the exercises that a cell checks.

    Examples
    --------
    >>> asked('[check("09-q1", q1), check("09-q2", q2)]')
    ['09-q1', '09-q2']
    """
    return CHECKED.findall(source)


def forms(source, notebook):
    """Return the forms of the exercises that a cell of a notebook checks, as HTML."""
    return "".join(_form(name, notebook) for name in asked(source)) + UNANSWERED.format(notebook=notebook)


def _form(name, notebook):
    try:
        exercise = exercises()[name]
    except KeyError:
        raise BuildError(f'{notebook}.ipynb checks "{name}", and there is no such exercise') from None
    if not isinstance(exercise, Exercise):
        return SEALED.format(notebook=notebook)
    data = {
        key: value
        for key, value in asdict(exercise).items()
        if key not in NOT_ON_A_PAGE and value not in (None, "")
    }
    label = "Your answer" + (f" ({exercise.unit})" if exercise.unit else "")
    return FORM.format(
        name=name,
        total=sum(other[:2] == name[:2] for other in exercises()),
        asked=LETTERS if exercise.letters else NUMBER.format(name=name, label=html.escape(label)),
        data=json.dumps(data, ensure_ascii=False, sort_keys=True).replace("</", "<\\/"),
    )


def only_asks(source):
    """Tell whether a cell of code holds nothing but dots to replace and the check of what replaces them.

    Examples
    --------
    >>> only_asks('answer = ...\\ncheck("02-1", answer)'), only_asks('fall = 0.2\\ncheck("02-1", fall)')
    (True, False)
    """
    body = ast.parse(source).body
    return all(_is_dots(statement) for statement in body[:-1]) and bool(body)


def _is_dots(statement):
    """Whether a statement sets names to dots, or defines a function that returns dots."""
    if isinstance(statement, ast.FunctionDef):
        statement = statement.body[0]
    values = getattr(statement, "value", None)
    values = values.elts if isinstance(values, ast.Tuple) else [values]
    return all(isinstance(value, ast.Constant) and value.value is ... for value in values)


def settle(body):
    """Put the letters to choose from where a question lists them, as buttons instead of the list."""
    for form in body.select("form.exercise:has(fieldset)"):
        name = form["data-exercise"]
        number = f"{name.partition('-')[2]}."
        heading = next((strong for strong in body.select("strong") if strong.get_text() == number), None)
        listed = heading and heading.find_parent("p").find_next_sibling("ul")
        if not listed:
            raise BuildError(
                f'the letters of exercise {name} must be listed below its number, "**{number}**"'
            )
        for item in listed.find_all("li", recursive=False):
            letter = OPTION.match(item.get_text())
            _choice(body, form, letter[1], " ", item)
        listed.replace_with(form.extract())


def _choice(body, form, value, mark, item):
    """Add a round button to a form, with a mark and what stands in an item of a list as its label."""
    label = body.new_tag("label")
    label.append(body.new_tag("input", attrs={"type": "radio", "name": "answer", "value": value}))
    label.append(mark)
    for part in list((item.p or item).contents):
        label.append(part.extract())
    form.fieldset.append(label)


def put_to_vote(body, lesson):
    """Turn the list of options in a cell tagged ``vote`` into a form; return how many options there are."""
    cell = body.select_one(".celltag_vote")
    if not cell:
        return 0
    listed = cell.select_one("ol")
    if not listed:
        raise BuildError(f"lesson {lesson}: a cell tagged vote lists its options, numbered")
    form = type(body)(VOTE.format(lesson=lesson), "html.parser").form
    options = listed.find_all("li", recursive=False)
    for number, item in enumerate(options, start=1):
        _choice(body, form, str(number), f" {number}. ", item)
    listed.replace_with(form)
    return len(options)
