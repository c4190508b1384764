"""Where axes and their labels stand, so that nothing jumps when a slider moves.

Places are fractions of the figure. To give them saves time too: to find the place of an axis label by itself,
matplotlib makes and measures all tick labels of the axis once more.
"""

import numpy as np


def measured(figure):
    """Return, for each axes of a figure in constrained layout, the places of its box and labels.

    Returns
    -------
    array, shape (axes, 6)
        Left, bottom, right and top of the box; how far the y label stands left of it, the x label below it.
    """
    figure.get_layout_engine().execute(figure)
    to_figure = figure.transFigure.inverted()
    places = []
    for axes in figure.axes:
        axes.get_tightbbox()  # moves the labels to where they belong
        box = axes.get_position()
        corner = axes.yaxis.label.get_position()[0], axes.xaxis.label.get_position()[1]
        left, bottom = to_figure.transform(corner)
        places.append([*box.extents, box.x0 - left, box.y0 - bottom])
    return np.array(places)


def common(all_places):
    """Return the places with room for what any of these states shows: the smallest box, the widest gaps."""
    each = np.array(all_places)
    return np.hstack([each[..., :2].max(axis=0), each[..., 2:4].min(axis=0), each[..., 4:].max(axis=0)])


def freeze(figure, places):
    """Put the axes of a figure, and labels on their left and below them, to these places."""
    for axes, (left, bottom, right, top, beside, below) in zip(figure.axes, places, strict=True):
        axes.set_position((left, bottom, right - left, top - bottom))
        if axes.yaxis.label_position == "left":
            axes.yaxis.set_label_coords(left - beside, (bottom + top) / 2, figure.transFigure)
        if axes.xaxis.label_position == "bottom":
            axes.xaxis.set_label_coords((left + right) / 2, bottom - below, figure.transFigure)
