"""The running service as the hostile cases see it."""

import base64
import http.client
import json
import secrets
import time

ATOMIC_ROLES = ("events", "workbench", "auth")


class NotPrepared(Exception):
    """What a case needs could not be made; the text says which request failed."""


class Missing(Exception):
    """The target was not told what the case needs, so the case is skipped."""


class Target:
    """A running server, the keys of two workspaces on it, and what was prepared there.

    base_url: "host:port", with or without "http://". a, b: (public key, secret) of two workspaces that serve no
    other purpose. snapshot: None, or a callable that returns the stored data as str or bytes; it is called before
    and after each case. env, env_b: Atomic environment ids of the workspaces. clients: {role: (id, secret)} with
    the roles events, workbench and auth; with auth alone the other two are made. sdk_key: name of an SDK key.
    """

    def __init__(
        self, base_url, a, b, snapshot=None, env=None, env_b=None, clients=None, sdk_key="none", max_seconds=5.0
    ):
        self.host, _, port = base_url.removeprefix("http://").rstrip("/").partition(":")
        self.port = int(port or 80)
        self.a, self.b = tuple(a), tuple(b)
        self.snapshot, self.env, self.env_b, self.sdk_key = snapshot, env, env_b, sdk_key
        self.clients = dict(clients or {})
        self.max_seconds = max_seconds
        self._tokens, self._markers, self._connection = {}, None, None

    # -- plain requests, used to prepare and to look

    def call(self, method, path, body=None, credential="secret"):
        """Send a request that is meant to work; returns (status, the reply or None)."""
        data = None if body is None else json.dumps(body).encode()
        headers = {"Authorization": value.decode("latin-1")} if (value := self.authorization(credential)) else {}
        if data is not None:
            headers["Content-Type"] = "application/json"
        for _ in range(3):
            status, reply, wait = self._roundtrip(method, path, data, headers)
            if status != 429:
                break
            time.sleep(wait)
        return status, reply

    def _roundtrip(self, method, path, data, headers):
        for last in (False, True):
            if self._connection is None:
                self._connection = http.client.HTTPConnection(self.host, self.port, timeout=20)
            try:
                self._connection.request(method, path, data, headers)
                response = self._connection.getresponse()
                text = response.read()
                break
            except (http.client.HTTPException, OSError) as error:
                self._connection.close()
                self._connection = None
                if last:
                    raise NotPrepared(f"{method} {path[:60]} got no answer ({type(error).__name__})") from error
        try:
            reply = json.loads(text)
        except ValueError:
            reply = None
        return response.status, reply, retry_after(response.getheader("Retry-After"))

    def close(self):
        """Close the connection."""
        if self._connection is not None:
            self._connection.close()

    def authorization(self, credential):
        """The value of the Authorization header for a kind of credential, or None."""
        if credential in ATOMIC_ROLES:
            return b"Bearer " + self.token(credential).encode()
        (pk, sk), (pk_b, sk_b) = self.a, self.b
        pairs = {
            "secret": (pk, sk),
            "public": (pk, ""),
            "wrong": (pk, "wrong"),
            "mixed": (pk, sk_b),
            "secret_b": (pk_b, sk_b),
            "public_b": (pk_b, ""),
        }
        if credential == "none":
            return None
        return b"Basic " + base64.b64encode(":".join(pairs[credential]).encode())

    def token(self, role):
        """An access token of a client with that role."""
        if not self.env:
            raise Missing("no Atomic environment given")
        if role not in self._tokens:
            if role not in self.clients and "auth" in self.clients and role != "auth":
                status, reply = self.call("POST", f"/v1/{self.env}/credentials", {"role": role}, "auth")
                if status != 200:
                    raise NotPrepared(f"POST /v1/{self.env}/credentials answered {status}")
                self.clients[role] = (reply["data"]["clientId"], reply["data"]["clientSecret"])
            if role not in self.clients:
                raise Missing(f"no client with the role {role} given")
            query = "grant_type=client_credentials&client_id={}&client_secret={}".format(*self.clients[role])
            status, reply = self.call("POST", "/oauth2/token?" + query, credential="none")
            if status != 200 or not isinstance(reply, dict) or "access_token" not in reply:
                raise NotPrepared(f"POST /oauth2/token answered {status}")
            self._tokens[role] = reply["access_token"]
        return self._tokens[role]

    # -- what is stored, as the API shows it

    def markers(self):
        """The id in each workspace after which everything was made by the present case."""
        if self._markers is None:
            self._markers = {}
            for credential in ("secret", "secret_b"):
                status, reply = self.call(
                    "PUT", "/v1/users/marker" + secrets.token_hex(6), {"first_name": "Marker"}, credential
                )
                if status != 200 or not isinstance(reply, dict) or not reply.get("id"):
                    raise NotPrepared(f"PUT /v1/users/{{uid}} answered {status}")
                self._markers[credential] = str(reply["id"])
        return self._markers

    def rows(self, credential):
        """The users of a workspace that are newer than its marker."""
        return self.walk("/v1/users", credential, self.markers()[credential])

    def walk(self, path, credential, cursor=None):
        """All rows of a route, page by page; with a cursor those after it."""
        found = []
        while True:
            more = f"&next_cursor={cursor}" if cursor else ""
            status, reply = self.call("GET", f"{path}?limit=30{more}", credential=credential)
            if status != 200 or not isinstance(reply, dict) or not isinstance(reply.get("data"), list):
                raise NotPrepared(f"GET {path}?limit=30 answered {status}")
            found += reply["data"]
            cursor = reply.get("next_cursor")
            if not cursor or not reply["data"]:
                break
        return found

    def state(self, credential, with_lists):
        """Everything the API shows of a workspace since the marker, as text."""
        lists = self.walk("/v1/lists", credential) if with_lists else []
        return json.dumps([self.rows(credential), lists], sort_keys=True)

    def step_over(self, credential):
        """Take what is there now for older than the next case. It stays, so that all of it can be read at the end."""
        for row in self.rows(credential)[-1:]:
            self._markers[credential] = str(row.get("id"))


def retry_after(value):
    return min(int(value), 60) + 0.2 if value and value.isdigit() else 1.0
