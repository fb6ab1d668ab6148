"""The service with two more routes that answer as a read does: without a database, and with the statement alone."""

from app import create_app
from app.api.auth import SECRET_KEY, requires
from app.api.blueprint import Blueprint
from app.api.flask_app import JsonReply
from app.config import read_settings
from app.models.database import db
from app.models.users import rendering
from app.schemas.users import UserSchema

_REPLY = (
    b'{"id":"019ab9d2f3c0000000000001","uid":"u1","uid_updateable":false,"first_name":"Ada","last_name":"Lovelace",'
    b'"number":"+2348000000001","email":"u1@example.com","devices":[],"accounts":[],"is_account":false,'
    b'"member_count":null,"archived":false,"lists":[],"segments":[],"meta":{"plan":"gold","age":19,"city":"Lagos"},'
    b'"created_at":"2026-01-12T05:24:39.062+00:00","last_interaction":null,"stats":{"delivered":0,"failed":0,'
    b'"opened":0,"clicked":0,"unique_opens":0,"unique_clicks":0}}'
)
_WORKSPACE = 1
blp = Blueprint("constant", __name__)


@blp.get("/constant/<uid:uid>")
@requires(SECRET_KEY)
@blp.response(200, UserSchema)
def constant(uid):
    return JsonReply(_REPLY)


@blp.get("/statement/<uid:uid>")
@requires(SECRET_KEY)
@blp.response(200, UserSchema)
def statement(uid):
    call = rendering.find_call(_WORKSPACE, [uid])
    [[(_, json, _)]] = db.run_all([(call.statement.text, *call[1:])])
    return JsonReply(json.encode())


app = create_app(read_settings())
app.register_blueprint(blp, url_prefix="/v1")
