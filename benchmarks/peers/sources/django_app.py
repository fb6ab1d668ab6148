"""The five routes on Django REST framework, in one file."""

import datetime as dt
import os
import time

import django
from django.conf import settings

_host = os.environ["DATABASE"].partition("host=")[2]
settings.configure(
    SECRET_KEY="benchmark",
    ALLOWED_HOSTS=["*"],
    ROOT_URLCONF=__name__,
    INSTALLED_APPS=["rest_framework"],
    MIDDLEWARE=[],
    USE_TZ=True,
    DEFAULT_AUTO_FIELD="django.db.models.BigAutoField",
    DATABASES={
        "default": {
            "ENGINE": "django.db.backends.postgresql", "NAME": "postgres", "USER": "postgres", "HOST": _host,
            "CONN_MAX_AGE": None,
        }
    },
    REST_FRAMEWORK={
        "DEFAULT_AUTHENTICATION_CLASSES": [f"{__name__}.Key"],
        "DEFAULT_PERMISSION_CLASSES": ["rest_framework.permissions.IsAuthenticated"],
        "DEFAULT_RENDERER_CLASSES": ["rest_framework.renderers.JSONRenderer"],
        "DEFAULT_PARSER_CLASSES": ["rest_framework.parsers.JSONParser"],
        "UNAUTHENTICATED_USER": None,
    },
)  # fmt: skip

from rest_framework.authentication import BaseAuthentication  # noqa: E402


class Caller:
    is_authenticated = True


class Key(BaseAuthentication):
    def authenticate(self, request):
        return (Caller(), None) if request.headers.get("Authorization") == os.environ["AUTHORIZATION"] else None

    def authenticate_header(self, request):
        return "Basic"


django.setup()

from django.core.wsgi import get_wsgi_application  # noqa: E402
from django.db import models, transaction  # noqa: E402
from django.shortcuts import get_object_or_404  # noqa: E402
from django.urls import path  # noqa: E402
from rest_framework import serializers  # noqa: E402
from rest_framework.response import Response  # noqa: E402
from rest_framework.views import APIView  # noqa: E402


def now():
    return int(time.time() * 1000)


class User(models.Model):
    uid = models.TextField(unique=True)
    first_name = models.TextField(null=True)
    last_name = models.TextField(null=True)
    number = models.TextField(null=True)
    email = models.TextField(null=True)
    is_account = models.BooleanField(default=False)
    archived = models.BooleanField(default=False)
    meta = models.JSONField(default=dict)
    created_at = models.BigIntegerField(default=now)
    last_interaction = models.BigIntegerField(null=True)

    class Meta:
        app_label, db_table = "users", "users"


class Device(models.Model):
    user = models.ForeignKey(User, models.CASCADE, related_name="devices")
    token = models.TextField()
    platform = models.TextField(null=True)

    class Meta:
        app_label, db_table = "users", "devices"


class Membership(models.Model):
    user = models.ForeignKey(User, models.CASCADE, related_name="accounts")
    account_id = models.TextField()
    role = models.TextField(null=True)

    class Meta:
        app_label, db_table = "users", "memberships"


class Subscription(models.Model):
    user = models.ForeignKey(User, models.CASCADE, related_name="lists")
    list_id = models.TextField()
    subscribed = models.BooleanField()

    class Meta:
        app_label, db_table = "users", "subscriptions"


class Event(models.Model):
    user = models.ForeignKey(User, models.CASCADE)
    timestamp = models.BigIntegerField(default=now)
    event = models.TextField()
    value = models.JSONField(null=True)
    properties = models.JSONField(default=dict)

    class Meta:
        app_label, db_table = "users", "events"


class Time(serializers.Field):
    def to_representation(self, value):
        return dt.datetime.fromtimestamp(value / 1000, dt.UTC).isoformat(timespec="milliseconds")


class DeviceSerializer(serializers.ModelSerializer):
    class Meta:
        model, fields = Device, ("token", "platform")


class AccountSerializer(serializers.ModelSerializer):
    id = serializers.CharField(source="account_id")

    class Meta:
        model, fields = Membership, ("id", "role")


class ListSerializer(serializers.ModelSerializer):
    id = serializers.CharField(source="list_id")

    class Meta:
        model, fields = Subscription, ("id", "subscribed")


class UserSerializer(serializers.ModelSerializer):
    devices = DeviceSerializer(many=True, read_only=True)
    accounts = AccountSerializer(many=True, read_only=True)
    lists = ListSerializer(many=True, read_only=True)
    created_at = Time(read_only=True)
    last_interaction = Time(read_only=True)

    class Meta:
        model = User
        fields = (
            "id", "uid", "first_name", "last_name", "number", "email", "devices", "accounts", "is_account", "archived",
            "lists", "meta", "created_at", "last_interaction",
        )  # fmt: skip


class ChangeSerializer(serializers.Serializer):
    first_name = serializers.CharField(max_length=255, required=False)
    last_name = serializers.CharField(max_length=255, required=False)
    number = serializers.CharField(max_length=30, required=False)
    email = serializers.EmailField(required=False)
    meta = serializers.DictField(required=False)


class NewSerializer(ChangeSerializer):
    id = serializers.RegexField("^[A-Za-z0-9]{1,255}$")


class EventSerializer(serializers.Serializer):
    event = serializers.CharField(max_length=255)
    value = serializers.JSONField(required=False)
    properties = serializers.DictField(required=False)


def read(serializer, request):
    found = serializer(data=request.data)
    found.is_valid(raise_exception=True)
    return found.validated_data


WITH_SIDES = User.objects.prefetch_related("devices", "accounts", "lists")


@transaction.atomic
def save(uid, change):
    user, _ = User.objects.select_for_update().get_or_create(uid=uid)
    for name, value in change.items():
        setattr(user, name, {**user.meta, **value} if name == "meta" else value)
    user.save()
    return Response(UserSerializer(user).data)


class Users(APIView):
    def get(self, request):
        limit = min(int(request.query_params.get("limit", 10)), 30)
        after = int(request.query_params.get("next_cursor", 0))
        rows = list(WITH_SIDES.filter(id__gt=after).order_by("id")[: limit + 1])
        page = {"data": UserSerializer(rows[:limit], many=True).data}
        return Response({**page, "next_cursor": rows[limit - 1].id} if len(rows) > limit else page)

    def post(self, request):
        change = read(NewSerializer, request)
        return save(change.pop("id"), change)


class One(APIView):
    def get(self, request, uid):
        return Response(UserSerializer(get_object_or_404(WITH_SIDES, uid=uid)).data)

    def put(self, request, uid):
        return save(uid, read(ChangeSerializer, request))


class Events(APIView):
    @transaction.atomic
    def post(self, request, uid):
        event = read(EventSerializer, request)
        user, _ = User.objects.get_or_create(uid=uid)
        made = Event.objects.create(user=user, **event)
        User.objects.filter(id=user.id).update(last_interaction=made.timestamp)
        return Response({"status": "ok"})


urlpatterns = [
    path("v1/users", Users.as_view()),
    path("v1/users/<str:uid>", One.as_view()),
    path("v1/users/<str:uid>/events", Events.as_view()),
]
application = get_wsgi_application()
