# Generated from examples/async/connecting.py by `nox -s sync`: edit that file.
"""The client and the database that an operation uses: blocks, tenants, settings."""

# --8<-- [start:model]
import loom_sync as lm


@lm.declare_persist_db("my_app", "notes")
class Note(lm.PersistableBase):
    text: str


def store(tenant: str) -> int:
    with lm.using(database=tenant):
        Note(text=f"of {tenant}").persist()
        return Note.filter().count()


# --8<-- [end:model]


def main() -> None:
    with lm.embedded() as client:
        # --8<-- [start:tenants]
        for tenant in ("tenant_1", "tenant_2"):
            assert store(tenant) == 1
        assert Note.filter().count() == 0  # nothing is in my_app
        # --8<-- [end:tenants]

        with lm.using(client=client, database="tenant_1"):
            assert Note.filter().exists()

        # --8<-- [start:driver]
        with lm.using(database="tenant_1"):
            notes = Note.get_db_collection()
            notes.update_many({}, {"$rename": {"text": "body"}})
        # --8<-- [end:driver]

    # --8<-- [start:notebook]
    client = lm.open_embedded()  # or lm.open(uri)
    Note(text="of any later cell").persist()
    print(client.list_database_names())
    lm.close()
    # --8<-- [end:notebook]

    # --8<-- [start:settings]
    with lm.config_context(server_timeout=5):
        assert lm.settings().server_timeout == 5
    # --8<-- [end:settings]


if __name__ == "__main__":
    main()
