"""The service with a commit for each write, in place of one for all that came at the same moment."""

from app import create_app
from app.config import read_settings
from app.services.users import group_commit

_write = group_commit.write
group_commit.write = lambda operations: [_write([one])[0] for one in operations]
app = create_app(read_settings())
