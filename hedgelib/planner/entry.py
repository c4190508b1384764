"""What is typed into a field of the form, read; what could mean two things is refused with a word."""

import re

_GROUPED = re.compile(r"[+-]?[1-9]\d{0,2}(,\d{3})+(\.\d*)?")
_NEAR = 3  # times the price: a number without a percent sign is a price only up to here


def number(text):
    """Read a number: a point for decimals, commas or blanks between thousands.

    Examples
    --------
    >>> number("60,000.5"), number("1 200")
    (60000.5, 1200.0)
    >>> number("0,5")
    Traceback (most recent call last):
    ...
    ValueError: 0,5: write 0.5, with a point; a comma only separates thousands, as in 60,000
    """
    bare = re.sub(r"\s", "", text).replace("−", "-")
    if "," in bare and not _GROUPED.fullmatch(bare):
        told = (
            f"write {bare.replace(',', '.')}, with a point"
            if bare.count(",") == 1
            else "leave out the commas"
        )
        raise ValueError(f"{text.strip()}: {told}; a comma only separates thousands, as in 60,000")
    try:
        return float(bare.replace(",", ""))
    except ValueError:
        raise ValueError(f"{text.strip() or 'empty'}: type a number, such as 60,000 or 0.5") from None


def percent(text):
    """Read a percentage, with or without its sign, as a fraction.

    Examples
    --------
    >>> percent("0.05")
    0.0005
    """
    return number(text.replace("%", "", 1)) / 100


def share(text):
    """Read a share: 50 and 50 % and 0.5 are all a half.

    Examples
    --------
    >>> share("50"), share("50 %"), share("0.5"), share("0.5 %")
    (0.5, 0.5, 0.5, 0.005)
    >>> share("1")
    Traceback (most recent call last):
    ...
    ValueError: 1: write 1 % or 100 %
    """
    if "%" in text:
        return percent(text)
    value = number(text)
    if value == 1:
        raise ValueError(f"{text.strip()}: write 1 % or 100 %")
    return value / 100 if value > 1 else value


def distance(text, price, side):
    """Read an exit, a price or a percentage, as its distance from the price today; 0 if there is none.

    Parameters
    ----------
    text : str
    price : float
        Price today.
    side : int
        −1 for an exit below it, +1 for one above.

    Examples
    --------
    >>> distance("54,000", 60_000, -1), distance("15 %", 60_000, 1), distance("", 60_000, 1)
    (0.1, 0.15, 0.0)
    """
    if "%" in text:
        return percent(text)
    if text.strip().lower() in ("", "0", "none"):
        return 0.0
    value = number(text)
    where = "below" if side < 0 else "above"
    if not (1 / _NEAR < value / price < _NEAR) or (value - price) * side <= 0:
        told = (
            f"{text.strip()}: write a price {where} {price:,.10g}, or a distance with its sign, such as 15 %"
        )
        raise ValueError(told)
    return round(side * (value / price - 1), 12)


def written(value):
    """Write a number so that it can be read again.

    Examples
    --------
    >>> written(60_000.0), written(0.013)
    ('60,000', '0.013')
    """
    return f"{value:,.10g}"


def written_share(value):
    """Write a share with its sign.

    Examples
    --------
    >>> written_share(0.6)
    '60 %'
    """
    return f"{100 * value:.10g} %"
