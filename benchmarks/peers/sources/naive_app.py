"""Six routes with flask-smorest, marshmallow and peewee, as a tutorial would have them.

It shows the fields that Rollcall shows, and looks its keys up in a table, where it has the hash of each secret.
"""

import base64
import datetime as dt
import hashlib
import hmac
import json
import os

import flask
import marshmallow as ma
import peewee as pw
from flask.views import MethodView
from flask_smorest import Api, Blueprint, abort

AUTHORIZATION = os.environ["AUTHORIZATION"]
db = pw.SqliteDatabase(
    os.environ["DATABASE"], pragmas={"journal_mode": "wal", "synchronous": "full", "busy_timeout": 10_000}
)


def now():
    return int(dt.datetime.now(dt.UTC).timestamp() * 1000)


class JSONField(pw.TextField):
    def db_value(self, value):
        return json.dumps(value)

    def python_value(self, value):
        return None if value is None else json.loads(value)


class Base(pw.Model):
    class Meta:
        database = db


class Key(Base):
    public_key = pw.TextField(primary_key=True)
    secret_hash = pw.TextField()

    class Meta:
        table_name = "keys"


class User(Base):
    uid = pw.TextField(unique=True)
    first_name = pw.TextField(null=True)
    last_name = pw.TextField(null=True)
    number = pw.TextField(null=True)
    email = pw.TextField(null=True)
    is_account = pw.BooleanField(default=False)
    archived = pw.BooleanField(default=False)
    meta = JSONField(default=dict)
    created_at = pw.BigIntegerField(default=now)
    last_interaction = pw.BigIntegerField(null=True)

    class Meta:
        table_name = "users"

    @property
    def member_count(self):
        return Membership.select().where(Membership.account_id == self.uid).count() if self.is_account else None


class Device(Base):
    user = pw.ForeignKeyField(User, backref="devices")
    token = pw.TextField()
    platform = pw.TextField(null=True)

    class Meta:
        table_name = "devices"


class Membership(Base):
    user = pw.ForeignKeyField(User, backref="accounts")
    account_id = pw.TextField()
    role = pw.TextField(null=True)

    class Meta:
        table_name = "memberships"


class Subscription(Base):
    user = pw.ForeignKeyField(User, backref="lists")
    list_id = pw.TextField()
    subscribed = pw.BooleanField()

    class Meta:
        table_name = "subscriptions"


class Event(Base):
    user = pw.ForeignKeyField(User, backref="events")
    timestamp = pw.BigIntegerField(default=now)
    event = pw.TextField()
    value = JSONField(null=True)
    properties = JSONField(default=dict)

    class Meta:
        table_name = "events"


class Time(ma.fields.Field):
    def _serialize(self, value, attr, obj, **kwargs):
        return value and dt.datetime.fromtimestamp(value / 1000, dt.UTC).isoformat(timespec="milliseconds")


class DeviceSchema(ma.Schema):
    token = ma.fields.String()
    platform = ma.fields.String()


class AccountSchema(ma.Schema):
    id = ma.fields.String(attribute="account_id")
    role = ma.fields.String()


class ListSchema(ma.Schema):
    id = ma.fields.String(attribute="list_id")
    subscribed = ma.fields.Boolean()


class ChangeSchema(ma.Schema):
    first_name = ma.fields.String(validate=ma.validate.Length(max=255))
    last_name = ma.fields.String(validate=ma.validate.Length(max=255))
    number = ma.fields.String()
    email = ma.fields.Email()
    meta = ma.fields.Dict(keys=ma.fields.String(), values=ma.fields.Raw())


class NewSchema(ChangeSchema):
    id = ma.fields.String(required=True)


class UserSchema(ChangeSchema):
    id = ma.fields.String()
    uid = ma.fields.String()
    uid_updateable = ma.fields.Constant(False)
    is_account = ma.fields.Boolean()
    member_count = ma.fields.Integer()
    archived = ma.fields.Boolean()
    created_at = Time()
    last_interaction = Time()
    devices = ma.fields.List(ma.fields.Nested(DeviceSchema))
    accounts = ma.fields.List(ma.fields.Nested(AccountSchema))
    lists = ma.fields.List(ma.fields.Nested(ListSchema))
    segments = ma.fields.Constant([])
    stats = ma.fields.Constant(
        dict.fromkeys(["delivered", "failed", "opened", "clicked", "unique_opens", "unique_clicks"], 0)
    )


class EventSchema(ma.Schema):
    event = ma.fields.String(required=True)
    value = ma.fields.Raw()
    properties = ma.fields.Dict()


class StatusSchema(ma.Schema):
    status = ma.fields.String()


class PageSchema(ma.Schema):
    limit = ma.fields.Integer(load_default=10, validate=ma.validate.Range(1, 30))
    next_cursor = ma.fields.Integer()


class UsersSchema(ma.Schema):
    data = ma.fields.List(ma.fields.Nested(UserSchema))
    next_cursor = ma.fields.String()


blp = Blueprint("users", __name__, url_prefix="/v1/users")


def find(uid):
    return User.get_or_none(User.uid == uid) or abort(404)


def save(uid, change):
    with db.atomic("IMMEDIATE"):
        user = User.get_or_none(User.uid == uid) or User(uid=uid)
        for name, value in change.items():
            setattr(user, name, {**user.meta, **value} if name == "meta" else value)
        user.save()
    return user


@blp.route("")
class Users(MethodView):
    @blp.arguments(PageSchema, location="query")
    @blp.response(200, UsersSchema)
    def get(self, query):
        users = User.select().order_by(User.id).limit(query["limit"] + 1)
        if "next_cursor" in query:
            users = users.where(User.id > query["next_cursor"])
        found = list(users)
        page = found[: query["limit"]]
        return {"data": page, **({"next_cursor": page[-1].id} if len(found) > len(page) else {})}

    @blp.arguments(NewSchema)
    @blp.response(200, UserSchema)
    def post(self, change):
        return save(change.pop("id"), change)


@blp.route("/<uid>")
class One(MethodView):
    @blp.response(200, UserSchema)
    def get(self, uid):
        return find(uid)

    @blp.arguments(ChangeSchema)
    @blp.response(200, UserSchema)
    def put(self, change, uid):
        return save(uid, change)

    @blp.response(200, StatusSchema)
    def delete(self, uid):
        with db.atomic("IMMEDIATE"):
            find(uid).delete_instance(recursive=True)
        return {"status": "ok"}


@blp.route("/<uid>/events")
class Events(MethodView):
    @blp.arguments(EventSchema)
    @blp.response(200, StatusSchema)
    def post(self, event, uid):
        with db.atomic("IMMEDIATE"):
            user = User.get_or_none(User.uid == uid) or User.create(uid=uid)
            made = Event.create(user=user, **event)
            user.last_interaction = made.timestamp
            user.save()
        return {"status": "ok"}


app = flask.Flask(__name__)
app.config.update(API_TITLE="naive", API_VERSION="1", OPENAPI_VERSION="3.0.3")


def hash_of(secret):
    return hashlib.sha256(secret.encode()).hexdigest()


@app.before_request
def before():
    db.connect(reuse_if_open=True)
    given = flask.request.authorization
    key = given and Key.get_or_none(Key.public_key == given.username)
    if not key or not hmac.compare_digest(key.secret_hash, hash_of(given.password or "")):
        flask.abort(401)


@app.teardown_request
def after(error):
    if not db.is_closed():
        db.close()


Api(app).register_blueprint(blp)

with db:
    db.create_tables([Key])
    public, _, secret = base64.b64decode(AUTHORIZATION.removeprefix("Basic ")).decode().partition(":")
    Key.insert(public_key=public, secret_hash=hash_of(secret)).on_conflict_ignore().execute()
