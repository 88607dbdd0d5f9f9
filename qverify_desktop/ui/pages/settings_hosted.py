"""Settings of the hosted service: where it is, how it is reached, and the key with which it countersigns."""

from __future__ import annotations

from PySide6.QtWidgets import QWidget

from qverify_desktop.ui.language import tr
from qverify_desktop.ui.pages.settings_form import SettingsForm


def hosted_card(form: SettingsForm) -> QWidget:
    """Empty fields mean no service."""
    return form.card(
        (
            "hosted_regions",
            tr("Addresses"),
            tr(
                "Of the service's regions, in the order in which they are tried, separated by commas. Empty: no service."
            ),
            form.text("hosted_regions", "https://hosted.example"),
        ),
        (
            "hosted_issuer",
            tr("Sign-in"),
            tr("Address of the OpenID Connect issuer. Empty: the one that the service names."),
            form.text("hosted_issuer", "https://login.example"),
        ),
        (
            "hosted_client",
            tr("Known there as"),
            tr("Name of QVerify at the sign-in. Empty: the one that the service names."),
            form.text("hosted_client", "qverify-desktop"),
        ),
        (
            "hosted_key",
            tr("Its key"),
            tr(
                "Verifier key with which it must countersign. It is kept at the first sign-in; compare it with one you got another way."
            ),
            form.text("hosted_key", "name+hash+base64"),
        ),
        (
            "hosted_proxy",
            tr("Proxy"),
            tr("For the service only. Empty: the one of the environment."),
            form.text("hosted_proxy", "http://proxy.example:3128"),
        ),
        (
            "hosted_ca_file",
            tr("Certificate authorities"),
            tr("PEM file that is trusted besides the usual ones, such as that of your organization."),
            form.text("hosted_ca_file", "/etc/ssl/organization.pem"),
        ),
    )
