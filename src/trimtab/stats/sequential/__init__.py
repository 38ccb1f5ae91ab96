"""Evidence that may be read at any time: a change of what streams by, and a mean that goes on. See decision 0024."""

from trimtab.stats.sequential.change import Change, begun, noticed
from trimtab.stats.sequential.delay import rows_to_notice
from trimtab.stats.sequential.running import running_mean

__all__ = ["Change", "begun", "noticed", "rows_to_notice", "running_mean"]
