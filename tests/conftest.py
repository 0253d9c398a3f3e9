"""Databases for tests: one server a session, one database a test.

``DATABASE_URL`` names a server (a role that may create databases and roles); without it an embedded one runs with
fsync off. Databases of tests are copies of templates, so that migrating and making event tables is paid for once.
"""

from __future__ import annotations

import asyncio
import os
import shutil
import uuid
from collections.abc import AsyncIterator, Callable, Iterator
from functools import partial
from urllib.parse import quote

import asyncpg
import pytest
from pydantic import SecretStr
from scratch import SERVER_OPTIONS, scratch_folder

from indexer.config import DatabaseSettings
from indexer.decode.catalogue import load_catalogue
from indexer.store.connect import connect
from indexer.store.ddl import register_selectors, register_tables
from indexer.store.embedded import EmbeddedServer
from indexer.store.migrate import migrate
from indexer.store.store import Store
from indexer.store.views import apply_views


def with_database(url: str, name: str) -> str:
    """The URL of another database of the same server."""
    head, _, query = url.partition("?")
    scheme, _, rest = head.partition("://")
    host = rest.partition("/")[0]
    return f"{scheme}://{host}/{quote(name, safe='')}" + (f"?{query}" if query else "")


async def _admin(url: str, statement: str) -> None:
    connection = await asyncpg.connect(url)
    try:
        await connection.execute(statement)
    finally:
        await connection.close()


async def _create(url: str, name: str, template: str = "template0") -> str:
    encoding = "ENCODING 'UTF8'" if template == "template0" else ""
    await _admin(url, f'CREATE DATABASE "{name}" TEMPLATE "{template}" {encoding}')
    return with_database(url, name)


async def _drop(url: str, name: str) -> None:
    await _admin(url, f'DROP DATABASE IF EXISTS "{name}" WITH (FORCE)')


def _fresh_name() -> str:
    return f"indexer_test_{uuid.uuid4().hex[:12]}"


@pytest.fixture(scope="session")
def postgres_url() -> Iterator[str]:
    """A server for the whole session: the URL of its maintenance database."""
    given = os.environ.get("DATABASE_URL")
    if given:
        yield given
        return
    folder = scratch_folder("indexer-test-")
    server = EmbeddedServer(folder, options=SERVER_OPTIONS)
    server.start()
    try:
        yield server.url()
    finally:
        server.stop()
        shutil.rmtree(folder, ignore_errors=True)


@pytest.fixture(scope="session")
def url_of(postgres_url: str) -> Callable[[str], str]:
    """The URL of a database of the session's server, by name."""
    return partial(with_database, postgres_url)


@pytest.fixture(scope="session")
def migrated_template(postgres_url: str) -> Iterator[str]:
    """Name of a database with every migration and nothing else; copy it, do not connect to it."""
    name = _fresh_name()

    async def build() -> None:
        url = await _create(postgres_url, name)
        connection = await connect(url)
        try:
            await migrate(connection)
        finally:
            await connection.close()

    asyncio.run(build())
    yield name
    asyncio.run(_drop(postgres_url, name))


@pytest.fixture
async def database_url(postgres_url: str) -> AsyncIterator[str]:
    """A fresh empty database of this test."""
    name = _fresh_name()
    yield await _create(postgres_url, name)
    await _drop(postgres_url, name)


@pytest.fixture
async def migrated_url(postgres_url: str, migrated_template: str) -> AsyncIterator[str]:
    """A fresh migrated database of this test."""
    name = _fresh_name()
    yield await _create(postgres_url, name, migrated_template)
    await _drop(postgres_url, name)


@pytest.fixture(scope="session")
def event_template(postgres_url: str, migrated_template: str) -> Iterator[str]:
    """Name of a migrated database with all built-in event tables; copy it, do not connect to it."""
    name = _fresh_name()

    async def build() -> None:
        url = await _create(postgres_url, name, migrated_template)
        catalogue = load_catalogue(None, {})
        connection = await connect(url)
        try:
            await register_tables(connection, catalogue.tables)
            await register_selectors(connection, catalogue.functions)
        finally:
            await connection.close()

    asyncio.run(build())
    yield name
    asyncio.run(_drop(postgres_url, name))


@pytest.fixture
async def event_url(postgres_url: str, event_template: str) -> AsyncIterator[str]:
    """A fresh database of this test, with all built-in event tables."""
    name = _fresh_name()
    yield await _create(postgres_url, name, event_template)
    await _drop(postgres_url, name)


@pytest.fixture(scope="session")
def views_template(postgres_url: str, event_template: str) -> Iterator[str]:
    """Name of a database with all built-in event tables and views; copy it, do not connect to it."""
    name = _fresh_name()

    async def build() -> None:
        connection = await connect(await _create(postgres_url, name, event_template))
        try:
            await apply_views(connection)
        finally:
            await connection.close()

    asyncio.run(build())
    yield name
    asyncio.run(_drop(postgres_url, name))


@pytest.fixture
async def views_url(postgres_url: str, views_template: str) -> AsyncIterator[str]:
    """A fresh database of this test, with all built-in event tables and views."""
    name = _fresh_name()
    yield await _create(postgres_url, name, views_template)
    await _drop(postgres_url, name)


@pytest.fixture
async def connection(migrated_url: str) -> AsyncIterator[asyncpg.Connection]:
    """A connection to a fresh migrated database."""
    made = await connect(migrated_url)
    yield made
    await made.close()


@pytest.fixture
def database_settings(migrated_url: str) -> DatabaseSettings:
    """``[database]`` of a fresh migrated database."""
    return DatabaseSettings(url=SecretStr(migrated_url))


@pytest.fixture
async def store(database_settings: DatabaseSettings) -> AsyncIterator[Store]:
    """A store on a fresh migrated database."""
    opened = await Store.open(database_settings, application_name="indexer-test")
    yield opened
    await opened.close()
