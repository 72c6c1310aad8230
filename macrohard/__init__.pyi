from macrohard.factory import Factory as Factory
from macrohard.faults import ScenarioError as ScenarioError
from macrohard.runs import run as run
from macrohard.scenario import Scenario as Scenario
from macrohard.sizing import size as size
from macrohard.sweeps import sweep as sweep

__version__: str
