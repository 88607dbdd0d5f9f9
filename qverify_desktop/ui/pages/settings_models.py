"""Settings of models: which is used, what an answer may take, what it may cost, what is kept of it."""

from __future__ import annotations

from PySide6.QtWidgets import QWidget

from qverify_desktop.ui.language import tr
from qverify_desktop.ui.pages.settings_form import SettingsForm

#: The largest budget that a field takes, in millionths of a US dollar: a million dollars.
MOST_BUDGET = 10**12


def network_card(form: SettingsForm) -> QWidget:
    """What leaves this machine, and to whom."""
    return form.card(
        (
            "air_gap",
            tr("Air gap"),
            tr("No model end point outside this machine is ever asked. Tests never have a network in any case."),
            form.switch("air_gap"),
        ),
        (
            "air_gap_allow",
            tr("Allowed behind the air gap"),
            tr("Addresses and networks, separated by commas. Names are never looked up."),
            form.text("air_gap_allow", "10.0.0.7, 10.1.0.0/16"),
        ),
        (
            "model",
            tr("Model"),
            tr("Used for new analyses. Empty or none for no model; auto for the order below."),
            form.text("model", "none"),
        ),
        (
            "api_base",
            tr("End point"),
            tr("Address of an OpenAI-compatible server. Empty for Ollama on this machine."),
            form.text("api_base", "http://127.0.0.1:8080/v1"),
        ),
        (
            "failover_refused",
            tr("Ask the next model what one refused"),
            tr(
                "Where a content filter or the request's form was the reason. Otherwise nothing is asked elsewhere then."
            ),
            form.switch("failover_refused"),
        ),
    )


def answers_card(form: SettingsForm) -> QWidget:
    """How long and how large an answer may be, and what is kept of it."""
    return form.card(
        (
            "model_timeout_s",
            tr("Patience with a model"),
            tr("Seconds for one answer; then the next end point is asked."),
            form.number("model_timeout_s", 1, 3600, tr("s")),
        ),
        (
            "model_answer_tokens",
            tr("Longest answer"),
            tr("Some models never stop by themselves."),
            form.number("model_answer_tokens", 16, 65_536, tr("tokens")),
        ),
        (
            "model_context_tokens",
            tr("Largest context"),
            tr("Asked of Ollama. A larger one needs more memory, and a prompt that does not fit is packed tighter."),
            form.number("model_context_tokens", 2048, 1_048_576, tr("tokens")),
        ),
        (
            "answer_cache_mb",
            tr("Kept answers"),
            tr("The same question is not paid twice. They lie in the state folder."),
            form.number("answer_cache_mb", 0, 65_536, tr("MB"), tr("None")),
        ),
        (
            "answer_cache_days",
            tr("Kept for"),
            tr("Older answers are asked anew."),
            form.number("answer_cache_days", 1, 3650, tr("days")),
        ),
    )


def budget_card(form: SettingsForm) -> QWidget:
    """What models may cost."""
    return form.card(
        (
            "run_budget_microusd",
            tr("Budget of an analysis"),
            tr("Counts where an analysis has none of its own."),
            form.money("run_budget_microusd", MOST_BUDGET),
        ),
        (
            "month_budget_microusd",
            tr("Budget of a month"),
            tr("Of all analyses together, in a calendar month (UTC). Calls in doubt count with their estimate."),
            form.money("month_budget_microusd", MOST_BUDGET),
        ),
        (
            "budget_ask_percent",
            tr("Ask before"),
            tr("So much of a budget may be spent before you are asked."),
            form.number("budget_ask_percent", 1, 100, "%"),
        ),
    )
