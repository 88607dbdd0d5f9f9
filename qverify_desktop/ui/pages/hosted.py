"""The hosted service: who is signed in, what was sent or is on its way, analyses that run there, and the plan."""

from __future__ import annotations

from PySide6.QtWidgets import QVBoxLayout, QWidget

from qverify_desktop.domain.errors import QVerifyError
from qverify_desktop.domain.hosted_views import HostedBundleView, HostedStatusView
from qverify_desktop.ui.actions import Act
from qverify_desktop.ui.language import later, tr
from qverify_desktop.ui.page import Desk, Notice, Page, Place
from qverify_desktop.ui.pages.hosted_account import AccountPart
from qverify_desktop.ui.pages.hosted_analyses import LIVE, AnalysesPart
from qverify_desktop.ui.pages.hosted_plan import PlanPart
from qverify_desktop.ui.pages.hosted_queue import QueuePart
from qverify_desktop.ui.sheets.ask import AskSheet
from qverify_desktop.ui.sheets.hosted_analysis import HostedAnalysisSheet
from qverify_desktop.ui.sheets.passphrase import UnlockSheet
from qverify_desktop.ui.sheets.sign_in import SignInSheet
from qverify_desktop.ui.widgets import words
from qverify_desktop.ui.widgets.basics import Button, IconLabel, column, frame, holder, label, row
from qverify_desktop.ui.widgets.scroll_body import ScrollBody, scrolling
from qverify_desktop.ui.widgets.state_view import Shown

WIDEST = 900


class HostedPage(Page):
    """Cards below each other. Nothing is asked over the network before somebody is signed in."""

    leads = False

    def __init__(self, desk: Desk, parent: QWidget | None = None) -> None:
        super().__init__(desk, parent)
        theme = desk.theme
        self.status: HostedStatusView | None = None
        self._fetching = False
        self.icon = IconLabel(theme, "globe", "text-muted", 20)
        self.who = label("", "heading", wrap=True)
        self.told = label("", "small", "muted", wrap=True, select=True)
        self.key = label("", "small", "muted", wrap=True, select=True)
        self.sign_in = Button(theme, tr("Sign in…"), lambda: desk.actions.trigger("hosted.sign-in"), kind="primary")
        self.sign_out = Button(theme, tr("Sign out…"), lambda: desk.actions.trigger("hosted.sign-out"), size="small")
        self.unlock = Button(theme, tr("Open the key file…"), self._unlock, icon="key")
        self.closed = label("", "small", "warning", wrap=True, select=True)
        self.account = AccountPart(desk, self.again)
        self.account.answered.connect(self._confirmed)
        card = frame("card")
        words_ = column(self.who, self.told, self.closed, self.account, self.key, gap=4)
        inside = row(self.icon, words_, self.unlock, self.sign_in, self.sign_out, gap=12, margins=(16, 12, 16, 12))
        inside.setStretch(1, 1)
        card.setLayout(inside)
        self.queue = QueuePart(desk)
        self.analyses = AnalysesPart(desk)
        self.analyses.chosen.connect(desk.actions.update)
        self.plan = PlanPart(desk)
        self.new = Button(
            theme,
            tr("Have one run there…"),
            lambda: desk.actions.trigger("hosted.analyze"),
            icon="plus",
            size="small",
        )
        self.get = Button(
            theme,
            tr("Get the bundle…"),
            lambda: desk.actions.trigger("hosted.bundle"),
            icon="download",
            size="small",
        )
        self.end = Button(theme, tr("End it…"), lambda: desk.actions.trigger("hosted.end"), icon="stop", size="small")
        desk.actions.changed.connect(self._allow)
        self._signed_in = holder(
            column(
                row(label(tr("Analyses that run there"), "heading"), None, self.get, self.end, self.new),
                self.analyses,
                8,
                label(tr("Plan and invoices"), "heading"),
                self.plan,
                gap=12,
            )
        )
        body = ScrollBody(
            column(
                card,
                8,
                label(tr("Sent and on its way"), "heading"),
                self.queue,
                8,
                self._signed_in,
                None,
                gap=12,
                margins=(24, 20, 24, 24),
            )
        )
        body.setMaximumWidth(theme.px(WIDEST))
        self._shown = Shown(theme, scrolling(body))
        layout = QVBoxLayout(self)
        layout.setContentsMargins(0, 0, 0, 0)
        layout.addWidget(self._shown)
        group = later("Hosted service")
        for act in (
            Act("hosted.refresh", later("Look again"), group, self.again, icon="refresh"),
            Act(
                "hosted.sign-in",
                later("Sign in to the hosted service…"),
                group,
                self._sign_in,
                icon="key",
                reason=self._cant_sign_in,
            ),
            Act(
                "hosted.sign-out",
                later("Sign out of the hosted service…"),
                group,
                self._ask_sign_out,
                icon="x",
                reason=self._needs_sign_in,
            ),
            Act(
                "hosted.analyze",
                later("Have the hosted service analyze a repository…"),
                group,
                self._analyze,
                icon="plus",
                reason=self._needs_sign_in,
            ),
            Act(
                "hosted.bundle",
                later("Get the bundle of the analysis at the hosted service…"),
                group,
                self._ask_bundle,
                icon="download",
                reason=self._cant_get,
            ),
            Act(
                "hosted.end",
                later("End the analysis at the hosted service…"),
                group,
                self._ask_end,
                icon="stop",
                reason=self._cant_end,
            ),
        ):
            act.place = "hosted"
            desk.actions.add(act)

    def title(self) -> str:
        return tr("Hosted service")

    @property
    def buttons(self) -> tuple[str, ...]:
        return ("hosted.refresh",)

    def enter(self, place: Place) -> None:
        super().enter(place)
        self.queue.show_part()
        self.again()
        if place.item:
            self._open_analysis(place.item)

    def leave(self) -> None:
        self.queue.hide_part()
        self.analyses.hide_part()

    def again(self) -> None:
        self.desk.bridge.ask(self, "hosted_status", self._show, failed=self._failed, key="status")

    def focus_content(self) -> None:
        (self.sign_in if self.sign_in.isVisible() else self.new).setFocus()

    # What is shown

    def _failed(self, error: QVerifyError) -> None:
        self._shown.show_state().show_error(error, self.again)

    def _show(self, status: HostedStatusView) -> None:
        self.status = status
        self.desk.actions.update()
        if not status["configured"]:
            self._shown.show_state().show_state(
                "globe",
                tr("No hosted service is set"),
                tr(
                    "QVerify works without one. With one, a run's evidence can be sent there and comes back countersigned, and analyses can run there. Nothing is sent before you saw what leaves."
                ),
                button=(tr("Settings"), lambda: self.desk.front.go(Place("settings"))),
            )
            return
        self._shown.show_content()
        on = status["signed_in"]
        who = status["account"] or tr("somebody")
        self.icon.show_icon(
            "lock" if status["closed"] or status["locked"] else "shield-check" if on else "globe",
            "success" if on and not status["closed"] else "text-muted",
        )
        if on:
            of = tr("{who}, {organisation}", who=who, organisation=status["organisation"])
            self.who.setText(of if status["organisation"] else who)
        else:
            self.who.setText(tr("The key file is locked") if status["locked"] else tr("Nobody is signed in"))
        self.told.setText(_told(status))
        self.closed.setText(f"{status['closed']} {status['remedy']}".strip())
        self.closed.setVisible(bool(status["closed"]))
        self.key.setText(tr("It countersigns with {key}", key=status["key"]) if status["key"] else "")
        self.key.setVisible(bool(status["key"]))
        self.sign_in.setVisible(not on and not status["locked"])
        self.sign_out.setVisible(on)
        self.unlock.setVisible(status["locked"])
        open_ = on and not status["closed"]
        self._signed_in.setVisible(open_)
        self.account.setVisible(open_)
        if open_:
            self.account.ask()
            self.analyses.show_part()
            self.plan.ask()
        else:
            self.analyses.hide_part()

    def _confirmed(self, who: str) -> None:
        """Where the service can't be asked, what only it knows is not shown: one sentence in the card says why."""
        if who:
            self.who.setText(who)
        self._signed_in.setVisible(bool(who))

    # Acts

    def _cant_sign_in(self) -> str:
        status = self.status
        if status is None or not status["configured"]:
            return tr("Set the address of a hosted service in the settings first.")
        if status["closed"]:
            return status["closed"]
        return tr("You are signed in.") if status["signed_in"] else ""

    def _needs_sign_in(self) -> str:
        return "" if self.status and self.status["signed_in"] else tr("Nobody is signed in.")

    def _cant_end(self) -> str:
        one = self.analyses.current()
        if one is None:
            return tr("Choose an analysis in the list.")
        return "" if one["state"] in LIVE else tr("It has ended.")

    def _cant_get(self) -> str:
        one = self.analyses.current()
        if one is None:
            return tr("Choose an analysis in the list.")
        if self._fetching:
            return tr("A bundle is being fetched.")
        return "" if one["state"] == "done" else tr("Only an analysis that is done has a bundle.")

    def _allow(self) -> None:
        for button, act in (
            (self.sign_in, "hosted.sign-in"),
            (self.new, "hosted.analyze"),
            (self.get, "hosted.bundle"),
            (self.end, "hosted.end"),
        ):
            button.set_possible(self.desk.actions[act].reason())

    def _unlock(self) -> None:
        self.desk.front.open_sheet(UnlockSheet(self.desk, done=lambda _: self.again()))

    def _sign_in(self) -> None:
        self.desk.front.open_sheet(SignInSheet(self.desk, self.again))

    def _ask_sign_out(self) -> None:
        self.desk.front.open_sheet(
            AskSheet(
                self.desk.theme,
                tr("Sign out?"),
                (
                    tr("The sign-in is revoked and forgotten on this machine."),
                    tr(
                        "What waits in the queue stays there until somebody signs in. What was sent stays at the service."
                    ),
                ),
                tr("Sign out"),
                self._sign_out,
            )
        )

    def _sign_out(self) -> None:
        def out(sentence: str) -> None:
            self.desk.front.tell(Notice(sentence, "success"))
            self.again()

        self.desk.bridge.ask(self, "hosted_sign_out", out, key="out")

    def _analyze(self) -> None:
        self._open_analysis("")

    def _open_analysis(self, source: str) -> None:
        self.desk.front.open_sheet(HostedAnalysisSheet(self.desk, source, self.analyses.ask))

    def _ask_bundle(self) -> None:
        one = self.analyses.current()
        if one is None:
            return
        name, id = f"{one['id']}.qvevidence.zip", one["id"]
        self.desk.front.save_as(
            name, tr("Evidence bundles (*.qvevidence.zip)"), lambda path: self._fetch_bundle(id, path)
        )

    def _fetch_bundle(self, id: str, path: str) -> None:
        self._set_fetching(True)
        self.desk.bridge.ask(
            self, "hosted_analysis_bundle", self._got, failed=self._not_got, key="bundle", id=id, path=path
        )

    def _set_fetching(self, fetching: bool) -> None:
        self._fetching = fetching
        self.get.say(tr("Getting the bundle…") if fetching else tr("Get the bundle…"))
        self.desk.actions.update()

    def _got(self, view: HostedBundleView) -> None:
        self._set_fetching(False)
        front, grade = self.desk.front, view["grade"].capitalize()
        told = tr("The bundle holds: {grade}, and countersigned. It is in {path}.", grade=grade, path=view["path"])
        front.tell(Notice(told, "success", tr("Check it yourself"), lambda: front.check_bundle(view["path"])))

    def _not_got(self, error: QVerifyError) -> None:
        self._set_fetching(False)
        self.desk.front.tell_error(error)

    def _ask_end(self) -> None:
        one = self.analyses.current()
        if one is None:
            return
        self.desk.front.open_sheet(
            AskSheet(
                self.desk.theme,
                tr("End the analysis?"),
                (tr("The service stops it. What it cost so far is counted."),),
                tr("End it"),
                lambda: self.desk.bridge.ask(
                    self, "hosted_analysis_cancel", lambda _: self.analyses.ask(), key="end", id=one["id"]
                ),
                danger=True,
            )
        )


def _told(status: HostedStatusView) -> str:
    parts = [status["host"]]
    if status["signed_in"]:
        until = status["sign_in_until"]
        parts.append(
            tr("signed in until {when}", when=words.moment(until))
            if until
            else tr("signed in until the issuer ends it")
        )
        parts.append(status["place"])
    return " · ".join(part for part in parts if part)
