"""How many drafted tokens pass, where a row only says that multi-token prediction is on: errors over a small grid.

Run from the repository root, after serving_fit.py: python experiments/calibration/serving_speculation.py
The best pair stands in macrohard/validation/points.py as DRAFTED, ACCEPTED.
"""

import pandas as pd

from macrohard.validation import measurements, points
from macrohard.validation import serving as law


def main() -> None:
    """Print median and 90th percentile of the error for each pair of drafted and accepted tokens per step."""
    frame = measurements("serving")
    frame = frame[frame["notes"].str.contains("spec_decode=mtp")]
    print("drafted accepted: aggregated median p90, disaggregated median p90")
    for drafted in (1.0, 2.0, 3.0):
        for accepted in (1.6, 1.8, 2.0, 2.2, 2.4):
            if accepted < drafted + 1:
                points.DRAFTED, points.ACCEPTED = drafted, accepted
                rows = law.score(frame)["rows"]
                assert isinstance(rows, pd.DataFrame)
                parts = [
                    rows["error"][rows["kind"] == kind].abs() for kind in ("speculative", "disaggregated speculative")
                ]
                told = [f"{part.median():6.1%} {part.quantile(0.9):6.1%}" for part in parts]
                print(f"{drafted:.0f} {accepted:.1f}:", ", ".join(told))


if __name__ == "__main__":
    main()
