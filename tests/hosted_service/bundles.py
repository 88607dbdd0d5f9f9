"""Where bundles lie: one bucket of an S3-compatible store, reached by boto3."""

from __future__ import annotations

import hashlib
from pathlib import Path
from typing import Any

import boto3
from botocore.config import Config
from botocore.exceptions import ClientError

from tests.hosted_service.object_storage import ACCESS_KEY, BUCKET, REGION, SECRET_KEY


class Bundles:
    """Blocking: call it in a thread."""

    def __init__(self, url: str, ca: str) -> None:
        options = Config(
            s3={"addressing_style": "path"},
            signature_version="s3v4",
            request_checksum_calculation="when_required",
            response_checksum_validation="when_required",
            connect_timeout=5,
            read_timeout=20,
            retries={"max_attempts": 3},
            proxies={},
        )
        self.s3: Any = boto3.session.Session(ACCESS_KEY, SECRET_KEY, region_name=REGION).client(
            "s3", endpoint_url=url, verify=ca, config=options
        )

    def make_bucket(self) -> None:
        self.s3.create_bucket(Bucket=BUCKET, CreateBucketConfiguration={"LocationConstraint": REGION})

    def begin(self, key: str) -> str:
        """Begin a multipart upload; its id."""
        return str(self.s3.create_multipart_upload(Bucket=BUCKET, Key=key)["UploadId"])

    def part_address(self, key: str, upload: str, number: int, expires_s: int) -> str:
        """A pre-signed address for one part."""
        where = {"Bucket": BUCKET, "Key": key, "UploadId": upload, "PartNumber": number}
        return str(self.s3.generate_presigned_url("upload_part", Params=where, ExpiresIn=expires_s, HttpMethod="PUT"))

    def address(self, key: str, expires_s: int) -> str:
        """A pre-signed address to read an object."""
        where = {"Bucket": BUCKET, "Key": key}
        return str(self.s3.generate_presigned_url("get_object", Params=where, ExpiresIn=expires_s))

    def parts(self, key: str, upload: str) -> dict[int, tuple[int, str]]:
        """Number, bytes and ETag of the parts that are there."""
        pages = self.s3.get_paginator("list_parts").paginate(Bucket=BUCKET, Key=key, UploadId=upload)
        return {part["PartNumber"]: (part["Size"], part["ETag"]) for page in pages for part in page.get("Parts", [])}

    def complete(self, key: str, upload: str) -> None:
        """Join the parts; an upload that was joined already is left as it is."""
        try:
            parts = [
                {"PartNumber": number, "ETag": tag} for number, (_, tag) in sorted(self.parts(key, upload).items())
            ]
            self.s3.complete_multipart_upload(
                Bucket=BUCKET, Key=key, UploadId=upload, MultipartUpload={"Parts": parts}
            )
        except ClientError as error:
            if error.response["Error"]["Code"] != "NoSuchUpload":
                raise
            self.s3.head_object(Bucket=BUCKET, Key=key)

    def abort(self, key: str, upload: str) -> None:
        try:
            self.s3.abort_multipart_upload(Bucket=BUCKET, Key=key, UploadId=upload)
        except ClientError as error:
            if error.response["Error"]["Code"] != "NoSuchUpload":
                raise

    def put(self, key: str, path: Path) -> None:
        self.s3.put_object(Bucket=BUCKET, Key=key, Body=path.read_bytes())

    def fetch(self, key: str, path: Path) -> str:
        """Write an object into a file; its SHA-256."""
        digest, body = hashlib.sha256(), self.s3.get_object(Bucket=BUCKET, Key=key)["Body"]
        with path.open("wb") as file:
            for piece in body.iter_chunks(1 << 20):
                digest.update(piece)
                file.write(piece)
        return digest.hexdigest()
