"""The names in double braces of a case, and the users and lists that they stand for."""

import base64
import datetime
import re
import secrets

from tests.hostile.target import Missing, NotPrepared


class Cast:
    """Fills in the names in double braces, and makes the users and lists that they stand for."""

    NAME = re.compile(rb"\{\{([a-z0-9_+]+)\}\}")

    def __init__(self, target):
        self.target, self.values, self.made_lists = target, {}, []

    def fill(self, text, encoding="utf-8"):
        """The text as bytes, every name in it replaced."""
        if isinstance(text, str) and encoding != "utf-8":
            return self.fill(text).decode().encode(encoding)
        data = text.encode() if isinstance(text, str) else text
        pad = re.search(rb"\{\{pad_to_(\d+)\}\}", data)
        if pad:
            data = data.replace(pad[0], b"\x00PAD\x00")
        data = self.NAME.sub(lambda found: self.value(found[1].decode()).encode(), data)
        if pad:
            data = data.replace(b"\x00PAD\x00", b"a" * (int(pad[1]) - len(data) + len(b"\x00PAD\x00")))
        return data

    def fill_header(self, text):
        """Like fill, and puts what stands in [[b64:...]] into base64."""
        data = self.fill(text)
        return re.sub(rb"\[\[b64:(.*?)\]\]", lambda found: base64.b64encode(found[1]), data, flags=re.S)

    def fill_deep(self, value):
        """The same for every string inside a list or dict."""
        if isinstance(value, str):
            return self.fill(value).decode()
        if isinstance(value, list):
            return [self.fill_deep(item) for item in value]
        if isinstance(value, dict):
            return {self.fill_deep(key): self.fill_deep(item) for key, item in value.items()}
        return value

    def value(self, name):
        if name not in self.values:
            self.values[name] = self._make(name)
        return self.values[name]

    def _make(self, name):
        target = self.target
        simple = {
            "public": target.a[0],
            "secret": target.a[1],
            "public_b": target.b[0],
            "secret_b": target.b[1],
            "host": f"{target.host}:{target.port}",
            "sdk_key": target.sdk_key,
            "public_swapped": other_capitals(target.a[0]),
            "secret_swapped": other_capitals(target.a[1]),
            "secret_cut": target.a[1][:-1],
        }
        if name in simple:
            return simple[name]
        if name.startswith("fresh"):
            return "t" + secrets.token_hex(8)[1:]
        if hours := re.fullmatch(r"now\+(\d+)h", name):
            when = datetime.datetime.now(datetime.UTC) + datetime.timedelta(hours=int(hours[1]))
            return when.strftime("%Y-%m-%dT%H:%M:%SZ")
        if name in ("env", "env_b"):
            if not getattr(target, name):
                raise Missing("no Atomic environment given")
            return getattr(target, name)
        if name in ("client_id", "client_secret", "events_token"):
            token = target.token("events")
            return token if name == "events_token" else target.clients["events"][name == "client_secret"]
        if name == "user_swapped":
            return other_capitals(self.value("user"))
        if name in ("number", "token", "id"):
            self.value("user")
            return self.values[name]
        if name in ("token_b", "id_b"):
            self.value("user_b")
            return self.values[name]
        return getattr(self, "_" + name)()

    def _put(self, uid, fields, credential="secret"):
        status, reply = self.target.call("PUT", f"/v1/users/{uid}", fields, credential)
        if status != 200 or not isinstance(reply, dict):
            raise NotPrepared(f"PUT /v1/users/{{uid}} answered {status}")
        return str(reply.get("id"))

    def _user(self):
        uid = "u" + secrets.token_hex(8)
        self.values |= {"number": f"+234{secrets.randbelow(10**10):010d}", "token": "tok" + secrets.token_hex(12)}
        self.values["id"] = self._put(
            uid,
            {
                "first_name": "Adaobi",
                "last_name": "Okafor",
                "email": f"{uid}@example.com",
                "number": self.values["number"],
                "meta": {"plan": "prosecret1"},
                "device_token": self.values["token"],
                "device_platform": "android",
            },
        )
        return uid

    def _user_b(self):
        uid = "v" + secrets.token_hex(8)
        self.values["token_b"] = "tok" + secrets.token_hex(12)
        self.values["id_b"] = self._put(
            uid,
            {
                "first_name": "Bertille",
                "last_name": "Kouassi",
                "email": f"{uid}@b.example.com",
                "meta": {"plan": "goldsecret2"},
                "device_token": self.values["token_b"],
                "device_platform": "ios",
            },
            "secret_b",
        )
        return uid

    def _bare(self):
        uid = "w" + secrets.token_hex(8)
        self._put(uid, {"first_name": "Bare"})
        return uid

    def _account(self):
        uid = "x" + secrets.token_hex(8)
        self._put(uid, {"first_name": "Company", "is_account": True})
        return uid

    def _list(self, credential="secret"):
        status, reply = self.target.call("POST", "/v1/lists", {"title": "Prepared"}, credential)
        if status != 200 or not isinstance(reply, dict) or not reply.get("id"):
            raise NotPrepared(f"POST /v1/lists answered {status}")
        self.made_lists.append((reply["id"], credential))
        return reply["id"]

    def _list_b(self):
        return self._list("secret_b")

    def _list_archived(self):
        found = self._list()
        self.target.call("DELETE", f"/v1/lists/{found}")
        return found

    def run(self, steps):
        for step in steps:
            body = None if step["body"] is None else self.fill_deep(step["body"])
            status, reply = self.target.call(step["method"], self.fill(step["path"]).decode(), body, step["credential"])
            if status != 200:
                raise NotPrepared(f"{step['method']} {step['path']} answered {status}")
            self.values |= {name: str(reply[field]) for name, field in step["save"].items()}

    def private(self, workspace):
        """What nobody without the right to it may read: the stored fields of the prepared user."""
        if workspace == "a" and "user" in self.values:
            return [
                f"{self.values['user']}@example.com",
                self.values["number"],
                self.values["token"],
                "Adaobi",
                "Okafor",
                "prosecret1",
            ]
        if workspace == "b" and "user_b" in self.values:
            return [
                f"{self.values['user_b']}@b.example.com",
                self.values["token_b"],
                "Bertille",
                "Kouassi",
                "goldsecret2",
            ]
        return []


def other_capitals(text):
    return text.swapcase() if text.swapcase() != text else text + "X"
