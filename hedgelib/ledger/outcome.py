"""What a hedge came to on many paths: the distribution of its result."""

from dataclasses import dataclass

import numpy as np
import pandas as pd

from hedgelib import checks


@dataclass(frozen=True, eq=False)
class Outcome:
    """The end of every path, as ``ledger.run_many`` returns it.

    All arrays have shape (paths,).

    Parameters
    ----------
    wealth_before, wealth : array
        Wealth before the first trade and at the last close (USDT).
    spot_pnl, short_pnl, funding, fees, liquidation_loss, other_pnl : array
        The change of wealth by cause (USDT).
    basis_pnl, top_ups : array
        Part of `short_pnl` that spot does not mirror; margin added, a transfer (USDT).
    liquidated_at : array of int
        Bar of the first liquidation, −1 where there was none.
    holding_before : array
        Value of the holding before the first trade (USDT).
    unhedged_pnl : array
        What the holding alone would have gained (USDT).
    bars : int
        Bars of each path.
    hours : float
        Length of a bar.
    """

    wealth_before: np.ndarray
    wealth: np.ndarray
    spot_pnl: np.ndarray
    short_pnl: np.ndarray
    basis_pnl: np.ndarray
    funding: np.ndarray
    fees: np.ndarray
    liquidation_loss: np.ndarray
    other_pnl: np.ndarray
    top_ups: np.ndarray
    liquidated_at: np.ndarray
    holding_before: np.ndarray
    unhedged_pnl: np.ndarray
    bars: int
    hours: float

    @property
    def pnl(self):
        """Change of wealth on each path (USDT)."""
        return self.wealth - self.wealth_before

    @property
    def years(self):
        """Length of the paths in years of 365 days."""
        return (self.bars - 1) * self.hours / 24 / 365

    @property
    def probability_liquidated(self):
        """Share of the paths on which the hedge was liquidated at least once."""
        return float(np.mean(self.liquidated_at >= 0))

    @property
    def time_to_liquidation(self):
        """Days until the first liquidation, of the paths that had one; an array, perhaps empty."""
        return self.liquidated_at[self.liquidated_at >= 0] * self.hours / 24

    def pnl_quantiles(self, levels=(0.05, 0.5, 0.95)):
        """Return quantiles of the P&L.

        Parameters
        ----------
        levels : float or array
            Probabilities between 0 and 1.

        Returns
        -------
        float or array
            P&L (USDT) that so many of the paths do not exceed.

        Raises
        ------
        ValueError
            If a level is outside 0 to 1.
        """
        return checks.plain(np.quantile(self.pnl, checks.number("levels", levels, at_least=0, at_most=1)))

    def cvar(self, level=0.05):
        """Return the mean P&L of the worst paths: conditional value at risk, or expected shortfall.

        Parameters
        ----------
        level : float
            Share of the paths that count as worst, above 0 and at most 1; the path on the border counts in
            part.

        Returns
        -------
        float
            USDT, negative for a loss.

        Raises
        ------
        ValueError
            If the level is out of range.

        Notes
        -----
        Source: Rockafellar and Uryasev, Optimization of Conditional Value-at-Risk, Journal of Risk 2, 2000.
        """
        worst = checks.single("level", level, above=0, at_most=1) * len(self.pnl)
        weights = np.clip(worst - np.arange(len(self.pnl)), 0.0, 1.0)
        return float(np.average(np.sort(self.pnl), weights=weights))

    @property
    def variance_removed(self):
        """Share of the variance of the unhedged P&L that the hedge removes; NaN if there is none."""
        unhedged = np.var(self.unhedged_pnl)
        return float(1 - np.var(self.pnl) / unhedged) if unhedged > 0 else float("nan")

    @property
    def cost_of_carry(self):
        """Mean fees less funding, per year, as a fraction of the first holding; negative if it earns."""
        paid = -np.mean((self.funding + self.fees) / self.holding_before)
        return float(paid / self.years) if self.bars > 1 else float("nan")

    def summary(self):
        """Return the distribution in one column.

        Returns
        -------
        pandas.Series
            Fractions, days and USDT, as the labels say.
        """
        low, middle, high = self.pnl_quantiles()
        days = self.time_to_liquidation
        return pd.Series(
            {
                "paths": len(self.wealth),
                "probability liquidated": self.probability_liquidated,
                "median days to liquidation": float(np.median(days)) if len(days) else float("nan"),
                "mean P&L (USDT)": float(np.mean(self.pnl)),
                "5 % quantile (USDT)": float(low),
                "median (USDT)": float(middle),
                "95 % quantile (USDT)": float(high),
                "CVaR 5 % (USDT)": self.cvar(0.05),
                "variance removed": self.variance_removed,
                "cost of carry per year": self.cost_of_carry,
            },
            name="outcome",
        )
