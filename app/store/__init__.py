"""What Ringback keeps between runs: trunks and what the window remembers, in one SQLite file. No secret."""

from app.store.remembered import StoredSetting, window_setting
from app.store.store import Store
from app.store.trunk_rows import UnreadableTrunk

__all__ = ["Store", "StoredSetting", "UnreadableTrunk", "window_setting"]
