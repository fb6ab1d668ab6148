"""Below the application: broken HTTP, and what browsers send."""

from tests.hostile.cases.build import case


def framing():
    def raw(name, status, head, body=b"", method=b"POST", **more):
        data = method + b" /v1/users HTTP/1.1\r\n" + head + b"\r\n\r\n" + body
        return case(name, method.decode(), "/v1/users", status, raw=data, credential="none", error_style="server",
                    judgement=True, **more)

    host = b"Host: {{host}}\r\n"
    yield raw("length and chunked", 400, host + b"Content-Length: 6\r\nTransfer-Encoding: chunked", b"0\r\n\r\nG")
    yield raw("unknown transfer coding", [400, 501], host + b"Transfer-Encoding: xchunked", b"0\r\n\r\n")
    yield raw("chunked and then identity", 400, host + b"Transfer-Encoding: chunked, identity", b"0\r\n\r\n")
    yield raw("vertical tab before chunked", [400, 501], host + b"Transfer-Encoding:\x0bchunked", b"0\r\n\r\n")
    yield raw("two lengths", 400, host + b"Content-Length: 3\r\nContent-Length: 11", b'{"id":"h1"}')
    yield raw("negative length", 400, host + b"Content-Length: -1")
    yield raw("length with a plus", 400, host + b"Content-Length: +2", b"{}")
    yield raw("folded header", 400, host + b"X-A: a\r\n b", method=b"GET")
    yield raw("bare line feed", 400, host + b"X-A: a\nX-B: b", method=b"GET")
    yield raw("space before the colon", 400, b"Host : x", method=b"GET")
    yield raw("chunk longer than announced", 400,
              host + b"Authorization: Basic [[b64:{{public}}:]]\r\nTransfer-Encoding: chunked\r\nConnection: close",
              b'd\r\n{"id":"framing1"}\r\n0\r\n\r\n')
    yield raw("chunk size that is not a number", 400,
              host + b"Authorization: Basic [[b64:{{public}}:]]\r\nTransfer-Encoding: chunked\r\nConnection: close",
              b'zz\r\n{"id":"framing1"}\r\n0\r\n\r\n')
    yield case("150 headers", "GET", "/v1/users", [400, 431], headers=[(f"X-{i}", "a") for i in range(150)],
               error_style="server", judgement=True)


def cross_origin():
    """Browsers call with the public key; a preflight carries no credentials at all."""
    evil = [("Origin", "https://evil.example"), ("Access-Control-Request-Method", "PUT"),
            ("Access-Control-Request-Headers", "authorization,content-type")]
    never = {"no_header": ["access-control-allow-credentials: true"]}
    yield case("preflight is not asked for credentials", "OPTIONS", "/v1/users/{{user}}", [200, 204], credential="none",
               headers=evil, error_style="server", judgement=True, expect=never)
    yield case("preflight of a route that needs the secret", "OPTIONS", "/v1/batch", [200, 204], credential="none",
               headers=evil, error_style="server", judgement=True, expect=never)
    yield case("cookies are never allowed across origins", "PUT", "/v1/users/{{user}}", 200, {"first_name": "x"},
               credential="public", headers=evil[:1], stored=True, judgement=True, expect=never)
