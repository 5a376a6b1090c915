"""The append-only store, the vault and the migrations.

`open_store` and `Store` can be imported from here; the database libraries are loaded only then.
"""

from typing import TYPE_CHECKING

if TYPE_CHECKING:
    from rtms_audit.store.store import Store, open_store
else:

    def __getattr__(name: str) -> object:
        """Load the store when it is asked for."""
        if name not in __all__:
            raise AttributeError(f"module {__name__!r} has no attribute {name!r}")
        from rtms_audit.store import store

        return getattr(store, name)


__all__ = ["Store", "open_store"]
