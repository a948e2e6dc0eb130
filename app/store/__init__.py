"""What Ringback keeps between runs: trunks and what the window remembers, in one SQLite file. No secret."""

from app.store.database import LATEST_VERSION, DamagedStoreError, set_aside
from app.store.store import Store, StoredSetting, window_setting

__all__ = ["LATEST_VERSION", "DamagedStoreError", "Store", "StoredSetting", "set_aside", "window_setting"]
