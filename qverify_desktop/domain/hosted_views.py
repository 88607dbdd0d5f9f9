"""Shapes of what is told of the hosted service; all JSON-ready. Texts that came from the service are plain, printable and bounded."""

from __future__ import annotations

from typing import TypedDict


class HostedStatusView(TypedDict):
    """Who is signed in, as this machine knows it; nothing is asked for it. ``closed`` says why nothing may be connected to (empty:
    it may), ``locked`` that the key file has to be opened first. ``access_until`` and ``sign_in_until`` are RFC 3339 in UTC (empty:
    not said), ``place`` a sentence on where the sign-in is kept, ``waiting`` how many exports are in the queue."""

    configured: bool
    host: str
    regions: list[str]
    key: str
    signed_in: bool
    locked: bool
    organisation: str
    account: str
    issuer: str
    access_until: str
    sign_in_until: str
    place: str
    closed: str
    remedy: str
    waiting: int


class SignInView(TypedDict):
    """A sign-in that goes on. ``state`` is none, waiting, done or failed; ``whole_address`` holds the code as well, for a QR code.
    ``version`` grows with every change; ``key`` is the verifier key that the service says it countersigns with."""

    version: int
    state: str
    code: str
    address: str
    whole_address: str
    until: str
    service: str
    key: str
    sentence: str
    remedy: str


class LeavingFileView(TypedDict):
    """A file of a bundle, or several of a kind; ``says`` is what is in it."""

    name: str
    says: str
    files: int
    bytes: int


class LeavingView(TypedDict):
    """What leaves this machine if a run is sent. ``contents`` is full, redacted or headers; ``refusal`` says why it may not be sent
    (empty: it may) and ``shows`` what whoever gets it can read of the repository."""

    run: str
    contents: str
    host: str
    organisation: str
    bytes: int
    sha256: str
    files: list[LeavingFileView]
    shows: str
    refusal: str
    remedy: str


class ExportView(TypedDict):
    """A bundle on its way to the service, or there. ``state`` is running, paused, failed or done; ``stage`` what goes on (making,
    announcing, sending, checking, waiting, kept); ``done`` and ``total`` are bytes. ``grade``, ``meaning``, ``cosigned_at`` and
    ``report`` are the service's; ``checkpoint`` is the file with its countersignature, ``checked`` a sentence on what was checked here.
    ``offer`` is what helps besides trying again: sign_in, less (of the contents), or nothing; ``file`` is where a bundle came from that
    somebody brought, empty for a run of this machine."""

    export: str
    run: str
    contents: str
    host: str
    state: str
    stage: str
    done: int
    total: int
    sentence: str
    remedy: str
    offer: str
    queued_at: str
    ended_at: str
    next_at: str
    import_id: str
    sha256: str
    grade: str
    meaning: str
    cosigned_at: str
    report: str
    checkpoint: str
    checked: str
    file: str


class ExportsView(TypedDict):
    """The queue, oldest first. ``version`` grows with every change."""

    version: int
    exports: list[ExportView]


class QuotaView(TypedDict):
    """``unit`` is count, bytes, micro or seconds; a ``limit`` of -1 is none."""

    resource: str
    unit: str
    used: int
    limit: int


class InvoiceView(TypedDict):
    """``amount_micro`` is in millionths of the unit of ``currency``; ``url`` is opened in a browser only."""

    number: str
    state: str
    issued_at: str
    due_at: str
    amount_micro: int
    currency: str
    url: str


class HostedUsageView(TypedDict):
    organisation: str
    plan: str
    renews_at: str
    start: str
    end: str
    currency: str
    cost_micro: int
    quotas: list[QuotaView]
    invoices: list[InvoiceView]


class HostedAnalysisView(TypedDict):
    """An analysis that the service runs; ``coverage_…`` in thousandths, ``state`` queued, running, done, failed or cancelled."""

    id: str
    state: str
    label: str
    url: str
    commit: str
    scope: str
    created_at: str
    updated_at: str
    stage: str
    done: int
    total: int
    cost_micro: int
    currency: str
    region: str
    tests: int
    suspected_defects: int
    coverage_before: int
    coverage_after: int
    report_url: str
    problem: str


class HostedSourceView(TypedDict):
    """What the service would clone for a source of this machine; ``refusal`` says why it can't, ``notice`` what it would not see."""

    source: str
    url: str
    commit: str
    notice: str
    refusal: str
    remedy: str


class HostedBundleView(TypedDict):
    """The bundle of a hosted analysis, fetched to ``path`` and verified under ``public_key``, the key that the service names for its
    log; ``notices`` are the verifier's and ``checked`` a sentence on the countersignature."""

    path: str
    bytes: int
    sha256: str
    run: str
    grade: str
    meaning: str
    notices: list[str]
    events: int
    public_key: str
    checked: str


class RegionView(TypedDict):
    """An entry to the service. ``is_set``: a person set it; others are tried after those. ``is_current``: it answers now. ``accepts`` is false while it takes nothing new, ``refusal`` why it is never used (empty:
    it may be). ``id`` and ``title`` are empty for one that is set and that the service does not name."""

    id: str
    title: str
    endpoint: str
    host: str
    accepts: bool
    is_set: bool
    is_current: bool
    refusal: str


class HostedAccountView(TypedDict):
    """What the service itself says of the sign-in, and of its regions in the order in which they are tried. ``expires_at`` is when the
    access token ends; it is renewed by itself."""

    organisation: str
    account: str
    scopes: list[str]
    expires_at: str
    region: str
    regions: list[RegionView]
