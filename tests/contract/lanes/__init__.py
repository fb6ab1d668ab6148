"""The lanes, by name. To add one: a subclass of Lane, a line here, and in exemptions.py what it cannot say."""

from tests.contract.lanes.atomic import Atomic
from tests.contract.lanes.batch import Batch, Mixed
from tests.contract.lanes.files import Csv, Ndjson
from tests.contract.lanes.hot import Hot
from tests.contract.lanes.lane import Lane
from tests.contract.lanes.routes import Routes

LANES: dict[str, type[Lane]] = {lane.name: lane for lane in (Routes, Hot, Batch, Mixed, Ndjson, Csv, Atomic)}
