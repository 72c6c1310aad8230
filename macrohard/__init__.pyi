from macrohard.faults import ScenarioError as ScenarioError
from macrohard.scenario import Scenario as Scenario

__version__: str
