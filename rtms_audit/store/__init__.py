"""The append-only store, the vault and the migrations."""
