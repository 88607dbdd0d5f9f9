"""Git: snapshot of a folder or an address, scope of a change, patch of accepted tests. Nothing of a repository runs here."""

from qverify_desktop.repository.intake import Repositories
from qverify_desktop.repository.patch import patch_of

__all__ = ["Repositories", "patch_of"]
