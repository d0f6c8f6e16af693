"""Asks what is outside of a rehearsal, through its proxy."""

import asyncio
import os
import ssl

import httpx


def client(outside):
    trusted = ssl.create_default_context(cafile=str(outside.ca_file))
    return httpx.AsyncClient(proxy=outside.proxy, verify=trusted, trust_env=False, timeout=10)


async def asked(outside, url, **options):
    async with client(outside) as web:
        return await web.get(url, **options)


async def clone(outside, url, into, *options):
    """git's status and what it complains of."""
    environment = {**os.environ, **outside.environment, "GIT_CONFIG_GLOBAL": "/dev/null", "GIT_TERMINAL_PROMPT": "0"}
    process = await asyncio.create_subprocess_exec(
        "git", "clone", "--quiet", *options, url, str(into), env=environment, stderr=asyncio.subprocess.PIPE
    )
    _, said = await process.communicate()
    return process.returncode, said.decode()
