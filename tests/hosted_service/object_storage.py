"""S3-compatible object storage (moto) behind TLS that, unlike moto, looks at signatures and the end of pre-signed addresses.

``python -m tests.hosted_service.object_storage CERT KEY`` prints its port. ``POST /_test/faults`` takes a list of faults:
``{"method", "path" (regular expression), "times", "status" | "cut_after" (bytes of the body)}``; ``GET`` counts requests.
"""

from __future__ import annotations

import contextlib
import datetime as dt
import hmac
import io
import json
import os
import re
import socket
import sys
import threading
import urllib.parse
from collections.abc import Callable, Iterable
from typing import Any

from botocore.auth import S3SigV4Auth, S3SigV4QueryAuth
from botocore.awsrequest import AWSRequest
from botocore.credentials import Credentials

ACCESS_KEY, SECRET_KEY, REGION, BUCKET = "test-access", "test-secret", "eu-test-1", "qverify"
STAMP = "%Y%m%dT%H%M%SZ"
Environ = dict[str, Any]


def signed(environ: Environ, now: dt.datetime) -> str:
    """Empty where the request is signed by ``SECRET_KEY`` and in time (AWS Signature Version 4), else the S3 error code."""
    query = urllib.parse.parse_qsl(environ.get("QUERY_STRING", ""), keep_blank_values=True)
    given = dict(query)
    presigned = "X-Amz-Signature" in given
    fields = given
    if not presigned:
        words = re.findall(r"(\w+)=([^,\s]+)", environ.get("HTTP_AUTHORIZATION", ""))
        fields = {f"X-Amz-{name}": value for name, value in words} | {
            "X-Amz-Date": environ.get("HTTP_X_AMZ_DATE", "")
        }
    try:
        stamp = dt.datetime.strptime(fields["X-Amz-Date"], STAMP).replace(tzinfo=dt.UTC)
        ends = stamp + dt.timedelta(seconds=int(fields.get("X-Amz-Expires", "900")))
        names = fields["X-Amz-SignedHeaders"].split(";")
        claimed, access = fields["X-Amz-Signature"], fields["X-Amz-Credential"].split("/")[0]
    except (KeyError, ValueError):
        return "AccessDenied"
    if now > ends:
        return "AccessDenied"
    kept = [(name, value) for name, value in query if name != "X-Amz-Signature"]
    path = urllib.parse.quote(environ["PATH_INFO"].encode("latin-1"), safe="/~")
    encoded = urllib.parse.urlencode(kept, quote_via=urllib.parse.quote)
    url = f"https://{environ['HTTP_HOST']}{path}" + (f"?{encoded}" if encoded else "")
    headers = {name: value for name in names if (value := _header(environ, name)) is not None}
    request = AWSRequest(environ["REQUEST_METHOD"], url, headers=headers)
    request.context["timestamp"] = fields["X-Amz-Date"]
    kind = S3SigV4QueryAuth if presigned else S3SigV4Auth
    auth = kind(Credentials(ACCESS_KEY, SECRET_KEY), "s3", REGION)
    expected = auth.signature(auth.string_to_sign(request, auth.canonical_request(request)), request)
    return "" if access == ACCESS_KEY and hmac.compare_digest(expected, claimed) else "SignatureDoesNotMatch"


def _header(environ: Environ, name: str) -> str | None:
    plain = name.upper().replace("-", "_")
    return environ.get(plain if plain in ("CONTENT_TYPE", "CONTENT_LENGTH") else f"HTTP_{plain}")


class Front:
    """WSGI in front of moto: signatures, whole bodies only, faults."""

    def __init__(self, moto: Callable[..., Iterable[bytes]]) -> None:
        self.moto = moto
        self.lock = threading.Lock()
        self.faults: list[dict[str, Any]] = []
        self.counts: dict[str, int] = {}

    def __call__(self, environ: Environ, start: Callable[..., Any]) -> Iterable[bytes]:
        path, method = environ["PATH_INFO"], environ["REQUEST_METHOD"]
        length = int(environ.get("CONTENT_LENGTH") or 0)
        if path.startswith("/_test/"):
            return self._test(environ, start, length)
        fault = self._fault(method, path)
        if "cut_after" in fault:
            environ["wsgi.input"].read(min(length, fault["cut_after"]))
            return self._cut(environ)
        body = environ["wsgi.input"].read(length)
        if len(body) < length:
            return self._cut(environ)  # half a part is none: moto would keep it
        if error := signed(environ, dt.datetime.now(dt.UTC)):
            return _error(start, "403 Forbidden", error)
        if "status" in fault:
            return _error(start, f"{fault['status']} Fault", "SlowDown")
        upload = urllib.parse.parse_qs(environ.get("QUERY_STRING", "")).get("uploadId")
        if method == "PUT" and upload and not self.uploading(upload[0]):
            return _error(start, "404 Not Found", "NoSuchUpload")  # moto answers 500 to that
        environ["wsgi.input"] = io.BytesIO(body)
        return self.moto(environ, start)

    @staticmethod
    def uploading(upload: str) -> bool:
        """Whether there is such a multipart upload."""
        from moto.s3.models import s3_backends

        return any(
            upload in bucket.multiparts
            for account in s3_backends.values()
            for backend in account.values()
            for bucket in backend.buckets.values()
        )

    def _fault(self, method: str, path: str) -> dict[str, Any]:
        with self.lock:
            self.counts[method] = self.counts.get(method, 0) + 1
            for fault in self.faults:
                if fault["times"] > 0 and fault["method"] == method and re.search(fault["path"], path):
                    fault["times"] -= 1
                    return fault
        return {}

    def _test(self, environ: Environ, start: Callable[..., Any], length: int) -> Iterable[bytes]:
        with self.lock:
            if environ["REQUEST_METHOD"] == "POST":
                self.faults = json.loads(environ["wsgi.input"].read(length))
                self.counts = {}
            answer = json.dumps(self.counts).encode()
        start("200 OK", [("Content-Type", "application/json"), ("Content-Length", str(len(answer)))])
        return [answer]

    @staticmethod
    def _cut(environ: Environ) -> Iterable[bytes]:
        with contextlib.suppress(OSError):
            environ["werkzeug.socket"].shutdown(socket.SHUT_RDWR)
        raise ConnectionAbortedError


def _error(start: Callable[..., Any], status: str, code: str) -> Iterable[bytes]:
    body = f'<?xml version="1.0" encoding="UTF-8"?><Error><Code>{code}</Code></Error>'.encode()
    start(status, [("Content-Type", "application/xml"), ("Content-Length", str(len(body)))])
    return [body]


def main() -> None:
    # moto reads these when it is imported.
    os.environ |= {"S3_UPLOAD_PART_MIN_SIZE": "1", "S3_IGNORE_SUBDOMAIN_BUCKETNAME": "true"}
    from moto.moto_server.werkzeug_app import DomainDispatcherApplication, MotoRequestHandler, create_backend_app
    from werkzeug.serving import make_server

    class Quiet(MotoRequestHandler):
        def log(self, type: str, message: str, *args: Any) -> None:
            """What goes wrong is seen by whoever asked."""

        def connection_dropped(self, error: BaseException, environ: Any = None) -> None:
            """A cut is what a test wanted."""

    front = Front(DomainDispatcherApplication(create_backend_app))
    listening = make_server(
        "127.0.0.1", 0, front, threaded=True, request_handler=Quiet, ssl_context=(sys.argv[1], sys.argv[2])
    )
    print(listening.server_port, flush=True)
    listening.serve_forever(poll_interval=0.05)


if __name__ == "__main__":
    main()
