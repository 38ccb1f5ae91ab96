"""Whether live traffic has drifted from what was confirmed, and whether an adjustment goes on paying. Decision 0024."""

from trimtab.watch.baseline import WEIGHTS, Baseline, baseline, of_run
from trimtab.watch.replay import Replayed, replayed
from trimtab.watch.rows import Traffic
from trimtab.watch.stated import Delay, stated_delays
from trimtab.watch.watching import Alarm, Watch, Watched, begin, look, restored, watched

__all__ = [
    "WEIGHTS",
    "Alarm",
    "Baseline",
    "Delay",
    "Replayed",
    "Traffic",
    "Watch",
    "Watched",
    "baseline",
    "begin",
    "look",
    "of_run",
    "replayed",
    "restored",
    "stated_delays",
    "watched",
]
