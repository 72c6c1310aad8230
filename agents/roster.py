"""The roles a factory can hire. A new role is a class and one line here."""

from agents.coding import Coder
from agents.design import Designer
from agents.management import Manager
from agents.testing import Tester
from agents.worker import Worker

ROLES: tuple[type[Worker], ...] = (Manager, Designer, Coder, Tester)
